"""The texts of a page: what its scores and labels mean, and how its images and outlines are stored."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fplbench.reporting.cells import Cell
from fplbench.reporting.explorer.features import LEVELS
from fplbench.reporting.facts import read_facts
from fplbench.reporting.lesion_scores import LesionScores
from fplbench.reporting.notes import columns_note, remarks
from fplbench.reporting.presentation import Presentation
from fplbench.reporting.scores import NoiseScores
from fplbench.reporting.sentences import sentences
from fplbench.reporting.tables import Table

OUTLINES = {
    "mask": "Lesion outlines follow the borders of the annotated pixels",
    "box": "Lesions are outlined by the boxes that annotate them",
}


def means_notes(
    dataset: str,
    shown: Presentation,
    scores: Mapping[str, NoiseScores],
    page: Mapping[str, Any],
    sampling: Path,
    lesions: Mapping[str, LesionScores],
    inserted: Mapping[str, LesionScores],
) -> list[str]:
    """What stands below the table of the data set, as far as it is about labels, scores and lesions: paragraphs.

    Args:
        dataset: name of the data set.
        shown: how the tables of the run are presented.
        scores: by noise.
        page: the scores of the page, with its metrics and means.
        sampling: sampling.json of the data set; it may be missing.
        lesions: scores of the annotated lesions by noise.
        inserted: those of the inserted ones.
    """
    metrics = [metric["name"] for metric in page["metrics"]]
    first = next(iter(scores.values()))
    table = Table(
        dataset=dataset,
        blocks={metric: _block(page["means"], metric, scores) for metric in metrics},
        methods=tuple(dict.fromkeys(name for means in page["means"].values() for name in means)),
        images=len(first.image_ids),
        patients=len(set(first.patients)),
        labels=shown.labels,
        reference=shown.reference or "",
        facts=read_facts(sampling),
        lesions=_largest(lesions),
        inserted=_largest(inserted),
        protocol=shown.protocol,
    )
    return [paragraph for paragraph in (columns_note(table), *remarks(table, metrics)) if paragraph]


def _block(
    means: Mapping[str, Mapping[str, Mapping[str, float | None]]], metric: str, scores: Mapping[str, NoiseScores]
) -> dict[str, dict[str, Cell]]:
    return {
        noise: {
            name: Cell(mean, seeds=_seeds(scores[noise], name))
            for name, own in methods.items()
            if (mean := own[metric]) is not None and noise in scores
        }
        for noise, methods in means.items()
    }


def _seeds(scores: NoiseScores, method: str) -> int:
    return len(scores.trained("psnr", method)) if method in scores.values["psnr"] else 1


def _largest(scores: Mapping[str, LesionScores]) -> LesionScores | None:
    return max(scores.values(), key=lambda found: found.lesions) if scores else None


def storage_note(images: Sequence[Mapping[str, Any]], features: bool, repeats: bool) -> str:
    """How images, maps and outlines of lesions are stored, in sentences.

    Args:
        images: the shown images with their lesions.
        features: whether the page has feature maps.
        repeats: whether networks were trained several times.
    """
    shapes = {lesion["shape"] for image in images for lesion in image["lesions"]}
    return sentences(
        *(text for shape, text in OUTLINES.items() if shape in shapes),
        "Images are stored without loss" + (f", feature maps in {LEVELS} grey levels" if features else ""),
        "Where networks were trained several times, their images are those of the first training" if repeats else "",
    )
