"""Check a config at the start of a run; one sentence says what is wrong with it."""

import importlib.util
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fplbench.config.models import Config
from fplbench.config.sections import PAPER_DATASETS
from fplbench.datasets import DATASETS
from fplbench.errors import InputError, nearest
from fplbench.noise import NOISES
from fplbench.registry import parse_options
from fplbench.scoring.registry import SCORES, image_metrics
from fplbench.training import TRAININGS
from fplbench.training.denoiser import DenoiserOptions
from fplbench.training.explained import check_gradient

EVERYWHERE = ("figures.noise", "generalisation", "ablation.noises", "detectability.noises")
"""Keys whose noises have to be on every data set."""
NAMED = ("datasets", "noises", "methods", "training")
"""Sections that map names to options."""


def load_config(values: Mapping[str, Any]) -> Config:
    """Check a config and fill in its defaults.

    Args:
        values: the config as read from YAML.

    Returns:
        The config.

    Raises:
        InputError: one sentence on the first problem: the dotted key, and the nearest valid one.
    """
    values = {key: value for key, value in values.items() if value is not None}
    for section in NAMED:
        if section in values:
            values[section] = _by_name(section, values[section])
    if isinstance(values.get("fair"), Mapping):
        values["fair"] = {key: value for key, value in values["fair"].items() if value is not None}
        if "methods" in values["fair"]:
            values["fair"]["methods"] = _by_name("fair.methods", values["fair"]["methods"])
    config = _with_names(parse_options(Config, values, ""))
    for noise in config.noises:
        _check_datasets(config, noise)
    for dataset in config.datasets:
        config.dataset_options(dataset)
        _check_overrides(config, dataset)
        for noise in config.noises:
            config.noise_options(dataset, noise)
    for training in {"restoration", "fpl", *config.training}:
        config.training_options(training)
    _ = config.columns, config.fair_columns, config.fits
    _check_together(config)
    return config


def read_config(path: str | os.PathLike) -> Config:
    """Read a resolved config, which the workflow writes beside the results.

    Raises:
        InputError: the file is missing or not a config.
    """
    try:
        values = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"The config {path} does not exist.") from None
    except ValueError as error:
        raise InputError(f"{path} is not a JSON file: {error}.") from None
    if not isinstance(values, dict):
        raise InputError(f"{path} is not a config: it does not hold a JSON object.")
    return load_config(values)


def _by_name(section: str, entries: Any) -> dict[str, Any]:
    """A section as a mapping of name to options; a plain list of names takes their default options."""
    if isinstance(entries, list) and all(isinstance(entry, str) for entry in entries):
        if len(set(entries)) != len(entries):
            raise InputError(f"{section} names {next(e for e in entries if entries.count(e) > 1)!r} twice.")
        return {name: {} for name in entries}
    if not isinstance(entries, Mapping):
        raise InputError(
            f"{section} is {entries!r}. It maps names to options, as in {section}: {{NAME: {{}}}}, or is a list of names, as in "
            f"{section}: [NAME]."
        )
    return {str(name): options or {} for name, options in entries.items()}


def _with_names(config: Config) -> Config:
    """Fill in the noises and data sets that a section left out."""
    everywhere = [name for name in config.noises if not _limit(config, name)]
    usual = "gaussian" if "gaussian" in everywhere else next(iter(everywhere or config.noises), "gaussian")
    published = [name for name in config.datasets if name in PAPER_DATASETS]
    return config.model_copy(
        update={
            "feature_error": list(config.noises) if config.feature_error is None else config.feature_error,
            "generalisation": everywhere if config.generalisation is None else config.generalisation,
            "figures": config.figures.model_copy(update={"noise": config.figures.noise or usual}),
            "ablation": config.ablation.model_copy(update={"noises": config.ablation.noises or [usual]}),
            "detectability": config.detectability.model_copy(
                update={"noises": config.detectability.noises or ([usual] if not _from_hu(usual) else [])}
            ),
            "fair": config.fair.model_copy(update={"noises": config.fair.noises or _usual_pair(config) or [usual]}),
            "inserted": config.inserted.model_copy(update={"datasets": _ct(config)}),
            "calibration": config.calibration.model_copy(update={"datasets": config.calibration.datasets or published}),
        }
    )


def _limit(config: Config, noise: str) -> list[str]:
    """The data sets that a noise is limited to; none where it is on all."""
    limit = config.noises[noise].get("datasets") or list(config.datasets)
    return limit if {*limit} != {*config.datasets} else []


def _from_hu(noise: str) -> bool:
    return noise in NOISES and NOISES[noise].needs == "hu"


def _usual_pair(config: Config) -> list[str]:
    """The noises of the fair comparison where the config does not say: one that averages out, and one that does not."""
    return [name for name in ("gaussian", "structured") if name in config.noises]


def _ct(config: Config) -> list[str]:
    """The data sets that lesions are inserted into."""
    ct = [name for name in config.datasets if name in DATASETS and DATASETS[name].scans]
    for name in config.inserted.datasets or ():
        if name in config.datasets and name not in ct:
            raise InputError(f"inserted.datasets names {name!r}, but lesions can be inserted into CT images only.")
    return ct if config.inserted.datasets is None else config.inserted.datasets


