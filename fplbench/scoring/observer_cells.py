"""Score all methods on the signals of one data set and noise: the observer, and spectra of texture and sharpness."""

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fplbench.errors import InputError
from fplbench.files import write_csv
from fplbench.lesions.shapes import disc_coverage
from fplbench.lesions.signal_places import patch_side
from fplbench.lesions.signals import CLASSES, read_signals
from fplbench.scoring.channels import laguerre_gauss
from fplbench.scoring.matching import open_matching
from fplbench.scoring.metrics import psnr
from fplbench.scoring.observer import Detection, ObserverOptions, halves, observe, percentile_interval, resample
from fplbench.scoring.spectra import noise_power_spectrum, radial_average, task_transfer
from fplbench.seeds import generator
from fplbench.stacks import open_stack, read_index

UNPROCESSED = "noisy"
SMALLEST_EDGE = 3  # pixels; the edge of a smaller disc shows no transfer function
SCORE_COLUMNS = (
    "method", "size_mm", "contrast", "unit", "pairs", "dprime", "dprime_low", "dprime_high", "auc", "auc_low", "auc_high",
    "gain", "gain_low", "gain_high", "signal_kept", "psnr",
)  # fmt: skip
SPECTRUM_COLUMNS = ("method", "spectrum", "contrast", "unit", "frequency", "value")
Stacks = dict[str, np.ndarray]


@dataclass(frozen=True)
class Task:
    """One kind of signal: its rows of signals.csv, and where they are in the stacks."""

    size_mm: float
    contrast: float
    unit: str
    radius: float
    rows: Sequence[Mapping[str, str]]

    def patches(self, stack: np.ndarray, position: Mapping[str, int], side: int) -> np.ndarray:
        """float64 (N, side, side) around the signals."""
        half = side // 2
        found = []
        for signal in self.rows:
            row, column = int(signal["row"]), int(signal["column"])
            found.append(stack[position[signal["image_id"]], row - half : row + half + 1, column - half : column + half + 1])
        return np.stack(found).astype(np.float64)


def write_detection(
    folder: str | os.PathLike[str],
    denoised: Sequence[str | os.PathLike[str]],
    scores: str | os.PathLike[str],
    spectra: str | os.PathLike[str],
    options: ObserverOptions,
    seed: int,
) -> None:
    """Write how well an observer detects the signals in denoised images, and the spectra of each method.

    Args:
        folder: with absent.npy, present.npy and signals.csv, as `write_signals` leaves them.
        denoised: the denoised stacks, named absent/{method}.npy and present/{method}.npy.
        scores: the .csv file to write with a row for each method and kind of signal: d' and AUC with 95 % intervals; gain, how
            much d' exceeds that of the unprocessed images (blank if they are not among the stacks); signal_kept, the mean
            difference inside the disc as a share of the inserted one; and psnr, the mean over all images of both stacks.
        spectra: the .csv file to write: noise power spectra (nps) of the residual around the places without a signal, in the
            unit of the contrasts squared times mm^2; and transfer functions (ttf) of the largest disc for each contrast, if its
            radius is at least 3 pixels. Frequencies are in cycles/mm.
        options: of the observer.
        seed: seed of the halves and of the bootstrap, which are the same for all methods.

    Raises:
        InputError: a file is missing or malformed, does not match the clean stacks, or a method lacks one of its two stacks.
    """
    folder = Path(folder)
    clean = {kind: open_stack(folder / f"{kind}.npy") for kind in CLASSES}
    methods = _by_method(denoised)
    signals = read_signals(folder)
    tasks = _tasks(signals)
    index = read_index(folder / "absent.npy", len(clean["absent"]))
    position = {row["image_id"]: number for number, row in enumerate(index)}
    for signal in signals:
        if signal["image_id"] not in position:
            raise InputError(f"{folder / 'signals.csv'} names the image {signal['image_id']!r}, which is not in its stacks.")
    rows: list[dict[str, Any]] = []
    curves: list[dict[str, Any]] = []
    for method, paths in methods.items():
        stacks = {kind: open_matching(paths[kind], clean[kind], folder / f"{kind}.npy") for kind in CLASSES}
        quality = float(np.mean([np.minimum(psnr(clean[kind], stacks[kind]), 100).mean() for kind in CLASSES]))
        for task in tasks:
            rows.append({"method": method, "psnr": quality, **_score(task, clean, stacks, position, options, seed)})
        curves += [{"method": method, **curve} for curve in _curves(tasks, clean, stacks, position, float(signals[0]["scale"]))]
    pixel = float(signals[0]["pixel_mm"])
    write_csv(scores, map(_written, _with_gains(rows)), SCORE_COLUMNS)
    write_csv(spectra, ({**curve, "frequency": curve["frequency"] / pixel} for curve in curves), SPECTRUM_COLUMNS)


