"""What the reference method wins and loses in the fair comparison, in sentences and a table of leads."""

import os
from collections.abc import Iterator, Sequence

from fplbench.config.fair import CONTROLS
from fplbench.datasets.annotations import count
from fplbench.denoising.columns import TUNED_MARK
from fplbench.files import write_text
from fplbench.reporting.cells import Cell, Lead
from fplbench.reporting.fair import BEST_FILTER
from fplbench.reporting.labels import METRICS, heading, sign
from fplbench.reporting.lesion_scores import INSERTED
from fplbench.reporting.markdown import aligned, plain
from fplbench.reporting.missing import missing_note
from fplbench.reporting.seeds import trainings
from fplbench.reporting.sentences import listed, sentences
from fplbench.reporting.statistics import MINIMUM_SEEDS, MINIMUM_UNITS
from fplbench.reporting.tables import Table

RECOVERY = ("recovery_error", f"{INSERTED}recovery_error")
TOLD = ("psnr", "ssim", *RECOVERY, "feature_error")
"""The metrics that are told in sentences, where they are shown."""
VERBS = {"loses to": -1, "is about equal to": 0, "beats": 1}
"""What the reference does to columns, by what came out."""


def write_fair_summary(output: str | os.PathLike[str], tables: Sequence[Table]) -> None:
    """Write what came out of the fair comparison as Markdown: a section for each table.

    Args:
        output: the Markdown file to write.
        tables: the tables, from `fair_table`.
    """
    write_text(output, "\n\n".join(fair_summary(table) for table in tables) + "\n")


def fair_summary(table: Table) -> str:
    """The section of a table: over how many patients and trainings, what is won and lost on each noise, and all leads."""
    lines = [plain(f"## {table.title}"), plain(sentences(_patients(table), trainings(table))), *_sections(table)]
    return "\n\n".join(line for line in lines if line)


def _sections(table: Table) -> Iterator[str]:
    told = [metric for metric in TOLD if metric in table.shown_blocks]
    noises = table.labels.noises({noise for metric in told for noise in table.blocks[metric]})
    yield plain(_count(table))
    for noise in noises:
        items = [text for metric in told if (text := _item(table, metric, noise))]
        if items:
            yield f"**{table.labels.noise_title(noise)}**"
            yield plain("\n".join(items))
    rows = _leads(table, told, noises)
    if len(rows) > 1:
        yield plain(_legend(table, told))
        yield aligned(rows, 1)


def _patients(table: Table) -> str:
    """How far the numbers reach."""
    images = count(table.images, "test image")
    text = f"The numbers are means over {images}{table.facts.whose(table.patients)}"
    if not table.facts.persons_known:
        return f"{text}."
    if table.patients == 1:
        return f"The numbers are means over {images} of one patient and say nothing about others."
    if table.patients < MINIMUM_UNITS:
        return f"{text}, too few for intervals: with other patients, small leads may turn around."
    return f"{text}."


def _count(table: Table) -> str:
    """On how many noises the reference has the higher PSNR than each column, and on how many about the same."""
    noises = [noise for noise, row in table.blocks.get("psnr", {}).items() if table.reference in row]
    found: dict[tuple[int, int, int], list[str]] = {}
    for name in table.methods:
        compared = [noise for noise in noises if name in table.blocks["psnr"][noise]]
        outcomes = [_outcome(table, "psnr", noise, name) for noise in compared]
        if name != table.reference and outcomes:
            found.setdefault((outcomes.count(1), outcomes.count(0), len(outcomes)), []).append(_label(table, name))
    groups = [
        f"{won} of {count(number, 'noise')}{f', about equal on {equal},' if equal else ''} against {listed(names)}"
        for (won, equal, number), names in sorted(found.items())
    ]
    return _starting(f"{_name(table)} has the higher PSNR on {'; on '.join(groups)}.") if groups else ""


def _outcome(table: Table, metric: str, noise: str, name: str) -> int:
    """Whether the reference beats a column (1), loses to it (-1), or is about equal to it (0).

    It is if both have the same printed number, or if the interval of its lead holds 0.
    """
    cells = table.blocks[metric][noise]
    own, other, lead = cells[table.reference].mean, cells[name].mean, cells[name].lead
    if _number(metric, own) == _number(metric, other) or (lead is not None and lead.low <= 0 <= lead.high):
        return 0
    return 1 if sign(metric) * (own - other) > 0 else -1


