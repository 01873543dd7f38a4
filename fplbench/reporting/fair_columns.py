"""The columns of the fair comparison: what each one is, and which ones are in the table of a budget."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fplbench.config import Config
from fplbench.config.columns import left_out
from fplbench.config.fits import SAME_SECONDS, fit_name
from fplbench.denoising.columns import Budget, Column
from fplbench.denoising.registry import Method
from fplbench.errors import InputError
from fplbench.reporting.columns import method_of
from fplbench.reporting.labels import Labels
from fplbench.reporting.sentences import sentences
from fplbench.training import TRAININGS, Training

FIRST_COLUMNS = ("noisy", "noisy_grey_map", "fpl", "residual_same_steps", "residual_same_seconds")
"""The unprocessed image, FPL, and its network without its loss; they are in the tables of both budgets."""
BUDGETS: Mapping[Budget, str] = {"steps": "FPL's number of steps", "seconds": "FPL's seconds"}

QUOTED = r"^'\w+' (?=needs )"
"""How a reason names the method that it is about."""


@dataclass(frozen=True)
class Kind:
    """What a column is.

    Attributes:
        method: the method that runs; None if that is not known, or a rule file makes the column.
        training: the training of its network, for a network that learns the noise in this run; else None.
        budget: the budget of that training; None without one.
    """

    method: Method | None
    training: Training | None = None
    budget: Budget | None = None

    @property
    def is_filter(self) -> bool:
        """Whether the method has no weights, and does more than leave the image as it is."""
        return self.method is not None and self.method.weights is None and self.method.cites is not None


def kinds(names: Iterable[str], config: Config | None = None) -> dict[str, Kind]:
    """What each column is: as the config has it, or by its name where there is no config or it does not have the column."""
    known = {} if config is None else config.columns | config.fair_columns
    return {name: _of_config(known[name], config) if config and name in known else _of_name(name) for name in names}


def columns_of(found: Mapping[str, Kind], budget: Budget, labels: Labels) -> list[str]:
    """The columns of the table of a budget, in order, without the filters.

    Raises:
        InputError: there is no network beside FPL, or none with this budget.
    """
    others = [name for name, kind in found.items() if name not in (*FIRST_COLUMNS, "dpir") and not kind.is_filter]
    kept = labels.methods(name for name in others if found[name].budget in (None, budget))
    columns = [*(name for name in FIRST_COLUMNS if name in found), *kept, *(name for name in ("dpir",) if name in found)]
    networks = [name for name in columns if found[name].training]
    if networks in ([], ["fpl"]) or budget not in {found[name].budget for name in networks}:
        raise InputError(
            f"There are no scores of networks with {BUDGETS[budget]}: run `snakemake fair`, or give another --budget."
        )
    return columns


def plain_labels(columns: Sequence[str], found: Mapping[str, Kind], labels: Labels) -> dict[str, str]:
    """Labels of the peers that have FPL's seconds, without the words that say so, as the caption has the budget."""
    peers = [name for name in columns if name not in FIRST_COLUMNS and found[name].budget == "seconds"]
    return {
        name: labels.own[name].removesuffix(", same seconds")
        if name in labels.own
        else labels.method(name.removesuffix(SAME_SECONDS))
        for name in peers
    }


def absent_note(found: Mapping[str, Kind], budget: Budget, labels: Labels, config: Config) -> str:
    """Which columns the config wants that were not scored, as they cannot be made here, each with the reason; "" if none."""
    reasons = {name: why for name, why in left_out(config).items() if name not in found}
    twins = {name for name in reasons if name.endswith(SAME_SECONDS) and name not in FIRST_COLUMNS}
    others = twins if budget == "steps" else {name for name in reasons if fit_name(name, "seconds") in twins - {name}}
    named = [
        f"{labels.method(name.removesuffix(SAME_SECONDS) if name in twins else name)} ({_clause(why)})"
        for name, why in reasons.items()
        if name not in others
    ]
    return sentences(f"Not in this table: {'; '.join(named)}") if named else ""


def _clause(reason: str) -> str:
    """A reason without the name that it starts with and its full stop."""
    text = re.sub(QUOTED, "", reason).removesuffix(".")
    return text[0].lower() + text[1:]


def _of_config(column: Column, config: Config) -> Kind:
    training = config.training_of(column)
    if training is None or "noise" not in training.per:
        return Kind(column.method)
    return Kind(column.method, training, column.budget)


def _of_name(name: str) -> Kind:
    method = method_of(name)
    training = TRAININGS[method.weights] if method is not None and method.weights is not None else None
    if training is None or "noise" not in training.per:
        return Kind(method)
    return Kind(method, training, "seconds" if name.endswith(SAME_SECONDS) else "steps")
