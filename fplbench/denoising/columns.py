"""The section `methods` of a config: which methods run, under which name, with which options, tuned or not."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import Field

from fplbench.denoising.grey_map import Kind
from fplbench.denoising.registry import GROUPS, METHODS, Budget, Method
from fplbench.errors import InputError
from fplbench.options import Options
from fplbench.registry import parse_options

Tune = bool | Literal["both"]
GreyMap = bool | Kind
FAIR_GROUP = "fair_"
"""What the names of the jobs of the fair comparison begin with."""
TUNED_SUFFIX = "_tuned"
TUNED_MARK = "†"
"""What stands behind the labels of tuned columns."""


class EntryOptions(Options):
    """Keys of an entry beside the method's own options."""

    method: str | None = Field(None, description="Name of the method, if it is not that of the entry.")
    label: str | None = Field(None, min_length=1, description="Column heading; null: the method's own.")
    tune: Tune | None = Field(None, description="The config's key tune, for this entry alone.")
    grey_map: GreyMap | None = Field(None, description="The config's key grey_map, for this entry alone.")
    budget: Budget | None = Field(
        None, description="For a network that is trained here: as many steps as FPL, or as many as take FPL's seconds."
    )
    optional: bool = Field(False, description="Leave the column out, instead of stopping, where its packages cannot be used.")
    rule: bool = Field(False, description="A rule of your own, named denoise_{entry}, makes the denoised stack.")


@dataclass(frozen=True)
class Column:
    """One column of the tables.

    Attributes:
        name: the name in files and rules.
        label: the column heading.
        method: the method that runs; None if a rule file makes the denoised stack.
        options: the options as the user gave them, without weights and device; tuning keeps these.
        place: weights and device, if the user gave them.
        tuned: whether the other options are first chosen on training images.
        grey_map: kind of the grey map that is fitted on training images and applied after the method; None for none.
        budget: how long a network that is trained here trains: for FPL's steps, or for FPL's seconds.
        optional: whether the column is left out where its packages cannot be used.
    """

    name: str
    label: str
    method: Method | None
    options: Mapping[str, Any]
    place: Mapping[str, Any]
    tuned: bool = False
    grey_map: Kind | None = None
    budget: Budget = "steps"
    optional: bool = False

    @property
    def fitted(self) -> bool:
        """Whether anything is chosen on training images before the method runs."""
        return self.tuned or self.grey_map is not None


def select(
    entries: Mapping[str, Mapping[str, Any] | None], tune: Tune = False, grey_map: GreyMap = False, section: str = "methods"
) -> dict[str, Column]:
    """Read the section `methods`.

    Args:
        entries: by name, the method's options and the keys of `EntryOptions`; None is an entry without any.
        tune: true tunes every method that declares a grid; "both" has it tuned and with its defaults, side by side.
        grey_map: whether each method gets a grey map, and of which kind; true is a monotone one. Networks that are trained on
            the noise, and the unprocessed image, get none unless their entry says so.
        section: the section of the config, for messages.

    Returns:
        The columns by name, in the order of the entries; a tuned twin follows its entry, its name ending in "_tuned".

    Raises:
        InputError: a name, method, key or value is not valid; the sentence names it with its dotted key.
    """
    selected: dict[str, Column] = {}
    for name, values in entries.items():
        for column in _of_entry(f"{section}.{name}", name, dict(values or {}), tune, grey_map):
            if column.name in GROUPS or column.name.startswith(FAIR_GROUP):
                raise InputError(f"{section}.{column.name} has the name of a group of methods: give the entry another name.")
            if column.name in selected:
                raise InputError(f"{section}.{column.name} would appear twice: give one of the two another name.")
            selected[column.name] = column
    labels: dict[str, str] = {}
    for column in selected.values():
        other = labels.setdefault(column.label, column.name)
        if other != column.name:
            raise InputError(
                f"{section}.{other} and {section}.{column.name} have the same label, {column.label!r}: give one another `label`."
            )
    return selected


def grouped(columns: Mapping[str, Column]) -> dict[str, list[Column]]:
    """Columns by the name of the job that they run in: the method's group, or the column's own name where it runs alone.

    Columns made by a rule file are left out.
    """
    groups: dict[str, list[Column]] = {}
    for column in columns.values():
        if column.method is not None:
            group = column.name if column.method.group == "alone" else column.method.group
            groups.setdefault(group, []).append(column)
    return groups


def _of_entry(where: str, name: str, values: dict[str, Any], tune: Tune, grey_map: GreyMap) -> list[Column]:
    """The column of an entry, or the two."""
    if not re.fullmatch(r"\w+", name):
        raise InputError(f"{where} is used in names of files and rules: use letters, digits and underscores.")
    given = {key: values.pop(key) for key in EntryOptions.model_fields if key in values}
    entry = parse_options(EntryOptions, given, where)
    if entry.rule:
        return [_from_rule(name, entry, values, where)]
    method = _method(entry.method or name, where)
    parse_options(method.options, values, where)
    place: dict[str, Any] = {key: values.pop(key) for key in ("weights", "device") if key in values}
    label = entry.label or method.label
    mapped = _kind(entry.grey_map if entry.grey_map is not None else _usual_map(method, grey_map))
    plain = Column(
        name, label, method, values, place, grey_map=mapped, budget=entry.budget or method.budget, optional=entry.optional
    )
    if not set(method.grid) - set(values):
        if entry.tune:
            raise InputError(f"{where}.tune is {entry.tune!r}, but the method has no option left to choose.")
        return [plain]
    tune = tune if entry.tune is None else entry.tune
    if tune == "both":
        untuned = replace(plain, grey_map=None)
        return [untuned, replace(plain, name=f"{name}{TUNED_SUFFIX}", label=f"{label}{TUNED_MARK}", tuned=True)]
    return [replace(plain, label=f"{label}{TUNED_MARK}", tuned=True) if tune else plain]


def _usual_map(method: Method, grey_map: GreyMap) -> GreyMap:
    """Whether a method gets a grey map where its entry does not say: not if it is a network that has learned the noise."""
    if method.grey_map is not None:
        return method.grey_map
    return grey_map if method.weights is None or method.grid else False


def _kind(grey_map: GreyMap) -> Kind | None:
    return ("monotone" if grey_map is True else grey_map) or None


def _from_rule(name: str, entry: EntryOptions, values: Mapping[str, Any], where: str) -> Column:
    unsuited = [key for key in ("method", "tune", "grey_map", "budget") if getattr(entry, key)]
    if values or unsuited:
        wrong = [*values, *unsuited][0]
        raise InputError(f"{where}.{wrong} cannot be combined with rule: the options of a rule belong in its rule file.")
    if name in METHODS:
        raise InputError(f"{where}: {name!r} is the name of a method; give the rule another name.")
    return Column(name, entry.label or name, None, {}, {})


def _method(name: str, where: str) -> Method:
    try:
        return METHODS[name]
    except InputError as error:
        raise InputError(f"{where}: {error} If a rule of yours makes its stack, set rule: true.") from None
