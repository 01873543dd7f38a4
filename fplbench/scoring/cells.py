"""Score all methods on one data set and noise, the images and the lesions in them, in one pass."""

import math
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fplbench.errors import InputError, nearest
from fplbench.files import write_csv
from fplbench.scoring.comparison import INSERTED, VALIDATION, Comparison, Scores, open_comparison
from fplbench.scoring.lesions import LESION_METRICS
from fplbench.scoring.registry import ALWAYS, DEFAULT, SCORES, MetricFunction, image_metrics, in_order

KEYS = ("method", "image_id", "patient")
LESION_KEYS = ("method", "image_id", "lesion", "lesion_id", "patient", "kind", "shape", "inserted", "pixels")

Found = list[dict[str, tuple[Scores, dict[int, Scores]]]]
"""For each image and method, the scores of the image and of its lesions."""


@dataclass(frozen=True)
class ValidationStacks:
    """The validation images, which are scored like the test images, into files of their own.

    Attributes:
        clean: the clean stack, with its index, and its lesions beside it.
        denoised: stacks of the same images, named {method}_validation.npy.
        scores: the .csv file of images to write.
        lesion_scores: the .csv file of lesions to write; None writes none.
    """

    clean: Path
    denoised: Sequence[Path]
    scores: Path
    lesion_scores: Path | None = None


def score_cell(
    clean_path: str | os.PathLike[str],
    denoised_paths: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    rules: Sequence[str] = (),
    metrics: Sequence[str] = DEFAULT,
    lesion_scores: str | os.PathLike[str] | None = None,
    inserted_clean: str | os.PathLike[str] | None = None,
    inserted: Sequence[str | os.PathLike[str]] = (),
    threads: int = 1,
    validation: ValidationStacks | None = None,
) -> None:
    """Score denoised stacks, and write a table with a row for each method and image: method, image_id, patient, the metrics.

    Numbers are written in full precision. The psnr of an image that equals the clean one is written as "inf"; a metric that is
    not defined for an image, such as one of the body where there is none, is left blank.

    Lesions get a table of their own, with a row for each method, image and lesion: LESION_KEYS and LESION_METRICS, in HU where
    the index has a window in HU. Real lesions are scored in the first stacks. In those with inserted lesions only the
    inserted ones are, because the real ones are copies.

    Args:
        clean_path: the clean stack; its index names the images.
        denoised_paths: stacks of the same shape, from any program, named {method}.npy.
        output: the .csv file to write.
        rules: names of the rules that make the stacks, for error messages: one for each, one for all, or none.
        metrics: names of metrics of images; ALWAYS are scored anyway.
        lesion_scores: the .csv file of lesions to write; None writes none. It has no rows where no stack has lesions.
        inserted_clean: the clean stack with inserted lesions, and its lesion stack.
        inserted: the same denoised, named {method}_inserted.npy.
        threads: number of images that are scored at the same time.
        validation: the validation images and the files for their scores, by the same metrics; None scores none.

    Raises:
        InputError: a metric is unknown or lacks its package; a stack, the index of a clean one, or a lesion stack is missing or
            malformed; or a denoised stack has another shape or lists other images than the clean one.
    """
    if threads < 1:
        raise InputError(f"threads is {threads}: at least one is needed.")
    if inserted and (inserted_clean is None or lesion_scores is None):
        raise InputError("Stacks with inserted lesions need the clean stack that has them, and a file for the scores of lesions.")
    functions = _functions(metrics)
    makers = dict(zip([Path(path).stem for path in denoised_paths], [*rules] * len(denoised_paths), strict=False))
    images = open_comparison(clean_path, denoised_paths, makers, lesions=lesion_scores is not None)
    planted = held_out = None
    if inserted_clean is not None and lesion_scores is not None:
        planted = open_comparison(inserted_clean, inserted, makers, lesions=True, ending=INSERTED)
    if validation is not None:
        lesions = validation.lesion_scores is not None
        held_out = open_comparison(validation.clean, validation.denoised, makers, lesions, ending=VALIDATION)
    import cv2

    cv2.setNumThreads(1)  # images already share the threads
    with ThreadPoolExecutor(threads) as pool:
        _write(images, functions, output, lesion_scores, planted, pool)
        if validation is not None and held_out is not None:
            _write(held_out, functions, validation.scores, validation.lesion_scores, None, pool)


def _write(
    images: Comparison,
    functions: dict[str, MetricFunction],
    output: str | os.PathLike[str],
    lesion_scores: str | os.PathLike[str] | None,
    planted: Comparison | None,
    pool: ThreadPoolExecutor,
) -> None:
    """Score images, and those with inserted lesions, and write the tables of images and of lesions."""
    scores = _score(images, functions, pool)
    further = _score(planted, {}, pool) if planted else []
    write_csv(output, _image_rows(images, scores), (*KEYS, *functions))
    if lesion_scores is not None:
        rows = [*_lesion_rows(images, scores), *(_lesion_rows(planted, further) if planted else ())]
        write_csv(lesion_scores, rows, (*LESION_KEYS, *LESION_METRICS))


def _functions(metrics: Sequence[str]) -> dict[str, MetricFunction]:
    """The functions of the metrics, in the order of columns."""
    known = image_metrics()
    for name in metrics:
        if name not in known:
            raise InputError(f"{name!r} is not a metric of images: {nearest(name, known)}")
    functions = {name: SCORES[name].function for name in in_order((*ALWAYS, *metrics))}
    return {name: function for name, function in functions.items() if function is not None}


def _score(comparison: Comparison, functions: dict[str, MetricFunction], pool: ThreadPoolExecutor) -> Found:
    return list(pool.map(lambda place: comparison.score(place, functions), range(len(comparison.index))))


def _image_rows(comparison: Comparison, found: Found) -> Iterator[dict[str, Any]]:
    for method in comparison.denoised:
        for entry, scores in zip(comparison.index, found, strict=True):
            values = {name: _text(value) for name, value in scores[method][0].items()}
            yield {"method": method, "image_id": entry["image_id"], "patient": entry["patient"], **values}


def _lesion_rows(comparison: Comparison, found: Found) -> Iterator[dict[str, Any]]:
    for method in comparison.denoised:
        for entry, scores in zip(comparison.index, found, strict=True):
            for lesion in comparison.table.get(entry["image_id"], ()):
                values = {name: _text(value) for name, value in scores[method][1][int(lesion["lesion"])].items()}
                yield {"method": method, **{key: lesion[key] for key in LESION_KEYS[1:]}, **values}


def _text(value: float) -> str:
    """A score in full precision, blank if it is not a number."""
    return "" if math.isnan(value) else repr(float(value))
