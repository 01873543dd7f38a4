"""Write the explorer of a data set: one HTML page with its images, feature maps, lesions and scores."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fplbench.config import Config
from fplbench.config.sections import ExplorerOptions
from fplbench.errors import InputError, nearest
from fplbench.files import write_text
from fplbench.noise.window import index_window
from fplbench.reporting.captions import presentation
from fplbench.reporting.explorer.features import read_features
from fplbench.reporting.explorer.lesion_scores import lesion_values
from fplbench.reporting.explorer.lesions import shown_lesions
from fplbench.reporting.explorer.notes import means_notes, storage_note
from fplbench.reporting.explorer.pixels import CLEAN, page_pixels
from fplbench.reporting.explorer.scores import check_scores, page_scores, read_means
from fplbench.reporting.labels import UNPROCESSED, Labels
from fplbench.reporting.lesion_scores import read_lesion_scores
from fplbench.reporting.presentation import Presentation
from fplbench.reporting.repeats import read_dataset
from fplbench.reporting.scores import NoiseScores
from fplbench.reporting.sentences import sentences
from fplbench.reporting.sharing import sharing_note
from fplbench.reporting.shown import shown_images
from fplbench.reporting.stacks import open_stack
from fplbench.reporting.tables import REFERENCE
from fplbench.stacks import read_index

PathLike = str | os.PathLike[str]


def write_explorer(output: PathLike, data: Mapping[str, Any]) -> None:
    """Write a page, .html, that shows the data that `explorer_data` gives."""
    from fplbench.reporting.web import bundle_page

    write_text(output, bundle_page(data))


def explorer_data(
    clean: PathLike,
    scores: PathLike,
    dataset: str,
    *,
    noisy: PathLike,
    denoised: PathLike,
    features: PathLike | None = None,
    means: PathLike | None = None,
    lesion_scores: PathLike | None = None,
    config: Config | None = None,
) -> dict[str, Any]:
    """What the page of a data set shows, as JSON values.

    Args:
        clean: the clean test stack, with its index and, if it has any, its lesions.
        scores: long table with the scores of all test images.
        dataset: name of the data set.
        noisy: folder with {noise}/{split}.npy; the name of the file is that of the clean stack.
        denoised: folder with {noise}/{method}.npy, of all images or, from `fplbench keep-shown`, of those that the page shows.
        features: folder with {noise}.npz, as `fplbench feature-scores --maps` writes them; None for none.
        means: the table of the data set, tables/{dataset}.csv, for the means of scores of lesions; None for none.
        lesion_scores: folder with {noise}.csv, the scores of each lesion; None for none.
        config: the config of the run, for the noises, the methods, their labels and the number of images. Without it, these are
            the noises and methods that have scores and denoised stacks.

    Raises:
        InputError: a file is missing or malformed, or the scores or a stack are of other images than the clean stack.
    """
    images = open_stack(clean)
    index = read_index(clean, len(images))
    ids = [row["image_id"] for row in index]
    found = read_dataset(scores, dataset)
    shown = presentation(config, dataset)
    noises, columns = _noises_and_columns(found, shown.labels, config, dataset, denoised)
    check_scores(scores, found, noises, columns, ids, shown.partial)
    positions = shown_images(clean, (config.explorer if config else ExplorerOptions()).images)
    methods = [CLEAN, UNPROCESSED, *(name for name in columns if name != UNPROCESSED)]
    height, width = images.shape[1:]
    shown_ones = [
        {"id": ids[position], "patient": index[position]["patient"], "position": position, "lesions": lesions}
        for position, lesions in zip(positions, shown_lesions(clean, ids, positions), strict=True)
    ]
    maps = {} if features is None else read_features(features, noises, methods, positions, (height, width))
    real, inserted = (read_lesion_scores(lesion_scores, noises, kind) if lesion_scores else {} for kind in (False, True))
    values = lesion_values(lesion_scores, noises, ids) if lesion_scores else {}
    page = page_scores(found, noises, methods[1:], shown.metrics, ids, read_means(means, dataset) if means else {}, values)
    return {
        **_heading(dataset, config, shown),
        "storage": storage_note(shown_ones, bool(maps), any(scores.repeats for scores in found.values())),
        "reference": _reference(shown, methods),
        "window": index_window(index),
        "noises": [_noise(name, shown.labels) for name in noises],
        "start": _start(config, noises, maps),
        "methods": [{"name": name, "label": "Clean" if name == CLEAN else shown.labels.method(name)} for name in methods],
        "images": shown_ones,
        "height": height,
        "width": width,
        "pixels": page_pixels(clean, noisy, denoised, noises, methods, positions, shown.partial),
        "features": maps,
        "scores": page,
        "notes": means_notes(dataset, shown, found, page, Path(clean).with_name("sampling.json"), real, inserted),
    }


def _noise(name: str, labels: Labels) -> dict[str, str]:
    return {"name": name, "label": labels.noise(name), "title": labels.noise_title(name)}


def _noises_and_columns(
    scores: Mapping[str, NoiseScores], labels: Labels, config: Config | None, dataset: str, denoised: PathLike
) -> tuple[list[str], list[str]]:
    """The noises and the columns of a data set, in the order of the tables."""
    if config is not None:
        if dataset not in config.datasets:
            raise InputError(f"The config has no data set {dataset!r}: {nearest(dataset, config.datasets)}")
        return labels.noises(config.noises_of(dataset)), labels.methods(config.columns)
    cells = [
        (noise, name)
        for noise, found in scores.items()
        for name in found.values["psnr"]
        if Path(denoised, noise, f"{name}.npy").exists()
    ]
    if not cells:
        raise InputError(f"{denoised} has no denoised stacks, {{noise}}/{{method}}.npy, of the methods that were scored.")
    return labels.noises({noise for noise, _ in cells}), labels.methods(name for _, name in cells)


def _heading(dataset: str, config: Config | None, shown: Presentation) -> dict[str, str]:
    """The name of the data set and the texts of the page."""
    label = shown.labels.dataset(dataset)
    return {
        "dataset": dataset,
        "label": label,
        "title": f"{label}: test images before and after denoising",
        "about": sentences(config.notes.get(dataset, "")) if config else "",
        "note": shown.note,
        "licence": sharing_note(config, dataset),
    }


def _start(config: Config | None, noises: Sequence[str], maps: Mapping[str, Any]) -> str:
    """The noise that the page shows first: that of the figures, else the first one with feature maps, else the first one."""
    wanted = [config.figures.noise] if config and config.figures.noise else []
    return next(noise for noise in (*wanted, *maps, *noises) if noise in noises)


def _reference(shown: Presentation, methods: Sequence[str]) -> str:
    """The method that is compared with the others; the first one that denoises where that is not a column."""
    wanted = shown.reference or REFERENCE
    return wanted if wanted in methods else [*methods, UNPROCESSED][2]
