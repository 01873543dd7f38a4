"""What a method costs, seconds for each image and peak memory, and quality against cost."""

import csv
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fplbench.errors import InputError
from fplbench.files import read_csv, write_csv
from fplbench.reporting.labels import METRICS, Labels
from fplbench.reporting.panels import save
from fplbench.reporting.scores import NoiseScores, read_scores

log = logging.getLogger(__name__)

NOT_MEASURED = "NA"
SAMPLED_SECONDS = 1.0  # Snakemake looks at a job's memory at its start and every half second
PAGE_INCHES = (7.0, 4.5)
MARKERS = "os^DvPX*"


def write_cost(
    output: str | os.PathLike, scores: str | os.PathLike, costs: str | os.PathLike, benchmarks: str | os.PathLike | None = None
) -> None:
    """Put the costs of all methods into one table.

    Args:
        output: the .csv file to write: dataset, noise, method, images, seconds, seconds_per_image, peak_memory_mb, device,
            measured, psnr and ssim (means over the images). `measured` is `method` where the seconds are those of
            denoising alone, inside the process and after a first image, and the memory is the peak of the process in
            that time (MiB); it is `command` where a rule in another language was timed as a whole, by Snakemake. A
            field is empty where it was not measured.
        scores: the long table of scores, which names the methods and says how many images there are.
        costs: folder with {dataset}/{noise}/{group}.csv, as `denoise-group` writes them.
        benchmarks: folder with Snakemake's benchmark files, {dataset}/{noise}/{method}.tsv, for the other methods. One
            that has none is named in the log.

    Raises:
        InputError: a file is missing or malformed, or nothing was measured.
    """
    table = read_scores(scores)
    rows = []
    unknown = set()
    for dataset, noises in table.items():
        for noise, found in noises.items():
            measured = _read_costs(Path(costs, dataset, noise))
            for method in found.values["psnr"]:
                cost = measured.get(method) or _read_benchmark(benchmarks, dataset, noise, method)
                if cost is None:
                    unknown.add(method)
                else:
                    rows.append(_row(dataset, noise, method, cost, found))
    for method in sorted(unknown):
        log.warning("%s was not timed everywhere, so its cost is not known: its rule needs a line `benchmark:`.", method)
    if not rows:
        raise InputError(f"No method of {scores} was timed: {costs} has no costs.")
    write_csv(output, rows)


def _row(dataset: str, noise: str, method: str, cost: Mapping[str, str], found: NoiseScores) -> dict[str, Any]:
    images = len(found.image_ids)
    try:
        seconds = float(cost["seconds"]) if cost["seconds"] else None
    except (KeyError, ValueError):
        raise InputError(f"The cost of {method} on {dataset}/{noise} is malformed: run its denoising again.") from None
    return {
        "dataset": dataset,
        "noise": noise,
        "method": method,
        "images": images,
        "seconds": "" if seconds is None else seconds,
        "seconds_per_image": "" if seconds is None else seconds / images,
        "peak_memory_mb": cost.get("peak_memory_mb", ""),
        "device": cost.get("device", ""),
        "measured": cost["measured"],
        "psnr": float(found.values["psnr"][method].mean()),
        "ssim": float(found.values["ssim"][method].mean()),
    }


def _read_costs(folder: Path) -> dict[str, dict[str, str]]:
    """What the groups of a cell measured, by method."""
    return {
        row["method"]: {**row, "measured": "method"}
        for file in sorted(folder.glob("*.csv"))
        for row in read_csv(file, ("method", "seconds", "peak_memory_mb", "device"))
    }


def _read_benchmark(folder: str | os.PathLike | None, dataset: str, noise: str, method: str) -> dict[str, str] | None:
    """What Snakemake measured of a rule; None without a benchmark file.

    A command of less than some hundredths of a second may be over before Snakemake looks, which then writes 0 seconds and
    no memory: both count as not measured.
    """
    if folder is None:
        return None
    file = Path(folder, dataset, noise, f"{method}.tsv")
    try:
        with open(file, newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream, delimiter="\t"))
        seconds = [float(row["s"]) for row in rows]
        memory = [float(row["max_rss"]) for row in rows if row["max_rss"] != NOT_MEASURED]
    except FileNotFoundError:
        return None
    except (KeyError, TypeError, ValueError):
        raise InputError(f"{file} is not a benchmark file of Snakemake.") from None
    mean = sum(seconds) / len(seconds) if seconds else 0
    sampled = memory if mean >= SAMPLED_SECONDS else []
    return {
        "seconds": str(mean) if mean else "",
        "peak_memory_mb": str(round(max(sampled), 1)) if sampled else "",
        "device": "",
        "measured": "command",
    }


def cost_figure(output: str | os.PathLike, cost: str | os.PathLike, metric: str = "psnr", labels: Labels | None = None) -> None:
    """Draw quality against cost: a point a method (its colour) and data set (its marker), over all noises.

    Args:
        output: the picture to write.
        cost: the table that `write_cost` wrote.
        metric: psnr or ssim, for the vertical axis.
        labels: labels of methods and data sets.

    Raises:
        InputError: the table is missing or no such table, or the metric is not in it.
    """
    from matplotlib import colormaps
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogFormatter

    labels = labels or Labels()
    points = _points(cost, metric)
    figure = Figure(figsize=PAGE_INCHES, layout="constrained")
    axes = figure.add_subplot()
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(LogFormatter())
    axes.xaxis.set_minor_formatter(LogFormatter(labelOnlyBase=False))
    axes.set_xlabel("Milliseconds for each image, median over noises")
    shown = METRICS[metric]
    axes.set_ylabel(f"Mean {shown.label}" + (f" ({shown.unit})" if shown.unit else ""))
    methods = labels.methods({method for found in points.values() for method in found})
    colours = colormaps["tab20"].colors
    for number, method in enumerate(methods):
        colour = colours[number % len(colours)]
        axes.scatter([], [], color=colour, label=labels.method(method))
        for marker, found in zip(MARKERS, points.values(), strict=False):
            axes.scatter(*found.get(method, ([], [])), color=colour, marker=marker)
    for marker, dataset in zip(MARKERS, points, strict=False):
        axes.scatter([], [], color="black", marker=marker, label=labels.dataset(dataset))
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right center", fontsize="small")
    save(figure, output)


def _points(cost: str | os.PathLike, metric: str) -> dict[str, dict[str, tuple[float, float]]]:
    """Median milliseconds an image and mean quality over the noises, by data set and method."""
    collected: dict[str, dict[str, list[tuple[float, float]]]] = {}
    try:
        with open(cost, newline="") as stream:
            for row in csv.DictReader(stream):
                if not row["seconds_per_image"]:
                    continue
                place = (1000 * float(row["seconds_per_image"]), float(row[metric]))
                collected.setdefault(row["dataset"], {}).setdefault(row["method"], []).append(place)
    except FileNotFoundError:
        raise InputError(f"{cost} does not exist.") from None
    except (KeyError, ValueError):
        raise InputError(f"{cost} is no table of costs with a column {metric}.") from None
    return {dataset: {method: _centre(places) for method, places in methods.items()} for dataset, methods in collected.items()}


def _centre(places: list[tuple[float, float]]) -> tuple[float, float]:
    """Median of the times, whose few slow runs say little of the method; mean of the quality."""
    times, quality = zip(*places, strict=True)
    return float(np.median(times)), float(np.mean(quality))
