"""Writing a calibration to files: part of a config, a report, and a table of all numbers."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from textwrap import wrap
from typing import Any

from fplbench.calibration.fit import Calibration, Comparison
from fplbench.calibration.scenes import METRICS, TOLERANCE
from fplbench.calibration.search import FILTERS, LEVELS
from fplbench.files import write_csv, write_text
from fplbench.methods import METHODS
from fplbench.noise import NOISES

VERDICTS = {
    (True, True): "matched",
    (True, False): "wrapped PSNR only",
    (False, True): "SSIM only",
    (False, False): "not matched",
}
"""Verdicts by whether the wrapped PSNR and the SSIM are within their tolerances."""


def write(calibration: Calibration, folder: str | os.PathLike) -> None:
    """Write levels.yaml, report.md and comparisons.csv."""
    folder = Path(folder)
    write_csv(folder / "comparisons.csv", [asdict(row) for row in calibration.comparisons])
    write_text(folder / "levels.yaml", fragment(calibration))
    write_text(folder / "report.md", report(calibration))


def deviations(comparisons: Sequence[Comparison], fit: str, dataset: str, noise: str) -> dict[str, float]:
    """Median over the baselines of the absolute difference from the published value, for each published score."""
    found: dict[str, list[float]] = {metric: [] for metric in METRICS}
    for row in comparisons:
        if (row.fit, row.dataset, row.noise) == (fit, dataset, noise) and row.published is not None:
            found[row.metric].append(abs(row.ours - row.published))
    return {metric: median(values) for metric, values in found.items() if values}


def verdict(deviation: Mapping[str, float]) -> str:
    """Whether a kind of noise is matched: its median deviations compared with the tolerances."""
    within = {metric: value <= TOLERANCE[metric] for metric, value in deviation.items()}
    return VERDICTS[within.get("psnr_uint8", True), within.get("ssim", True)]


def fragment(calibration: Calibration) -> str:
    """The fitted levels and filters as YAML, with comments on how close they come."""
    lines = [
        "# Noise levels at which SSIM and wrapped PSNR of the cheap baselines, with their default options, are closest to the",
        f"# published values, on {_images(calibration)}. Above each: the median difference from the published values.",
        "noises:",
    ]
    for noise, level in calibration.levels.items():
        words = "; ".join(part for part in (_closeness(calibration, noise), _uncertainty(calibration, noise)) if part)
        lines += [*wrap(words, 118, initial_indent="  # ", subsequent_indent="  # "), f"  {noise}: {_inline(level)}"]
    lines += [
        "# Filter options that come closest at these levels. After each: the mean distance from the published values over all",
        "# noises, in units of the tolerance, and that of the default options.",
        "methods:",
    ]
    for method, fit in calibration.filters.items():
        lines.append(f"  {method}: {_inline(fit.options)}  # {fit.distance:.2f}, default {fit.default_distance:.2f}")
    return "\n".join(lines) + "\n"


def report(calibration: Calibration) -> str:
    """The report: levels, how certain they are, the residual of each baseline, and the filters."""
    datasets = list(calibration.images)
    parts = [
        "# Calibrated noise levels",
        f"The levels were fitted to the published scores of {len(FILTERS)} cheap baselines, with their default options, on "
        f"{_images(calibration)}, for all data sets together. A level is uncertain if the levels fitted to each data set "
        "alone differ greatly, if those from other seeds do, or if the fit stopped at a bound of what is plausible. A kind "
        "of noise is matched if the median difference over the baselines is at most "
        f"{TOLERANCE['ssim']} in SSIM and {TOLERANCE['psnr_uint8']} dB in wrapped PSNR.",
        _levels_table(calibration, datasets),
    ]
    parts += ["## Kinds that cannot be matched", _unmatched(calibration)]
    for dataset in datasets:
        parts += [
            f"## Residuals on {dataset}",
            "Ours minus published: wrapped PSNR in dB, then SSIM.",
            _residual_table(calibration, dataset),
        ]
    rows = [
        [METHODS[method].label, f"`{_inline(fit.options)}`", f"{fit.distance:.2f}", f"{fit.default_distance:.2f}"]
        for method, fit in calibration.filters.items()
    ]
    parts += [
        "## Filters",
        "Mean distance from the published values over all noises at these levels, in units of the tolerance.",
        table(["baseline", "options", "distance", "with the default options"], rows),
    ]
    return "\n\n".join(parts) + "\n"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _levels_table(calibration: Calibration, datasets: Sequence[str]) -> str:
    alone, match = [f"{name} alone" for name in datasets], [f"{name}: match" for name in datasets]
    rows = []
    for noise, level in calibration.levels.items():
        own = [calibration.own_levels[dataset].get(noise) for dataset in datasets]
        row = [NOISES[noise].title, f"`{_inline(level)}`", _uncertainty(calibration, noise)]
        row += [f"`{_inline(each)}`" if each else "" for each in own]
        for dataset in datasets:
            deviation = deviations(calibration.comparisons, "both", dataset, noise)
            row.append(f"{_differences(deviation)}: {verdict(deviation)}" if deviation else "not published")
        rows.append(row)
    return table(["noise", "level", "other seeds, bounds", *alone, *match], rows)


def _unmatched(calibration: Calibration) -> str:
    """Noises and data sets that are not matched, by verdict."""
    found: dict[str, list[str]] = {}
    for noise in calibration.levels:
        for dataset in calibration.images:
            if deviation := deviations(calibration.comparisons, "both", dataset, noise):
                found.setdefault(verdict(deviation), []).append(f"{NOISES[noise].title} ({dataset})")
    lines = [f"- {each}: {', '.join(found[each])}." for each in VERDICTS.values() if each in found and each != "matched"]
    return "\n".join(lines) or "None."


def _residual_table(calibration: Calibration, dataset: str) -> str:
    cells: dict[tuple[str, str], list[str]] = {}
    for row in calibration.comparisons:
        if (row.fit, row.dataset) == ("both", dataset) and row.published is not None:
            digits = 2 if row.metric == "ssim" else 1
            cells.setdefault((row.noise, row.method), []).append(f"{row.ours - row.published:+.{digits}f}")
    noises = [noise for noise in calibration.levels if any((noise, method) in cells for method in FILTERS)]
    rows = [[NOISES[noise].title, *(" ".join(cells.get((noise, method), [])) for method in FILTERS)] for noise in noises]
    return table(["noise", *(METHODS[method].label for method in FILTERS)], rows)


def _closeness(calibration: Calibration, noise: str) -> str:
    found = {dataset: deviations(calibration.comparisons, "both", dataset, noise) for dataset in calibration.images}
    return "; ".join(
        f"{dataset} {_differences(deviation)}, {verdict(deviation)}" for dataset, deviation in found.items() if deviation
    )


def _uncertainty(calibration: Calibration, noise: str) -> str:
    """Options that differ between seeds, and those that stopped at a bound."""
    words = []
    for name, (low, high) in calibration.spread[noise].items():
        if high > low:
            words.append(f"{name} {low:g} to {high:g} over seeds")
        if end := LEVELS[noise][name].end(calibration.levels[noise][name]):
            words.append(f"{name} at its {end} bound")
    return "; ".join(words)


def _differences(deviation: Mapping[str, float]) -> str:
    units = {"ssim": "SSIM {:.2f}", "psnr_uint8": "{:.1f} dB"}
    return ", ".join(text.format(deviation[metric]) for metric, text in units.items() if metric in deviation)


def _images(calibration: Calibration) -> str:
    return " and ".join(f"{number} images of {dataset}" for dataset, number in calibration.images.items())


def _inline(options: Mapping[str, Any]) -> str:
    """Options as a YAML flow mapping."""
    return "{" + ", ".join(f"{name}: {json.dumps(value)}" for name, value in options.items()) + "}"
