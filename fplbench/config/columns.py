"""The columns of a run: which methods run, as the protocol has it, and where their weights come from."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fplbench.config.fits import fit_name, missing_seconds
from fplbench.denoising.columns import Column, select
from fplbench.errors import InputError
from fplbench.training import TRAININGS

if TYPE_CHECKING:
    from fplbench.config.models import Config


def table_columns(config: "Config") -> dict[str, Column]:
    """The columns of the tables.

    Raises:
        InputError: an entry is not valid, or fits something on training images under the published protocol.
    """
    return _usable(config, _selected(config, "methods"))


def fair_columns(config: "Config") -> dict[str, Column]:
    """The columns of the fair comparison that are not in the tables; with the budget of seconds, learned methods twice."""
    return _usable(config, _wanted(config))


def _wanted(config: "Config") -> dict[str, Column]:
    """The columns of the fair comparison that are not in the tables, those that cannot be made here among them."""
    if config.protocol != "fair":
        return {}
    found = {name: column for name, column in _selected(config, "fair.methods").items() if name not in config.columns}
    learned = [column for column in [*config.columns.values(), *found.values()] if _has_budget(config, column)]
    for column in learned if "seconds" in config.fair.budgets else ():
        name = fit_name(column.name, "seconds")
        found.setdefault(name, replace(column, name=name, label=f"{column.label}, same seconds", budget="seconds"))
    return found


def _has_budget(config: "Config", column: Column) -> bool:
    """Whether a column is a network with FPL's steps, which may have FPL's seconds too."""
    training = config.training_of(column)
    return training is not None and "noise" in training.per and training.name != "fpl" and column.budget == "steps"


def left_out(config: "Config") -> dict[str, str]:
    """Why optional columns are left out, by name."""
    columns = [*_selected(config, "methods").values(), *_wanted(config).values()]
    return {column.name: why for column in columns if column.optional and (why := _unusable(config, column))}


def check_packages(columns: Iterable[Column]) -> None:
    """Raise InputError where a column needs a package that cannot be used."""
    for column in columns:
        if column.method is not None and (why := column.method.unusable()):
            raise InputError(f"methods.{column.name}: {why} With `optional: true` the column is left out instead.")


def check_weights(config: "Config") -> None:
    """Raise InputError where a column takes its weights from a file that does not exist."""
    for name, column in {**config.columns, **config.fair_columns}.items():
        path = config.weights_of(column)
        if path and not Path(path).exists():
            training = TRAININGS[column.method.weights] if column.method and column.method.weights else None
            remedy = "."
            if training is not None and training.published:
                remedy = (
                    f": get it with `fplbench fetch {training.name} {path}`, or train one: leave methods.{name}.weights out "
                    f"and put {training.name} under training."
                )
            raise InputError(f"The weight file {path} of methods.{name}.weights does not exist{remedy}")


def _selected(config: "Config", section: str) -> dict[str, Column]:
    """The columns of a section, methods or fair.methods."""
    fair = config.protocol == "fair"
    entries = config.methods if section == "methods" else config.fair.methods
    tune = fair if config.tune is None else config.tune
    grey_map = fair if config.grey_map is None else config.grey_map
    found = select(entries, tune, grey_map, section)
    for column in found.values():
        _check_budget(config, column, section)
    if not fair and (what := next(_of_fair_alone(config, found), None)):
        raise InputError(
            f"{what}, but under protocol: published every method runs with fixed options, as in the paper: set protocol: fair."
        )
    return found


def _check_budget(config: "Config", column: Column, section: str) -> None:
    """Raise InputError where a budget of seconds means nothing."""
    training = config.training_of(column)
    suited = training is not None and "noise" in training.per and training.name != "fpl"
    if column.budget == "seconds" and not suited:
        raise InputError(
            f"{section}.{column.name}.budget is seconds, which is for networks other than FPL that are trained on each noise."
        )


def _of_fair_alone(config: "Config", columns: Mapping[str, Column]) -> Iterator[str]:
    """What a config has that only the fair protocol allows, as clauses."""
    for key in ("tune", "grey_map"):
        if value := getattr(config, key):
            yield f"{key} is {value}"
    for column in columns.values():
        if column.tuned or column.grey_map:
            yield f"methods.{column.name} {'is tuned' if column.tuned else 'has a grey map'}"
        if column.budget == "seconds":
            yield f"methods.{column.name} has a budget of seconds"


def _usable(config: "Config", columns: Mapping[str, Column]) -> dict[str, Column]:
    return {name: column for name, column in columns.items() if not (column.optional and _unusable(config, column))}


def _unusable(config: "Config", column: Column) -> str | None:
    """Why a column cannot be made here."""
    why = column.method.unusable() if column.method is not None else None
    training = config.training_of(column) if column.budget == "seconds" else None
    return why or (missing_seconds(config, training.name) if training else None)
