"""Detectability of inserted discs: a table of the observer's d' beside the PSNR, and the figures."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from fplbench.errors import InputError
from fplbench.files import read_csv, write_csv, write_text
from fplbench.reporting.detectability_figure import dprime_figure, kind_title, kinds_of
from fplbench.reporting.labels import Labels
from fplbench.reporting.markdown import aligned, plain
from fplbench.reporting.panels import save
from fplbench.reporting.repeats import column_of
from fplbench.reporting.sentences import sentences
from fplbench.reporting.spectra_figure import spectra_figure
from fplbench.scoring.observer_cells import SCORE_COLUMNS, SPECTRUM_COLUMNS

Row = dict[str, str]
UP, DOWN = "↑", "↓"
EXPLANATION = (
    "Detectability index d' of a channelized Hotelling observer for discs of the given diameter and contrast, with the 95 % "
    f"interval of a bootstrap over image pairs, beside the PSNR of the same images; {UP} or {DOWN}: the interval of the "
    "difference from the unprocessed images lies above or below 0. Signal: share of the disc's contrast that is left, for the "
    "largest disc of the highest contrast."
)


def read_cells(paths: Sequence[str | os.PathLike[str]], columns: Sequence[str]) -> dict[str, dict[str, list[Row]]]:
    """Rows of files named {dataset}/{noise}.csv, by data set and noise, of a network's first training alone.

    Raises:
        InputError: a file is missing or lacks a column.
    """
    cells: dict[str, dict[str, list[Row]]] = {}
    for path in map(Path, paths):
        rows = [row for row in read_csv(path, columns) if column_of(row["method"]) == row["method"]]
        if not rows:
            raise InputError(f"{path} has no rows: run `fplbench observe` again.")
        cells.setdefault(path.parent.name, {})[path.stem] = rows
    return cells


def write_detectability(
    scores: Sequence[str | os.PathLike[str]],
    spectra: Sequence[str | os.PathLike[str]],
    folder: str | os.PathLike[str],
    labels: Labels | None = None,
    note: str = "",
) -> None:
    """Write detectability.csv, detectability.md, and for each data set dprime_, nps_ and ttf_{dataset}.png.

    Args:
        scores: files named {dataset}/{noise}.csv, as `write_detection` writes them.
        spectra: files of the same names with its spectra.
        folder: folder for the files.
        labels: labels of data sets, noises and methods.
        note: a sentence below the table and the figures.

    Raises:
        InputError: a file is missing, empty or lacks a column.
    """
    labels = labels or Labels()
    folder = Path(folder)
    found = read_cells(scores, SCORE_COLUMNS)
    curves = read_cells(spectra, SPECTRUM_COLUMNS)
    write_csv(
        folder / "detectability.csv",
        [{"dataset": dataset, "noise": noise, **row} for dataset, noises in found.items() for noise, rows in noises.items()
         for row in rows],
    )  # fmt: skip
    write_text(folder / "detectability.md", markdown(found, labels, note))
    for dataset, noises in found.items():
        save(dprime_figure(noises, labels, labels.dataset(dataset), note), folder / f"dprime_{dataset}.png")
        for kind in ("nps", "ttf"):
            save(spectra_figure(curves[dataset], kind, labels, labels.dataset(dataset)), folder / f"{kind}_{dataset}.png")


def markdown(cells: dict[str, dict[str, list[Row]]], labels: Labels, note: str = "") -> str:
    """A table for each data set and noise: a row a method, a column a kind of signal."""
    parts = [plain(sentences(EXPLANATION, note))]
    for dataset, noises in cells.items():
        for noise in labels.noises(noises):
            parts.append(plain(f"## {labels.dataset(dataset)}, {labels.noise_title(noise)}"))
            parts.append(aligned(list(_table(noises[noise], labels)), 1))
    return "\n\n".join(parts) + "\n"


def _table(rows: Sequence[Row], labels: Labels) -> Iterator[list[str]]:
    kinds = kinds_of(rows)
    yield ["Method", "PSNR (dB)", *(kind_title(kind, rows[0]["unit"]) for kind in kinds), "Signal"]
    cells = {(row["method"], row["size_mm"], row["contrast"]): row for row in rows}
    for method in labels.methods(row["method"] for row in rows):
        own = [cells[method, *kind] for kind in kinds]
        quality, kept = float(own[0]["psnr"]), float(own[-1]["signal_kept"])
        yield [labels.method(method), f"{quality:.2f}", *map(_cell, own), f"{kept:.2f}"]


def _cell(row: Row) -> str:
    mark = ""
    if row["gain_low"]:
        mark = f" {UP}" if float(row["gain_low"]) > 0 else f" {DOWN}" if float(row["gain_high"]) < 0 else ""
    return f"{float(row['dprime']):.2f} ({float(row['dprime_low']):.2f} – {float(row['dprime_high']):.2f}){mark}"
