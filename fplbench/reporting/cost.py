"""Cost of each method, as seconds for each image and peak memory, in one table."""

import csv
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fplbench.errors import InputError
from fplbench.files import read_csv, write_csv
from fplbench.reporting.repeats import read_columns, repeats_of
from fplbench.reporting.scores import NoiseScores

log = logging.getLogger(__name__)

NOT_MEASURED = "NA"
SAMPLED_SECONDS = 1.0
"""Snakemake samples the memory of a job at its start and every half second; shorter jobs are not sampled reliably."""

TOO_FAST = "the command ended before Snakemake could measure it."  # Snakemake then writes 0 seconds
UNKNOWN = "nothing measured it. If a rule of yours makes the denoised stacks, add `benchmark:` to it."

Cost = Mapping[str, str]
NO_COST: Cost = {"seconds": "", "peak_memory_mb": "", "device": "", "measured": ""}


def write_cost(
    output: str | os.PathLike[str],
    scores: str | os.PathLike[str],
    costs: str | os.PathLike[str],
    benchmarks: str | os.PathLike[str] | None = None,
    groups: Iterable[str] | None = None,
    networks: Mapping[str, str | os.PathLike[str]] | None = None,
    side: int = 256,
) -> None:
    """Write the cost of all methods into one table.

    The columns are dataset, noise, method, images, seconds, seconds_per_image, peak_memory_mb, device, parameters, operations,
    measured, and the means psnr and ssim. Parameters are those of a network, and operations its floating-point operations for one
    image. A method that was trained with several seeds has the mean time of its networks.

    If `measured` is "method", the seconds are those of denoising alone, measured inside the process after a first image, and the
    memory is the peak of the process during that time, in MiB. If it is "command", the rule was measured as a whole by Snakemake,
    including the start of its program. What was not measured is empty.

    Args:
        output: the .csv file to write.
        scores: long table of scores, which gives the methods and the number of images.
        costs: folder with {dataset}/{noise}/{group}.csv, as `fplbench denoise-group` writes them.
        benchmarks: folder with the benchmark files of Snakemake, {dataset}/{noise}/{method}.tsv, for methods that are not in
            `costs`. A method that is in neither is named in the log.
        groups: names of the groups to read, since those of an earlier config may be in the same folder; None reads all.
        networks: a weight file of each method that has a network.
        side: of the images, pixels.

    Raises:
        InputError: a file is malformed, or the long table is missing.
    """
    sizes = {method: network_size(path, side) for method, path in (networks or {}).items()}
    rows = []
    for dataset, noises in read_columns(scores).items():
        for noise, found in noises.items():
            measured = _read_costs(Path(costs, dataset, noise), groups)
            for method in found.values["psnr"]:
                cost = measured.get(method) or _read_benchmark(benchmarks, dataset, noise, method) or NO_COST
                rows.append(_row(dataset, noise, method, {**cost, **sizes.get(method, {})}, found))
    _log_missing(rows)
    write_csv(output, rows)


def network_size(weights: str | os.PathLike[str], side: int) -> dict[str, str]:
    """Parameters of a network, and its operations for one square image."""
    from fplbench.networks.counting import count
    from fplbench.networks.weights import load

    network, _ = load(weights)
    found = count(network, side, side)
    return {"parameters": str(found.parameters), "operations": str(found.operations)}


def _log_missing(rows: Sequence[Mapping[str, Any]]) -> None:
    """Say for which methods there are no seconds, and why."""
    missing: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row["seconds"] == "":
            missing.setdefault((row["method"], row["measured"]), []).append(f"{row['dataset']}/{row['noise']}")
    for (method, measured), cells in missing.items():
        reason = TOO_FAST if measured else UNKNOWN
        where = f"{cells[0]} and {len(cells) - 1} more" if len(cells) > 1 else cells[0]
        log.warning("The time that %s takes on %s is not known: %s", method, where, reason)


def _row(dataset: str, noise: str, method: str, cost: Cost, found: NoiseScores) -> dict[str, Any]:
    images = len(found.image_ids)
    try:
        seconds = float(cost["seconds"]) if cost["seconds"] else None
    except ValueError:
        raise InputError(f"The seconds of {method} on {dataset}/{noise} are not a number: {cost['seconds']!r}.") from None
    return {
        "dataset": dataset,
        "noise": noise,
        "method": method,
        "images": images,
        "seconds": "" if seconds is None else seconds,
        "seconds_per_image": "" if seconds is None else round(seconds / images, 9),
        "peak_memory_mb": cost["peak_memory_mb"],
        "device": cost["device"],
        "parameters": cost.get("parameters", ""),
        "operations": cost.get("operations", ""),
        "measured": cost["measured"],
        "psnr": float(found.values["psnr"][method].mean()),
        "ssim": float(found.values["ssim"][method].mean()),
    }


def _read_costs(folder: Path, groups: Iterable[str] | None) -> dict[str, Cost]:
    """Costs that were measured inside the process, by method."""
    files = sorted(folder.glob("*.csv")) if groups is None else [folder / f"{group}.csv" for group in groups]
    rows = {
        row["method"]: {**row, "measured": "method"}
        for file in files
        for row in read_csv(file, ("method", "seconds", "peak_memory_mb", "device"))
    }
    return {column: _over_repeats([rows[name] for name in own]) for column, own in repeats_of(rows).items()}


def _over_repeats(rows: Sequence[Cost]) -> Cost:
    """The cost of a column: the first training's, with the mean of the seconds."""
    if len(rows) == 1:
        return rows[0]
    try:
        return {**rows[0], "seconds": str(sum(float(row["seconds"]) for row in rows) / len(rows))}
    except ValueError:
        raise InputError(f"The seconds of {rows[0]['method']} or one of its repeats are not a number.") from None


def _read_benchmark(folder: str | os.PathLike[str] | None, dataset: str, noise: str, method: str) -> Cost | None:
    """Cost of a rule as measured by Snakemake; None without a benchmark file."""
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
        "parameters": "",
        "operations": "",
        "measured": "command",
    }