def _by_method(paths: Sequence[str | os.PathLike[str]]) -> dict[str, dict[str, Path]]:
    found: dict[str, dict[str, Path]] = defaultdict(dict)
    for path in map(Path, paths):
        found[path.stem][path.parent.name] = path
    for method, stacks in found.items():
        for kind in CLASSES:
            if kind not in stacks:
                raise InputError(f"There is no stack {kind}/{method}.npy among the denoised ones: give those of both kinds.")
    return dict(found)


def _tasks(signals: Sequence[Mapping[str, str]]) -> list[Task]:
    """Kinds of signals, by size and contrast."""
    groups: dict[tuple[float, float], list[Mapping[str, str]]] = defaultdict(list)
    for row in signals:
        groups[float(row["size_mm"]), float(row["contrast"])].append(row)
    return [
        Task(size, contrast, rows[0]["unit"], float(rows[0]["radius"]), rows) for (size, contrast), rows in sorted(groups.items())
    ]


def _score(
    task: Task, clean: Stacks, denoised: Stacks, position: Mapping[str, int], options: ObserverOptions, seed: int
) -> dict[str, Any]:
    side = patch_side(task.radius)
    channels = laguerre_gauss(side, options.channels, options.width * 2 * task.radius)
    patches = {kind: task.patches(denoised[kind], position, side) for kind in CLASSES}
    absent, present = (patches[kind].reshape(len(task.rows), -1) @ channels for kind in CLASSES)
    rng = generator(seed, "observer", str(task.size_mm), str(task.contrast))
    parts = halves([row["source_image"] for row in task.rows], rng)
    found = observe(absent, present, parts, resample(parts, len(task.rows), options.resamples, rng))
    inside = disc_coverage(side, task.radius) >= 0.5
    truth, kept = (_mean_signal(task, stacks, position, side)[inside].mean() for stacks in (clean, denoised))
    return {
        "size_mm": task.size_mm, "contrast": task.contrast, "unit": task.unit, "pairs": len(task.rows),
        "detection": found, "signal_kept": float(kept / truth),
    }  # fmt: skip


def _mean_signal(task: Task, stacks: Stacks, position: Mapping[str, int], side: int) -> np.ndarray:
    absent, present = (task.patches(stacks[kind], position, side).mean(axis=0) for kind in CLASSES)
    return present - absent


def _curves(
    tasks: Sequence[Task], clean: Stacks, denoised: Stacks, position: Mapping[str, int], scale: float
) -> Iterator[dict[str, Any]]:
    """Points of the spectra; frequencies in cycles/pixel, and powers for pixels of the data set."""
    largest = max(task.radius for task in tasks)
    side, unit = patch_side(largest), tasks[0].unit
    pixel = float(tasks[0].rows[0]["pixel_mm"])
    residuals = np.concatenate(
        [task.patches(denoised["absent"], position, side) - task.patches(clean["absent"], position, side)
         for task in tasks if task.radius == largest]
    )  # fmt: skip
    for frequency, value in zip(*radial_average(*noise_power_spectrum(residuals * scale)), strict=True):
        yield {"spectrum": "nps", "contrast": "", "unit": unit, "frequency": float(frequency), "value": float(value) * pixel**2}
    for task in tasks:
        if task.radius == largest >= SMALLEST_EDGE:
            after, before = (_mean_signal(task, stacks, position, side) for stacks in (denoised, clean))
            for frequency, value in zip(*task_transfer(after, before, task.radius), strict=True):
                yield {
                    "spectrum": "ttf", "contrast": task.contrast, "unit": unit, "frequency": float(frequency),
                    "value": float(value),
                }  # fmt: skip


def _with_gains(rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Rows with intervals, and how much d' exceeds that of the unprocessed images, from the same bootstrap samples."""
    base = {(row["size_mm"], row["contrast"]): row["detection"] for row in rows if row["method"] == UNPROCESSED}
    for row in rows:
        found: Detection = row["detection"]
        row = {key: value for key, value in row.items() if key != "detection"}
        for name, value, samples in (("dprime", found.dprime, found.dprimes), ("auc", found.auc, found.aucs)):
            row[name] = value
            row[f"{name}_low"], row[f"{name}_high"] = percentile_interval(samples)
        other = base.get((row["size_mm"], row["contrast"]))
        if other is not None and row["method"] != UNPROCESSED:
            row["gain"] = found.dprime - other.dprime
            row["gain_low"], row["gain_high"] = percentile_interval(found.dprimes - other.dprimes)
        yield row


def _written(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with every column; what is not known is blank."""
    return {column: row.get(column, "") for column in SCORE_COLUMNS}
