"""Check a config at the start of a run; one sentence says what is wrong with it."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fplbench.config.checks import check_dataset, check_datasets, check_overrides, check_together, limit_of
from fplbench.config.models import Config
from fplbench.config.resolved import needs
from fplbench.errors import InputError
from fplbench.registry import parse_options

ACQUIRED = "as_acquired"
"""The noise of paired images."""
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
    config = _with_names(_with_pairs(parse_options(Config, values, "")))
    for noise in config.noises:
        check_datasets(config, noise)
    for dataset in config.datasets:
        check_dataset(config, dataset)
        config.dataset_options(dataset)
        check_overrides(config, dataset)
        for noise in config.noises:
            config.noise_options(dataset, noise)
    for training in {"restoration", "fpl", *config.training}:
        config.training_options(training)
    _ = config.columns, config.fair_columns, config.fits
    check_together(config)
    return config


def read_yaml(*paths: str | os.PathLike) -> Config:
    """Read config files in YAML as Snakemake does: keys of later files replace those of earlier ones, at every depth.

    Raises:
        InputError: a file cannot be read, is not YAML or holds no keys, or the config is wrong.
    """
    import yaml
    from snakemake.utils import update_config  # type: ignore[import-untyped]

    values: dict[str, Any] = {}
    for path in paths:
        try:
            found = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise InputError(f"The config {path} cannot be read: {error.strerror}. Check its name.") from None
        except (ValueError, yaml.YAMLError) as error:
            raise InputError(f"The config {path} is not a YAML file. {' '.join(str(error).split())}") from None
        if not isinstance(found, dict):
            raise InputError(f"The config {path} has no keys, such as `results: results/mine`; config/demo.yaml is an example.")
        update_config(values, found)
    return load_config(values)


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


def _with_pairs(config: Config) -> Config:
    """Give paired images the noise that they were acquired with. Where all images are paired, there is no other noise."""
    if len(config.unpaired) == len(config.datasets):
        return config
    others = {name: given for name, given in config.noises.items() if config.unpaired or needs(name) == "pair"}
    return config.model_copy(update={"noises": others | {ACQUIRED: config.noises.get(ACQUIRED, {})}})


def _with_names(config: Config) -> Config:
    """Fill in the noises and data sets that a section left out."""
    everywhere = [name for name in config.noises if not limit_of(config, name)]
    usual = "gaussian" if "gaussian" in everywhere else next(iter(everywhere or config.noises), "gaussian")
    common = [usual] if usual in everywhere else []  # none where every noise is limited to some data sets
    windowed = [] if needs(usual) else common  # noises of images that lesions and signals were inserted into
    return config.model_copy(
        update={
            "feature_error": list(config.noises) if config.feature_error is None else config.feature_error,
            "generalisation": everywhere if config.generalisation is None else config.generalisation,
            "figures": config.figures.model_copy(update={"noise": config.figures.noise or usual}),
            "ablation": config.ablation.model_copy(
                update={"noises": config.ablation.noises or windowed, "datasets": config.ablation.datasets or config.compared}
            ),
            "detectability": config.detectability.model_copy(update={"noises": config.detectability.noises or windowed}),
            "fair": config.fair.model_copy(update={"noises": config.fair.noises or _usual(config) or [usual]}),
            "inserted": config.inserted.model_copy(update={"datasets": _ct(config)}),
            "calibration": config.calibration.model_copy(update={"datasets": config.calibration.datasets or config.published}),
        }
    )


def _usual(config: Config) -> list[str]:
    """The noises of the fair comparison where the config does not say: one that averages out, one that does not, a real one."""
    return [name for name in ("gaussian", "structured", ACQUIRED) if name in config.noises]


def _ct(config: Config) -> list[str]:
    """The data sets that lesions are inserted into."""
    ct = [name for name in config.datasets if config.dataset(name).hounsfield and not config.dataset(name).paired]
    for name in config.inserted.datasets or ():
        if name in config.datasets and name not in ct:
            raise InputError(f"inserted.datasets names {name!r}, but lesions can be inserted into CT images only.")
    return ct if config.inserted.datasets is None else config.inserted.datasets
