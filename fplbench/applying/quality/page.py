"""The quality page of a denoised scan."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from fplbench.applying.quality import sentences
from fplbench.applying.quality.charts import has_spikes, histogram_chart, spectrum_chart, strip_chart
from fplbench.applying.quality.crops import crop_figures
from fplbench.applying.quality.spectrum import SIDE
from fplbench.applying.quality.summary import (
    CROPS,
    SOFT_CROPS,
    EdgeSummary,
    SpectrumSummary,
    TissueSummary,
    histogram,
    largest_crops,
    summarise_edges,
    summarise_spectra,
    summarise_tissues,
)
from fplbench.applying.quality.tissue_table import tissue_table
from fplbench.applying.quality.tissues import SOFT_TISSUE, soft_window, tissues_of
from fplbench.applying.quality.verdict import Measures, verdict
from fplbench.applying.quality.whole_slice import slice_figures
from fplbench.applying.scan import Facts
from fplbench.files import write_text
from fplbench.networks.card import Card
from fplbench.networks.card_text import NOT_CLINICAL, describe_images
from fplbench.reporting import html

CONTENTS = {
    "short": "In short", "slice": "One slice", "glance": "At a glance", "tissues": "By tissue", "spectrum": "Noise power",
    "removed": "What was removed", "crops": "Largest changes", "along": "Along the scan",
}  # fmt: skip
TOGETHER = ("glance", "tissues", "along")  # each shares a sheet of paper with the part above it
PATCHES = (
    "Radial average over {patches:,} flat patches of {side} × {side} pixels in {tissue}, in {slices} {word}, the median over the "
    "slices. A polynomial of the second order is subtracted from each patch (AAPM TG-233, ICRU Report 87), and a Hann window is "
    "applied. Anatomy that is left in the patches adds power at low frequencies, before and after."
)
READING = (
    "A denoiser that takes the same share at all frequencies keeps the texture of the image; one that takes the high "
    "frequencies leaves blotches."
)
EDGES = (
    "Correlation of the size of the change with the gradient of the denoised image within each tissue: {correlation}; with the "
    "gradient 17 pixels away, which shows what uneven noise alone gives: {displaced}. If only noise is removed, they differ by "
    "less than 0.1. Compared with its surroundings, the change at the steepest tenth of the places is {ratio} times that at the "
    "flattest half. {meaning}"
)
NOT_MEASURED = (
    "Whether the change follows edges cannot be told: too few values are well within the window, or most changes are no larger "
    "than the steps in which the values change."
)
LARGEST = (
    "Before, after, and the difference after minus before. These are the parts of slices whose change is largest after it is "
    "averaged over 4 × 4 pixels, so it is more likely structure than noise; the number is its mean size over 16 × 16 pixels."
)
ANYWHERE = "At the model's window."
BODY = "Within the body, without table, air and skin; at the model's window."
SOFT = "Only places in soft tissue, as in the table by tissue, count. They are shown at {window}, a window in which it is seen."
EIGHT_BIT = "The method works on 8 bit, so values change in steps of {step} {unit}: hence the spikes and gaps of the histogram."
SPIKES = "Spikes and gaps come from steps in which values change, as in methods that work on 8 bit and in files of whole numbers."
OTHERS = " Places that are shown above are left out."


def write_quality_page(
    path: str | os.PathLike[str], facts: Facts, about: Mapping[str, Any], slices: Sequence[Mapping[str, Any]]
) -> None:
    """Write the quality page of a denoised scan: one .html file that needs no other.

    Args:
        path: the page.
        facts: of the scan.
        about: model, the label of the model; window, the lowest and highest value that it changes; and where there are any: card
            (`fplbench.networks.card.Card`, or its values), digest, version (of fplbench), options, a text, eight_bit, whether the
            method works on 8 bit, noise, a sentence on that of the scan, noise_outside, whether it is outside that of the
            training images, and warnings, a list of sentences.
        slices: what `slice_statistics` returned for each slice, in any order.
    """
    write_text(path, quality_page(facts, about, slices))


def quality_page(facts: Facts, about: Mapping[str, Any], slices: Sequence[Mapping[str, Any]]) -> str:
    """The page as text; see `write_quality_page`."""
    slices = sorted(slices, key=lambda found: found["number"])
    low, high = about["window"]
    write = _writer(facts)
    unit = _unit(facts)
    measured = [each for each in slices if each["measured"]]
    tissues = summarise_tissues(slices, tissues_of((low, high), facts.hounsfield))
    spectrum, edges = summarise_spectra(slices, facts.spacing), summarise_edges(slices)
    parts = {
        "short": verdict(facts, about, Measures(tissues, spectrum, edges), write),
        "slice": _slice(slices, facts, (low, high), unit),
        "glance": _glance(facts, about, unit, (len(measured), len(slices))),
        "tissues": tissue_table(tissues, (low, high), facts.hounsfield, unit, len(measured)),
        "spectrum": _spectrum(facts, spectrum, unit),
        "removed": _removed(slices, about, unit, edges),
        "crops": _crops(slices, facts, (low, high), unit),
        "along": _along(measured, tissues, unit),
    }
    parts = {name: part for name, part in parts.items() if part}
    body = [
        html.text("h2", CONTENTS[name], id=name, class_="first" if name in (*TOGETHER, next(iter(parts))) else "") + part
        for name, part in parts.items()
    ]
    body.insert(0, html.element("p", html.text("strong", NOT_CLINICAL)))
    title = sentences.heading(facts.label, about["model"])
    return html.page(title, "".join(body), {name: CONTENTS[name] for name in parts})


def _slice(slices: Sequence[Mapping[str, Any]], facts: Facts, window: tuple[float, float], unit: str) -> str:
    """The pictures of the slice that has some."""
    shown = next((each for each in slices if each.get("pictures")), None)
    if shown is None:
        return ""
    name = facts.names[shown["number"]] if facts.names else ""
    return slice_figures(shown["number"], shown["pictures"], window, unit, name)


def _unit(facts: Facts) -> str:
    return "HU" if facts.hounsfield else "units"


def _writer(facts: Facts) -> sentences.Write:
    return lambda value: f"{sentences.plain(value, facts.hounsfield)} {_unit(facts)}"


def _glance(facts: Facts, about: Mapping[str, Any], unit: str, counts: tuple[int, int]) -> str:
    card = about.get("card")
    card = Card.model_validate(card) if isinstance(card, Mapping) else card
    digest = f", digest {about['digest'][:12]}" if about.get("digest") else ""
    made = f", fplbench {about['version']}" if about.get("version") else ""
    rows = {
        "Scan": sentences.scan_sentence(facts),
        "Model": f"{about['model'].rstrip('.')}{digest}{made}.",
        **({"Options": str(about["options"])} if about.get("options") else {}),
        "Trained on": describe_images(card),
        "Window": sentences.window_sentence(tuple(about["window"]), unit, card),
    }
    rows |= {"Noise": about["noise"]} if about.get("noise") else {}
    rows |= {"Measured": sentences.measured_sentence(*counts)} if counts[0] < counts[1] else {}
    described = "".join(html.text("dt", title) + html.text("dd", words) for title, words in rows.items())
    return html.element("dl", described, class_="glance")


def _spectrum(facts: Facts, found: SpectrumSummary | None, unit: str) -> str:
    if found is None:
        return html.text("p", f"No slice has a flat patch of {SIDE} × {SIDE} pixels of uniform tissue, so it was not measured.")
    length = "mm" if facts.spacing else "pixel"
    where = "soft tissue" if facts.hounsfield else "one third of the window"
    word = "slice" if found.slices == 1 else "slices"
    caption = PATCHES.format(patches=found.patches, side=SIDE, tissue=where, slices=found.slices, word=word)
    few = sentences.few_patches(found)
    caution = f" Caution: {few}." if few else ""
    words = html.text("figcaption", f"{caption} {READING}{caution}")
    figure = html.element("figure", spectrum_chart(found, unit, length), words)
    heads = (f"Frequency, {length}⁻¹", f"Before, {unit}² {length}²", "After", "After / before")
    head = [html.text("th", name, scope="col") for name in heads]
    rows = [
        html.text("td", f"{frequency:.3f}") + html.text("td", f"{before:.3g}") + html.text("td", f"{after:.3g}")
        + html.text("td", f"{after / before:.3f}" if before > 0 else "–")
        for frequency, before, after in zip(found.frequencies, found.before, found.after, strict=True)
    ]  # fmt: skip
    return figure + html.folded("The numbers", html.table("", head, [rows], "Noise power spectra"))


def _removed(slices: Sequence[Mapping[str, Any]], about: Mapping[str, Any], unit: str, edges: EdgeSummary | None) -> str:
    low, high = about["window"]
    values, counts = histogram(slices, (low, high))
    if not counts.sum():
        return html.text("p", "No value of the scan lies within the window, so nothing was changed.")
    caption = (
        "Change of the values within the window, of every second row and column. Tails above the normal distribution are places "
        "that were changed much more than the noise; the largest are shown below."
    )
    if has_spikes(values, counts):
        caption += f" {EIGHT_BIT.format(step=f'{(high - low) / 255:.2g}', unit=unit) if about.get('eight_bit') else SPIKES}"
    figure = html.element("figure", histogram_chart(values, counts, unit), html.text("figcaption", caption))
    if edges is None:
        return figure + html.text("p", NOT_MEASURED)
    numbers = {name: f"{getattr(edges, name):.2f}".replace("-", "−") for name in ("correlation", "displaced", "ratio")}
    words = (EDGES.format(**numbers, meaning=sentences.edge_sentence(edges)), sentences.large_sentence(edges))
    return figure + html.text("h3", "Structure in the change") + html.notes(words)


def _crops(slices: Sequence[Mapping[str, Any]], facts: Facts, window: tuple[float, float], unit: str) -> str:
    """The largest changes anywhere, and those of soft tissue, which lungs and skin would leave no room for."""
    chosen = largest_crops(slices, "crop", CROPS)
    if not chosen:
        return html.text("p", "Nothing was changed.")
    write, where = _writer(facts), BODY if facts.hounsfield else ANYWHERE
    shown = html.text("p", f"{LARGEST} {sentences.numbering(facts)}", class_="caption")
    shown += crop_figures(chosen, where, write, unit, facts.names)
    narrow = soft_window(window)
    repeated = narrow == window  # a place that is shown already would look the same
    soft = largest_crops(slices, "soft_crop", SOFT_CROPS, chosen if repeated else ())
    if not narrow or not soft:
        return shown
    where = SOFT.format(window=f"{narrow[0]:g} to {narrow[1]:g} {unit}".replace("-", "−")) + (OTHERS if repeated else "")
    return shown + html.text("h3", "In soft tissue") + crop_figures(soft, where, write, unit, facts.names)


def _along(slices: Sequence[Mapping[str, Any]], tissues: Sequence[TissueSummary], unit: str) -> str:
    """The chart of the tissue that most slices have, or of soft tissue."""
    shown = max(tissues, key=lambda row: (row.tissue.name == SOFT_TISSUE, row.slices), default=None)
    if shown is None:
        return html.text("p", "No slice has 1,000 pixels of any tissue.")
    caption = f"{shown.tissue.label}: noise before and after, and the shift of the mean value, slice by slice, counted from 1."
    return html.element("figure", strip_chart(slices, shown.tissue.name, unit), html.text("figcaption", caption))
