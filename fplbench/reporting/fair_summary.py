"""What the reference method wins and loses in the fair comparison, in sentences and a table of leads."""

import os
from collections.abc import Iterator, Sequence

from fplbench.datasets.annotations import count
from fplbench.denoising.columns import TUNED_MARK
from fplbench.files import write_text
from fplbench.reporting.cells import Lead
from fplbench.reporting.fair import BEST_FILTER
from fplbench.reporting.labels import METRICS, heading, sign
from fplbench.reporting.markdown import aligned
from fplbench.reporting.sentences import listed, sentences
from fplbench.reporting.statistics import MINIMUM_UNITS
from fplbench.reporting.tables import Table

LOSS = ("residual_same_steps", "residual_same_seconds")
"""The controls that tell what FPL's loss does: its network without it."""
WORDS = {
    "recovery_error": "Error of the contrast recovery of lesions",
    "inserted_recovery_error": "Error of the contrast recovery of inserted lesions",
}
"""What metrics are called in sentences."""
TOLD = ("psnr", "ssim", "recovery_error", "inserted_recovery_error", "feature_error")
"""The metrics that are told in sentences, where they are shown."""


def write_fair_summary(output: str | os.PathLike[str], tables: Sequence[Table]) -> None:
    """Write what came out of the fair comparison as Markdown: a section for each table.

    Args:
        output: the Markdown file to write.
        tables: the tables, from `fair_table`.
    """
    write_text(output, "\n\n".join(fair_summary(table) for table in tables) + "\n")


def fair_summary(table: Table) -> str:
    """The section of a table: over how many patients, what is won and lost on each noise, and all leads."""
    lines = [f"## {table.title}", _patients(table), *_sections(table)]
    return "\n\n".join(line for line in lines if line)


def _sections(table: Table) -> Iterator[str]:
    told = [metric for metric in TOLD if metric in table.shown_blocks]
    noises = table.labels.noises({noise for metric in told for noise in table.blocks[metric]})
    yield _count(table)
    for noise in noises:
        items = [text for metric in told if (text := _item(table, metric, noise))]
        if items:
            yield f"**{table.labels.noise_title(noise)}**"
            yield "\n".join(items)
    rows = _leads(table, told, noises)
    if len(rows) > 1:
        yield _legend(table)
        yield aligned(rows, 1)


def _patients(table: Table) -> str:
    """How far the numbers reach."""
    images = count(table.images, "test image")
    if not table.facts.persons_known:
        return f"The numbers are means over {images}; which of them show the same person is not known."
    if table.patients == 1:
        return (
            f"The numbers are means over {images} of one patient and say nothing about others, with whom small leads may "
            "turn around."
        )
    text = f"The numbers are means over {images} of {table.patients} patients"
    if table.patients < MINIMUM_UNITS:
        return f"{text}, too few for intervals: with other patients, small leads may turn around."
    return f"{text}."


def _count(table: Table) -> str:
    """On how many noises the reference has the higher PSNR than each column."""
    rows = [row for row in table.blocks.get("psnr", {}).values() if table.reference in row]
    found: dict[tuple[int, int], list[str]] = {}
    for name in table.methods:
        gaps = [row[table.reference].mean - row[name].mean for row in rows if name in row]
        if name != table.reference and gaps:
            found.setdefault((sum(gap > 0 for gap in gaps), len(gaps)), []).append(_label(table, name))
    groups = [f"{won} of {count(number, 'noise')} against {listed(names)}" for (won, number), names in sorted(found.items())]
    return f"{_name(table)} has the higher PSNR on {'; on '.join(groups)}." if groups else ""


def _item(table: Table, metric: str, noise: str) -> str:
    """The score of the reference on a noise, and which columns it loses to and beats."""
    cells = table.blocks[metric].get(noise, {})
    if table.reference not in cells or len(cells) < 2:
        return ""
    own = cells[table.reference].mean
    gaps = {name: sign(metric) * (own - cell.mean) for name, cell in cells.items() if name != table.reference}
    nearest = sorted(gaps, key=lambda name: abs(gaps[name]))
    groups = {
        "loses to": [name for name in nearest if gaps[name] < 0],
        "equals": [name for name in nearest if gaps[name] == 0],
        "beats": [name for name in nearest if gaps[name] > 0],
    }
    outcomes = [
        f"{verb} {listed([f'{_label(table, name)} ({_number(metric, cells[name].mean)})' for name in names])}"
        for verb, names in groups.items()
        if names
    ]
    unit = f" {METRICS[metric].unit}" if METRICS[metric].unit else ""
    less = ", of which less is better" if sign(metric) < 0 else ""
    title = f"{WORDS.get(metric, METRICS[metric].label)}{less}"
    return f"- {title}: {_name(table)} has {_number(metric, own)}{unit}. It {'. It '.join(outcomes)}."


def _leads(table: Table, metrics: Sequence[str], noises: Sequence[str]) -> list[list[str]]:
    """A table with a row for each column, and the lead of the reference over it on each noise and metric."""
    shown = [(noise, metric) for noise in noises for metric in metrics if table.reference in table.blocks[metric].get(noise, {})]
    rows = [["", *(f"{table.labels.noise(noise)}: {heading(metric)}" for noise, metric in shown)]]
    for name in table.methods:
        if name != table.reference:
            rows.append([_label(table, name), *(_lead(table, metric, noise, name) for noise, metric in shown)])
    return rows


def _lead(table: Table, metric: str, noise: str, name: str) -> str:
    cells = table.blocks[metric][noise]
    if name not in cells:
        return "–"
    lead: Lead | None = cells[name].lead
    value = sign(metric) * (cells[table.reference].mean - cells[name].mean)
    digits = METRICS[metric].digits + 1
    bounds = f" [{lead.low:+.{digits}f} to {lead.high:+.{digits}f}]" if lead else ""
    return f"{value:+.{digits}f}{bounds}".replace("-", "−")


def _legend(table: Table) -> str:
    name = _name(table)
    drawn = any(cell.lead for block in table.blocks.values() for row in block.values() for cell in row.values())
    intervals = ", with their 95 % intervals" if drawn else ""
    controls = "The U-Net is FPL's network, trained without FPL's loss" if set(LOSS) & set(table.methods) else ""
    return sentences(f"Leads of {name}, positive where it is better{intervals}", controls, *table.details)


def _label(table: Table, name: str) -> str:
    """What a column is called in a sentence."""
    words = {
        "noisy": "the unprocessed image",
        "noisy_grey_map": "the unprocessed image with a grey map",
        "residual_same_steps": "the U-Net with as many steps",
        "residual_same_seconds": "the U-Net with as many seconds",
        BEST_FILTER: "the best filter",
    }
    return words.get(name) or table.labels.method(name).removesuffix(TUNED_MARK).strip()


def _name(table: Table) -> str:
    return "FPL" if table.reference == "fpl" else table.labels.method(table.reference)


def _number(metric: str, value: float) -> str:
    """A score with one digit more than in tables, unless it is in dB."""
    digits = METRICS[metric].digits + (METRICS[metric].unit != "dB")
    return f"{value:.{digits}f}".replace("-", "−")