def _check_overrides(config: Config, dataset: str) -> None:
    own = config.datasets[dataset].get("noises") or {}
    for noise in own:
        if noise not in config.noises:
            raise InputError(f"datasets.{dataset}.noises.{noise} has no counterpart under noises: add {noise} there too.")


def _check_datasets(config: Config, noise: str) -> None:
    """Raise InputError where a noise is limited to data sets that there are not, or needs CT and is not limited to it."""
    names = config.noises[noise].get("datasets", list(config.datasets))
    if not isinstance(names, list) or not names:
        raise InputError(f"noises.{noise}.datasets is {names!r}; it is a list of data sets, such as [lidc].")
    for name in names:
        _check_named(config, f"noises.{noise}.datasets", str(name), "datasets")
    if _from_hu(noise):
        other = next((name for name in names if name in DATASETS and not DATASETS[name].scans), None)
        if other:
            raise InputError(
                f"noises.{noise} is made from Hounsfield units, which {other} does not have: limit it to CT, as in "
                f"noises.{noise}.datasets: [lidc]."
            )
        for key, names in (("inserted", config.inserted.noises), ("detectability", config.detectability.noises)):
            if noise in (names or ()):
                raise InputError(
                    f"{key}.noises names {noise!r}, which needs Hounsfield units; lesions and signals are inserted into windowed "
                    "images."
                )


def _check_together(config: Config) -> None:
    """Raise InputError where sections do not fit each other."""
    if config.sampling.size % 16:
        raise InputError(f"sampling.size is {config.sampling.size}: the U-Net needs a multiple of 16.")
    if not (config.datasets and config.noises and config.methods):
        raise InputError("datasets, noises and methods each need at least one name.")
    if not any(column.method for column in config.columns.values()):
        raise InputError("methods names rules of yours alone: add noisy, the unprocessed image, beside them.")
    _check_metrics(config)
    _check_fair(config)
    for fit in config.fits.values():
        options = parse_options(fit.training.options, fit.options, f"training.{fit.training.name}, in FPL's seconds")
        if isinstance(options, DenoiserOptions) and (fit.training.name != "fpl" or config.trains_fpl):
            check_gradient(options, config.explanation)
    for key, names, section in (
        ("feature_error", config.feature_error, "noises"),
        ("ablation.noises", config.ablation.noises, "noises"),
        ("generalisation", config.generalisation, "noises"),
        ("detectability.noises", config.detectability.noises, "noises"),
        ("fair.noises", config.fair.noises, "noises"),
        ("inserted.noises", config.inserted.noises, "noises"),
        ("inserted.datasets", config.inserted.datasets, "datasets"),
        ("figures.noise", [config.figures.noise], "noises"),
        ("calibration.datasets", config.calibration.datasets, "datasets"),
        ("notes", config.notes, "datasets"),
    ):
        for name in names or ():
            _check_named(config, key, str(name), section)
            if key in EVERYWHERE and (limit := _limit(config, str(name))):
                raise InputError(f"{key} names {name!r}, which is limited to {', '.join(limit)}: name a noise of all.")


def _check_fair(config: Config) -> None:
    """Raise InputError where the fair comparison cannot be made as the config has it."""
    fair = config.fair
    for key in ("seconds_per_step", "steps"):
        for name in getattr(fair, key):
            if name not in TRAININGS:
                raise InputError(f"fair.{key} names {name!r}, which is not a training: {nearest(name, TRAININGS)}")
    if len({*fair.budgets}) < len(fair.budgets):
        raise InputError("fair.budgets names a budget twice.")
    if config.protocol == "fair" and "seconds" in fair.budgets and not (fair.seconds_per_step or fair.steps):
        raise InputError(
            "fair.budgets has seconds, but fair.seconds_per_step is empty: `fplbench step-seconds --config CONFIG` prints it."
        )
    if not fair.methods:
        raise InputError("fair.methods needs at least one name.")
    for name, entry in fair.methods.items():
        if entry.get("rule"):
            raise InputError(f"fair.methods.{name} has rule: true; the column of a rule belongs under methods.")
        if name in config.methods and {*entry} - {"optional"}:
            raise InputError(f"fair.methods.{name} is under methods too: give its options there.")


def _check_metrics(config: Config) -> None:
    """Raise InputError where a key names a metric that is not known, or that images alone cannot be scored by."""
    for name in config.metrics:
        if name not in image_metrics():
            raise InputError(f"metrics names {name!r}, which is not a score of images: {nearest(name, image_metrics())}")
    if "vif" in config.metrics and importlib.util.find_spec("sewar") is None:
        raise InputError("metrics names 'vif', which needs the package sewar: install it with `pip install -e '.[vif]'`.")
    for key, names in {"tables.metrics": config.tables.metrics, "tables.latex": config.tables.latex}.items():
        for name in names:
            if name not in SCORES:
                raise InputError(f"{key} names {name!r}, which is not a metric: {nearest(name, SCORES)}")


def _check_named(config: Config, key: str, name: str, section: str) -> None:
    """Raise InputError where a key names a noise or data set that the config does not have."""
    known = getattr(config, section)
    if name not in known:
        close = nearest(name, known) if len(known) > 3 else f"it has {', '.join(known)}."
        raise InputError(
            f"{key} names {name!r}, which is not under {section}: {close} A section {section} replaces the paper's list; to "
            f"add to a list, give two files: --configfile config/config.yaml yours.yaml."
        )
