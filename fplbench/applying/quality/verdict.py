"""What a quality page says first: what to be warned of, and the main results."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fplbench.applying.quality import sentences
from fplbench.applying.quality.summary import EdgeSummary, SpectrumSummary, TissueSummary
from fplbench.applying.quality.tissues import SOFT_TISSUE
from fplbench.applying.scan import Facts
from fplbench.reporting import html
from fplbench.reporting.sentences import listed

SHIFT = 2.0  # HU; of a tissue's mean value
NOTHING = "None of the checks found anything to warn of."
NO_CHECKS = "Nothing could be checked, as too few values are within the window, or none was changed."
NO_EDGES = "It could not be checked whether the change follows edges."
MARKED = "background: var(--bad); padding: .1rem 1rem .6rem"


@dataclass(frozen=True)
class Measures:
    """What was measured of a scan.

    Attributes:
        tissues: those that it has.
        spectrum: None if no slice has a uniform patch.
        edges: None if no slice could be measured.
    """

    tissues: Sequence[TissueSummary]
    spectrum: SpectrumSummary | None
    edges: EdgeSummary | None


def verdict(facts: Facts, about: Mapping[str, Any], measures: Measures, write: sentences.Write) -> str:
    """Warnings, set off by their colour, and the main results, as HTML.

    Args:
        facts: of the scan.
        about: as `write_quality_page` has it.
        measures: of the scan.
        write: function from a value to a text with its unit.
    """
    found = warnings(facts, about, measures, write)
    if found:
        above = html.element("div", html.text("h3", "Warnings"), _list(found), style=MARKED)
    else:
        above = html.text("p", NOTHING if measures.tissues or measures.edges else NO_CHECKS)
    results = findings(measures, facts.hounsfield, write)
    return above + (html.text("h3", "Main results") + _list(results) if results else "")


def warnings(facts: Facts, about: Mapping[str, Any], measures: Measures, write: sentences.Write) -> list[str]:
    """Results that speak against the denoised scan, warnings of the run, and notes on the scan, each once."""
    edges = measures.edges
    found = [_shifts(measures.tissues, write)] if facts.hounsfield and _shifted(measures.tissues) else []
    found += [sentences.edge_sentence(edges)] if edges and sentences.follows_edges(edges) else []
    found += [sentences.large_sentence(edges)] if edges and sentences.has_many_large(edges) else []
    found += [about["noise"]] if about.get("noise_outside") else []
    return list(dict.fromkeys([*found, *about.get("warnings", ()), *facts.notes]))


def findings(measures: Measures, hounsfield: bool, write: sentences.Write) -> list[str]:
    """The main results that are no warnings, one sentence each."""
    found = []
    with_noise = [row for row in measures.tissues if row.noise]
    shown = max(with_noise, key=lambda row: (row.tissue.name == SOFT_TISSUE, row.slices), default=None)
    if shown and shown.noise:
        before, after = shown.noise
        change = f"{write(before)} to {write(after)}{_percent(before, after)}"
        found.append(f"{shown.tissue.label}: the fine noise went from {change}.")
    if measures.spectrum:
        found.append(_deviations(measures.spectrum, write))
    if measures.tissues and not (hounsfield and _shifted(measures.tissues)):
        most = max(measures.tissues, key=lambda row: abs(row.shift))
        found.append(f"Of the mean values by tissue, that of {most.tissue.label.lower()} moved most: by {write(most.shift)}.")
    return found + _edge_findings(measures)


def _edge_findings(measures: Measures) -> list[str]:
    edges = measures.edges
    if edges is None:
        return [NO_EDGES] if measures.tissues else []
    found = [] if sentences.follows_edges(edges) else [sentences.edge_sentence(edges)]
    return found if sentences.has_many_large(edges) else [*found, sentences.large_sentence(edges)]


def _deviations(spectrum: SpectrumSummary, write: sentences.Write) -> str:
    before, after = spectrum.deviations
    few = sentences.few_patches(spectrum)
    return (
        f"In uniform patches the standard deviation went from {write(before)} to {write(after)}{_percent(before, after)}, at all "
        f"frequencies together{f'; {few}' if few else ''}."
    )


def _shifted(tissues: Sequence[TissueSummary]) -> list[TissueSummary]:
    """The tissues whose mean moved by more than 2 HU, as the table writes it."""
    return [row for row in tissues if round(abs(row.shift), 1) > SHIFT]


def _shifts(tissues: Sequence[TissueSummary], write: sentences.Write) -> str:
    moved = listed([f"that of {row.tissue.label.lower()} by {write(row.shift)}" for row in _shifted(tissues)])
    return f"Mean values shifted by more than {SHIFT:g} HU: {moved}. A denoiser should leave them as they are."


def _list(items: Sequence[str]) -> str:
    return html.element("ul", *(html.text("li", item) for item in items))


def _percent(before: float, after: float) -> str:
    return f" ({100 * (after / before - 1):+.0f} %)".replace("-", "−") if before > 0 else ""
