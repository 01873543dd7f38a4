"""The jobs of `snakemake`, the default target, by rule; and the networks that it trains."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fplbench.config.fits import Fit, fit_name, with_repeats
from fplbench.denoising.columns import grouped
from fplbench.noise import NOISES
from fplbench.planning.images import inserted_cells
from fplbench.reporting.captions import denoisers, figure_captions

if TYPE_CHECKING:
    from fplbench.config import Config

# The rules of the figures whose names are not those of the rules.
FIGURE_RULES = {
    "noises": "noise_figure",
    "heat_map": "heat_map",
    "ranks": "rank_figure",
    "training": "training_figure",
    "cost": "cost",
}
DATASET_FIGURES = {
    "": "figure",
    "_features": "feature_figure",
    "_lesions": "lesion_figure",
    "_inserted": "inserted_figure",
    "_recovery": "recovery_figure",
    "_grey_maps": "grey_map_figure",
}


@dataclass(frozen=True)
class Networks:
    """Networks that are trained alike.

    Attributes:
        fit: the training, with its options.
        count: number of networks.
    """

    fit: Fit
    count: int


def stack_names(config: "Config") -> list[str]:
    """The denoised stacks of a cell: one for each column, and for each repeat of a column that is trained here."""
    return list(with_repeats(config.columns.values(), config))


def networks(config: "Config") -> dict[str, Networks]:
    """The networks that are trained, by the name of their rule's files: those of the columns, and those that are explained."""
    found: dict[str, Networks] = {}
    for column in config.columns.values():
        if training := config.training_of(column):
            name = fit_name(training.name, column.budget)
            found[name] = _networks(config, name, config.repeats)
    if config.explains and "restoration" not in found:
        found["restoration"] = _networks(config, "restoration", 1)
    return found


def explained(config: "Config") -> list[str]:
    """The data sets whose clean images are explained, for the trainings that compare features."""
    needed = [network.fit.training.needs(network.fit.options) for network in networks(config).values()]
    return list(config.datasets) if any("features" in inputs for inputs in needed) else []


def count_jobs(config: "Config") -> dict[str, int]:
    """Number of jobs of each rule of the default target, in the order of the stages; rules without jobs are left out.

    Jobs that write config.json and `all` itself, which compute nothing, are left out.
    """
    return {rule: number for rule, number in _jobs(config) if number}


def _networks(config: "Config", name: str, repeats: int) -> Networks:
    fit = config.fits[name]
    places = len(config.cells()) if "noise" in fit.training.per else len(config.datasets)
    return Networks(fit, places * repeats)


def _jobs(config: "Config") -> Iterator[tuple[str, int]]:
    datasets, cells, inserted = len(config.datasets), len(config.cells()), inserted_cells(config)
    sampled = [_sampling_rule(config, name) for name in config.datasets]
    for rule in dict.fromkeys(sampled):
        yield rule, sampled.count(rule)
    yield "insert_lesions", len(dict(inserted))
    yield "synthesize_noise", cells
    yield "add_noise_to_inserted", len(inserted)
    for name, network in networks(config).items():
        yield f"train_{name}", network.count
    yield "explain_clean_images", len(explained(config))
    for group in grouped(config.columns):
        yield f"denoise_{group}", cells - len(inserted)
        yield f"denoise_{group}_inserted", len(inserted)
    for column in config.columns.values():
        if column.method is None:
            yield f"denoise_{column.name}", cells
    yield "score", cells
    yield "score_features", len(config.cells(config.feature_error))
    yield "collate_dataset", datasets
    yield "collate", 1
    yield from _figures(config)
    yield "paper_comparison", len(config.published)
    for rule in ("table", "explorer"):
        yield rule, datasets
    if not denoisers(config):  # else it draws a figure
        yield "cost", 1
    for rule in ("lesion_summary", "manifest", "report"):
        yield rule, 1


def _sampling_rule(config: "Config", dataset: str) -> str:
    if dataset not in config.unpaired:
        return "sample_pairs"
    needs = {NOISES[noise].needs for noise in config.noises_of(dataset)}
    return "sample_hounsfield" if "hu" in needs else "sample_images"


def _figures(config: "Config") -> Iterator[tuple[str, int]]:
    figures = figure_captions(config)
    for name, rule in FIGURE_RULES.items():
        yield rule, int(name in figures)
    for ending, rule in DATASET_FIGURES.items():
        yield rule, sum(f"{dataset}{ending}" in figures for dataset in config.datasets)


def total(jobs: Mapping[str, int]) -> int:
    """The number of all jobs."""
    return sum(jobs.values())
