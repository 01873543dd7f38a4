"""What a method costs: seconds an image and peak memory, from Snakemake's benchmark files; and quality against cost."""

import csv
import logging
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fplbench.errors import InputError
from fplbench.files import write_csv
from fplbench.reporting.labels import METRICS, Labels
from fplbench.reporting.panels import save
from fplbench.reporting.scores import NoiseScores, read_scores

log = logging.getLogger(__name__)

NOT_MEASURED = "NA"
SAMPLED_SECONDS = 1.0  # Snakemake looks at a job's memory at its start and every half second
PAGE_INCHES = (7.0, 4.5)
MARKERS = "os^DvPX*"


def write_cost(output: str | os.PathLike, scores: str | os.PathLike, paths: Iterable[str | os.PathLike]) -> None:
    """Put benchmark files into one table.

    Args:
        output: the .csv file to write: dataset, noise, method, images, seconds (of the whole command, its start
            included), seconds_per_image, processor_seconds, peak_memory_mb (MiB resident), psnr and ssim (means over
            the images). Processor time and memory are empty for jobs of less than a second, which Snakemake's samples
            miss. A method of a folder that has scores and no benchmark is named in the log.
        scores: the long table of scores, which says how many images there are.
        paths: benchmark files .../{dataset}/{noise}/{method}.tsv; a folder stands for those below it that have scores.

    Raises:
        InputError: there are no files, one is no benchmark file, or the scores do not have its method.
    """
    table = read_scores(scores)
    files = sorted(file for path in map(Path, paths) for file in (_scored_files(path, table) if path.is_dir() else [path]))
    if not files:
        raise InputError(f"There are no benchmark files to put into {output}.")
    write_csv(output, [_row(file, table, scores) for file in files])


def _scored_files(folder: Path, table: Mapping[str, Mapping[str, NoiseScores]]) -> list[Path]:
    """The benchmark files of a folder that belong to scores: those of an earlier config may lie beside them."""
    files = [
        folder / dataset / noise / f"{method}.tsv"
        for dataset, noises in table.items()
        for noise, found in noises.items()
        for method in found.values["psnr"]
    ]
    for method in sorted({file.stem for file in files if not file.exists()}):
        log.warning("%s has no benchmark everywhere, so its cost is not known: its rule needs a line benchmark.", method)
    return [file for file in files if file.exists()]


def _row(file: Path, table: Mapping[str, Mapping[str, NoiseScores]], scores: str | os.PathLike) -> dict[str, Any]:
    dataset, noise, method = (*file.parts[-3:-1], file.stem)
    found = table.get(dataset, {}).get(noise)
    if found is None or method not in found.values["psnr"]:
        raise InputError(f"{scores} has no scores of {dataset}/{noise}/{method}, of which {file} is the benchmark.")
    measured = _read_benchmark(file)
    if measured["s"] < SAMPLED_SECONDS:
        measured |= {"cpu_time": "", "max_rss": ""}
    images = len(found.image_ids)
    return {
        "dataset": dataset,
        "noise": noise,
        "method": method,
        "images": images,
        "seconds": measured["s"],
        "seconds_per_image": measured["s"] / images,
        "processor_seconds": measured["cpu_time"],
        "peak_memory_mb": measured["max_rss"],
        "psnr": float(found.values["psnr"][method].mean()),
        "ssim": float(found.values["ssim"][method].mean()),
    }


def _read_benchmark(file: Path) -> dict[str, float | str]:
    """Means over the repetitions of a benchmark; empty where Snakemake, which looks every few seconds, saw nothing."""
    try:
        with open(file, newline="") as stream:
            rows = list(csv.DictReader(stream, delimiter="\t"))
        measured = {}
        for key in ("s", "max_rss", "cpu_time"):
            values = [float(row[key]) for row in rows if row[key] != NOT_MEASURED]
            measured[key] = sum(values) / len(values) if values else ""
    except FileNotFoundError:
        raise InputError(f"The benchmark file {file} does not exist.") from None
    except (KeyError, TypeError, ValueError):
        raise InputError(f"{file} is no benchmark file of Snakemake.") from None
    if not measured["s"]:
        raise InputError(f"{file} has no running time.")
    return measured


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
    axes.set_xlabel("Milliseconds an image, median over noises")
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
