"""Sentences about how the rivals of the reference method were chosen."""

from collections.abc import Iterator, Sequence

from fplbench.reporting.sentences import sentences
from fplbench.reporting.tables import Table
from fplbench.reporting.verdicts import rivals


def choice_note(tables: Sequence[Table], metrics: Sequence[str]) -> str:
    """How the rivals in some blocks of some tables were chosen, in one or two sentences; "" if there are none.

    Args:
        tables: the tables.
        metrics: the blocks.
    """
    found = {table.dataset: [(metric, rival) for metric in metrics for rival in rivals(table, metric)] for table in tables}
    on_test = [name for name, chosen in found.items() if any(rival.chosen_on == "test" for _, rival in chosen)]
    validated = [(metric, rival) for chosen in found.values() for metric, rival in chosen if rival.chosen_on == "validation"]
    parts = []
    if validated:
        other = any(metric != rival.chosen_by for metric, rival in validated)
        by = ", by PSNR where the score is not taken there" if other else ""
        parts.append(f"The rival of a row is the other method with the best score on validation images{by}")
    if on_test:
        unless = f" on {', '.join(tables[0].labels.dataset(name) for name in on_test)}" if validated else ""
        parts.append(
            f"The rival of a row{unless} is the best other method on the test images themselves, as there are no scores of "
            "validation images; this favours the rival"
        )
    absent = [label for table in tables for label in _never_chosen(table)]
    if validated and absent:
        parts.append(f"Without scores of validation images, and so never a rival: {', '.join(dict.fromkeys(absent))}")
    return sentences(*parts)


def _never_chosen(table: Table) -> Iterator[str]:
    """Labels of the columns that have scores of test images, but not of validation images where others have them."""
    for noise, cells in table.blocks.get("psnr", {}).items():
        scored = table.validation.get(noise, {}).get("psnr", {})
        missing = [name for name in cells if scored and name not in scored and name != table.reference]
        yield from (table.labels.method(name) for name in missing)