def _item(table: Table, metric: str, noise: str) -> str:
    """The score of the reference on a noise, and which columns it loses to, equals and beats."""
    cells = table.blocks[metric].get(noise, {})
    if table.reference not in cells or len(cells) < 2:
        return ""
    own = cells[table.reference].mean
    nearest = sorted(cells.keys() - {table.reference}, key=lambda name: (abs(cells[name].mean - own), name))
    groups = {verb: [name for name in nearest if _outcome(table, metric, noise, name) == won] for verb, won in VERBS.items()}
    outcomes = [
        f"{verb} {listed([f'{_label(table, name)} ({_number(metric, cells[name].mean)})' for name in names])}"
        for verb, names in groups.items()
        if names
    ]
    unit = f" {METRICS[metric].unit}" if METRICS[metric].unit else ""
    less = ", where less is better" if sign(metric) < 0 else ""
    return f"- {_words(table, metric)}{less}: {_name(table)} has {_number(metric, own)}{unit}. It {'. It '.join(outcomes)}."


def _words(table: Table, metric: str) -> str:
    """What a metric is called in a sentence, with the number of lesions that it was measured on."""
    if metric not in RECOVERY:
        return METRICS[metric].label
    kind = "inserted lesion" if metric.startswith(INSERTED) else "lesion"
    scores = table.inserted if metric.startswith(INSERTED) else table.lesions
    lesions = f"{kind}s"
    if scores is not None and scores.scored:
        lesions = f"one {kind} ({count(scores.images, 'image')})" if scores.scored == 1 else count(scores.scored, kind)
    return f"Error of the contrast recovery of {lesions}"


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


def _legend(table: Table, metrics: Sequence[str]) -> str:
    controls = "The U-Net is FPL's network, trained without FPL's loss" if set(CONTROLS) & set(table.methods) else ""
    compared = [(metric, noise, name) for metric in metrics for noise, row in _rows(table, metric) for name in row]
    equal = any(_outcome(table, *place) == 0 for place in compared if place[2] != table.reference)
    what = "the printed numbers are the same, or the interval of the lead holds 0"
    return sentences(
        f"Leads of {_name(table)}, positive where it is better",
        _intervals(table, metrics),
        f"About equal: {what}" if equal else "",
        controls,
        *table.details,
        missing_note(table, metrics),
    )


def _intervals(table: Table, metrics: Sequence[str]) -> str:
    """What the intervals are over, and why some columns have none; "" where none has."""
    drawn: dict[str, list[str]] = {}
    missing: list[str] = []
    for metric in metrics:
        leads = [any(cell.lead for cell in row.values()) for _, row in _rows(table, metric)]
        if any(leads):
            drawn.setdefault(_units(table, metric), []).append(METRICS[metric].label)
        if not all(leads):
            missing.append(table.units[metric].name)
    if not drawn:
        return ""
    named = [f"{units} ({listed(labels)})" if len(drawn) > 1 else units for units, labels in drawn.items()]
    text = f"In brackets: 95 % intervals over {listed(named)}"
    few = " or ".join(dict.fromkeys(missing))
    return f"{text}; columns without brackets have none, as they have fewer than {MINIMUM_UNITS} {few}" if few else text


def _units(table: Table, metric: str) -> str:
    """What the intervals of a metric are over, such as "20 patients"."""
    units = table.units[metric]
    inserted = "inserted " if metric.startswith(INSERTED) and units.name == "lesions" else ""
    whose = " of one patient" if units.name == "lesions" else ""
    seeds = max(table.seeds.values(), default=1)
    trained = f" and {seeds} training seeds" if seeds >= MINIMUM_SEEDS else ""
    return f"{units.count} {inserted}{units.name}{whose}{trained}"


def _rows(table: Table, metric: str) -> list[tuple[str, dict[str, Cell]]]:
    """The rows of a block in which the reference was scored."""
    return [(noise, row) for noise, row in table.blocks[metric].items() if table.reference in row]


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
    """What the reference is called in a sentence."""
    return _label(table, table.reference)


def _starting(sentence: str) -> str:
    """A sentence that starts with a capital letter, unless it starts with a label."""
    return f"The {sentence[4:]}" if sentence.startswith("the ") else sentence


def _number(metric: str, value: float) -> str:
    """A score with one digit more than in tables, unless it is in dB."""
    digits = METRICS[metric].digits + (METRICS[metric].unit != "dB")
    return f"{value:.{digits}f}".replace("-", "−")
