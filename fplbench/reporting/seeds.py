"""Sentences about the seeds that networks were trained with, and what intervals say about other seeds."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fplbench.reporting.columns import is_trained
from fplbench.reporting.statistics import MINIMUM_SEEDS, MINIMUM_UNITS

if TYPE_CHECKING:
    from fplbench.reporting.cells import Cell
    from fplbench.reporting.tables import Table


def trainings(table: "Table") -> str:
    """With how many seeds the networks of a table were trained; "" if there are none."""
    networks = [name for name in table.methods if is_trained(name) or name in table.seeds]
    if not networks:
        return ""
    if not table.seeds:
        return "Each network was trained once, with one seed"
    number = max(table.seeds.values())
    once = [table.labels.method(name) for name in networks if name not in table.seeds]
    if not once:
        return f"Each network was trained with {number} seeds; the means are over all of its trainings"
    several = ", ".join(table.labels.method(name) for name in table.seeds)
    return f"Trained with {number} seeds, with means over all trainings: {several}; trained once: {', '.join(once)}"


def seed_notes(table: "Table", metrics: Sequence[str]) -> list[str]:
    """What the intervals of some metrics say about other seeds: a paragraph, or none without networks or intervals.

    Args:
        table: the table.
        metrics: the metrics that are shown.
    """
    units = [table.units[metric] for metric in metrics if metric in table.units]
    drawn = [found for found in units if found.count >= MINIMUM_UNITS]
    if not table.seeds:
        networks = any(is_trained(name) for name in table.methods)
        once = "Networks were trained once: intervals and verdicts do not tell what another training seed would give."
        return [once] if drawn and networks else []
    number, names = max(table.seeds.values()), "; ".join(table.labels.method(name) for name in table.seeds)
    if number < MINIMUM_SEEDS:
        text = f"Seeds ({names}): the lowest and the highest mean of {number} trainings, too few for an interval over seeds."
        also = " Their intervals are those of the mean over these trainings and do not tell what other seeds would give."
        return [text + also if drawn else text]
    over = " or ".join(dict.fromkeys(found.name for found in drawn))
    found = []
    if drawn:
        found.append(
            f"Networks with several trainings ({names}): their intervals and p-values are for other seeds and other {over}; the "
            f"bootstrap draws {over}, and the means of the {number} seeds are taken to be normal"
        )
    if len(drawn) < len(units):
        also = "Elsewhere" if drawn else names
        found.append(
            f"{also}: the 95 % intervals are Student's, over {number} training seeds on the same images; they say nothing about "
            "other patients"
        )
    return [f"{'. '.join(found)}."]


def spread(cell: "Cell") -> tuple[float, float] | None:
    """What shows how far the trainings of a method differ: its interval, if that is over seeds, or else their range."""
    if cell.over != "units" and cell.low is not None and cell.high is not None:
        return cell.low, cell.high
    if cell.least is not None and cell.most is not None:
        return cell.least, cell.most
    return None


def spread_note(table: "Table", metrics: Sequence[str]) -> str:
    """What `spread` is in a table, for a sentence; "" if no method has several trainings."""
    if not table.seeds:
        return ""
    number = max(table.seeds.values())
    if number < MINIMUM_SEEDS:
        return f"the lowest and the highest mean of the {number} trainings"
    units = [table.units[metric] for metric in metrics if metric in table.units]
    names = " or ".join(dict.fromkeys(found.name for found in units if found.count >= MINIMUM_UNITS))
    few = any(found.count < MINIMUM_UNITS for found in units)
    over = f"seeds and {names}, or over seeds alone" if names and few else f"seeds and {names}" if names else "seeds"
    return f"the 95 % interval over {over}" + (
        ", which says nothing about other patients"
        if not names
        else f" where there are fewer than {MINIMUM_UNITS}"
        if few
        else ""
    )
