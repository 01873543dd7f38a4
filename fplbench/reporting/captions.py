"""What a run's config says about its tables and figures: labels, notes, and which figures there are, with their captions."""

from collections.abc import Sequence
from typing import Any

from fplbench.config import Config
from fplbench.config.sections import PAPER_METHODS
from fplbench.denoising.columns import TUNED_MARK, TUNED_SUFFIX, Column
from fplbench.reporting.labels import Labels
from fplbench.reporting.presentation import Presentation
from fplbench.reporting.sentences import listed, sentences

SHOWN_METHODS = ("fpl", "dpir", "wavelet", "filter_combination")
"""Methods of the paper's Figures 3 to 5, in the order of their panels."""


def presentation(config: Config | None, dataset: str = "") -> Presentation:
    """How the tables and figures of a data set, or of the whole run, are presented. No config gives the defaults."""
    if config is None:
        return Presentation()
    image = config.figures.image
    return Presentation(
        labels=labels_of(config),
        note=sentences(config.note, config.notes.get(dataset, "")),
        seed=config.seed,
        image=image.get(dataset) if isinstance(image, dict) else image,
        explanation=config.explanation.model_dump(mode="json"),
        metrics=tuple(config.tables.metrics),
        latex=tuple(config.tables.latex),
        protocol=protocol_of(config),
        reference=config.reference if config.reference in config.columns else None,
        partial=config.tables.partial,
    )


def protocol_of(config: Config) -> str:
    """What the protocol of a run gives its methods, in a sentence."""
    if config.protocol == "published":
        return "Published protocol: every method has fixed options, as in the paper."
    columns = [column for column in config.columns.values() if column.method is not None and column.method.cites is not None]
    tuned = [column for column in columns if column.tuned]
    mapped = [column for column in columns if column.grey_map]
    if not tuned and not mapped:
        others = [column for column in columns if config.training_of(column) is None]
        return "Fair protocol: methods have fixed options and no grey maps." if others else "Fair protocol."
    options, whose = _options(tuned, columns)
    maps = f"grey maps of {_whose(mapped, columns)}"
    if tuned == mapped:
        fitted = f"{options} and grey maps of {whose}"
    else:
        fitted = listed([*([f"{options} of {whose}"] if tuned else []), *([maps] if mapped else [])])
    return sentences(
        f"Fair protocol: the {fitted} are the best on training images of each noise"
        + ("" if tuned else "; options are fixed")
        + ("; maps are fitted for PSNR and can lower SSIM" if mapped else "; methods have no grey maps")
    )


def _options(tuned: Sequence[Column], columns: Sequence[Column]) -> tuple[str, str]:
    """What was tuned and for which methods, with the mark of tuned columns in one of the two."""
    if any(_is_filter(column) and not column.tuned for column in columns):
        return "options", f"methods marked {TUNED_MARK}"
    return f"options ({TUNED_MARK})", _whose(tuned, columns)


def _whose(chosen: Sequence[Column], columns: Sequence[Column]) -> str:
    """Some columns in a sentence: filters as one, if all of them are among these, and the others by label."""
    together = any(map(_is_filter, chosen)) and all(column in chosen for column in columns if _is_filter(column))
    single = [column for column in chosen if not (together and _is_filter(column))]
    return listed([*(["filters"] if together else []), *(column.label.removesuffix(TUNED_MARK).strip() for column in single)])


def _is_filter(column: Column) -> bool:
    return column.method is not None and column.method.weights is None


def labels_of(config: Config) -> Labels:
    """Labels of a run: those that the config gives data sets and columns override the usual ones."""
    datasets = {name: given["label"] for name, given in config.datasets.items() if given.get("label")}
    return Labels(
        datasets
        | {
            column.name: column.label
            for column in (*config.columns.values(), *config.fair_columns.values())
            if column.method is None or column.label != column.method.label or column.name != column.method.name
        }
    )


def denoisers(config: Config) -> list[str]:
    """The columns that denoise, that is, all but the unprocessed image."""
    return [name for name in config.columns if name != "noisy"]


def figure_methods(config: Config) -> list[str]:
    """The methods in a data set's figure, in the order of its panels.

    Those that the config names; else those of the paper's figures, then those that the paper does not have, or the first four.
    """
    if config.figures.methods is not None:
        return config.figures.methods
    found = denoisers(config)
    own = [name for name in found if name.removesuffix(TUNED_SUFFIX) not in (*PAPER_METHODS, "noisy_grey_map")]
    return [name for name in SHOWN_METHODS if name in found] + own or found[:4]


def figure_captions(config: Config) -> dict[str, str]:
    """Captions of the figures of a run, by the name of the figure: those of the whole run, then those of each data set."""
    first = labels_of(config).dataset(next(iter(config.datasets)))
    captions = {"noises": f"One test image of {first} with every noise"}
    if denoisers(config):
        captions["heat_map"] = (
            "By how much each method raises the mean PSNR of the unprocessed images, for each noise and data set"
            if "noisy" in config.columns
            else "Mean PSNR of each method, for each noise and data set"
        )
        captions["ranks"] = "How often each method has which rank, by PSNR and by SSIM, and how many rows it wins"
        captions["cost"] = "Mean PSNR over all noises, and the median time that a method takes for one image"
    if config.trains_fpl:
        shown = dict.fromkeys(labels_of(config).noise_title(config.figure_noise(name)) for name in config.datasets)
        captions["training"] = f"Training of the FPL denoisers on {listed([*shown])}"
    for name in config.datasets:
        label = labels_of(config).dataset(name)
        noise = labels_of(config).noise_title(config.figure_noise(name))
        captions |= {figure: f"{label}: {caption}" for figure, caption in _dataset_captions(config, name, noise).items()}
    return {name: sentences(caption) for name, caption in captions.items()}


def _dataset_captions(config: Config, name: str, noise: str) -> dict[str, str]:
    """Captions of the figures of a data set."""
    captions = {}
    if denoisers(config):
        captions[name] = f"one test image with {noise}"
        if config.explains:
            captions[f"{name}_features"] = f"feature maps of one test image with {noise}"
        captions[f"{name}_lesions"] = f"the largest annotated lesions in the test images, with {noise}"
        if name in (config.inserted.datasets or ()) and config.figure_noise(name) in config.inserted.noises:
            captions[f"{name}_inserted"] = f"inserted lesions, with {noise}"
        captions[f"{name}_recovery"] = "contrast recovery of lesions; 1 is right, below 1 they fade"
        if name in config.published:
            captions[f"{name}_paper"] = "published values and those of this run; the wrapped PSNR is for this comparison only"
    if any(column.grey_map for column in config.columns.values()):
        captions[f"{name}_grey_maps"] = "grey maps, fitted on training images, for each noise"
    return captions


def noise_levels(config: Config, dataset: str) -> dict[str, dict[str, Any]]:
    """Options of the noises of a run on a data set, by noise. A data set that the config does not name has no overrides."""
    if dataset not in config.datasets:
        return {
            noise: {name: value for name, value in options.items() if name != "datasets"}
            for noise, options in config.noises.items()
        }
    return {noise: config.noise_options(dataset, noise) for noise in config.noises_of(dataset)}


def sheet_captions(config: Config | None, datasets: Sequence[str]) -> dict[str, str]:
    """Captions of data sets on the sheet of all noises: the label, with the note of the data set if the config has one."""
    labels = Labels() if config is None else labels_of(config)
    notes = {} if config is None else config.notes
    return {dataset: ": ".join(filter(None, (labels.dataset(dataset), notes.get(dataset, "").strip()))) for dataset in datasets}
