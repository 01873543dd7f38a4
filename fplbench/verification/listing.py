"""Which files run.json has to list, which of them lead out of the folder, and which files of the folder it does not list."""

import os
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from fplbench.datasets.sampling.sample import HEADERS
from fplbench.errors import InputError
from fplbench.reporting.captions import figure_captions
from fplbench.scoring.comparison import INSERTED
from fplbench.verification.recorded import read_cell
from fplbench.verification.results import MANIFEST, Results

STACK = (".npy", ".csv", "_lesions.npy", "_lesions.csv")
TABLES = (".tex", "_intervals.tex", ".md", ".csv", ".html")
PAPER = (".md", ".csv", ".html")
SCORES = ("scores", "lesion_scores", "validation/scores", "validation/lesion_scores")
NOT_COUNTED = {
    *("logs", "benchmarks", "cost", "features", "hashes"),  # left over from the work
    *("ablation", "calibration", "detectability", "fair", "generalisation"),  # of targets of their own
}
PAGES = {MANIFEST, "report.html"}
CACHE = re.compile(rf"data/\w+/{re.escape(HEADERS)}")
"""Of the scan of a data set."""


def leaving(results: Results) -> list[str]:
    """The files of the run that are links out of its folder, or whose paths lead there."""
    found = [name for name in dict.fromkeys([*results.files, *_read(results)]) if not results.holds(name)]
    return found or [name for name in _stacks(results) if not results.holds(name)]


def not_listed(results: Results) -> list[str]:
    """The files that checks read, those that are gone too, and that run.json does not list.

    There must be no file that leads out of the folder.
    """
    return [name for name in dict.fromkeys([*_read(results), *_stacks(results)]) if name not in results.files]


def others(results: Results) -> list[str]:
    """The files in the folder that run.json does not list, in alphabetical order.

    Left out are hidden files, folders of separate targets and those of the work itself, and what lies beside a stack, weights or
    options under the same name.
    """
    known = {name.rpartition(".")[0] for name in results.files if name.endswith((".npy", ".safetensors", ".json"))}
    found = []
    for place, folders, files in os.walk(results.folder):
        base = Path(place).relative_to(results.folder)
        skipped = NOT_COUNTED if base == Path() else set()
        folders[:] = [name for name in folders if name not in skipped and not name.startswith(".")]
        names = [(base / name).as_posix() for name in files if not name.startswith(".")]
        found += [
            name
            for name in names
            if name not in results.files
            and name not in PAGES
            and not CACHE.fullmatch(name)
            and not (name.endswith((".csv", ".json")) and name.rpartition(".")[0] in known)
        ]
    return sorted(found)


def _read(results: Results) -> Iterator[str]:
    """The files that checks read, but for the denoised stacks."""
    config = results.config
    yield from ("config.json", "scores.csv", "cost.csv")
    yield from (f"figures/{name}.png" for name in figure_captions(config))
    yield from (f"paper/{dataset}{kind}" for dataset in config.published for kind in PAPER)
    for dataset in config.datasets:
        yield f"scores/{dataset}.csv"
        yield from (f"tables/{dataset}{kind}" for kind in TABLES)
        yield from (f"data/{dataset}/{split}{kind}" for split in ("test", "validation") for kind in STACK)
        where_there = (f"data/{dataset}/sampling.json", f"explorer/{dataset}.html")
        yield from (name for name in where_there if (results.folder / name).exists())
    for dataset, noise in results.cells:
        yield from (f"{folder}/{dataset}/{noise}.csv" for folder in SCORES)
        yield from (f"noisy/{dataset}/{noise}/{split}.npy" for split in ("test", "validation"))
        if noise in (config.feature_error or ()):
            yield f"feature_scores/{dataset}/{noise}.csv"


def _stacks(results: Results) -> Iterator[str]:
    """The denoised stacks behind the tables of scores, and the clean and noisy ones with inserted lesions."""
    for dataset, noise in results.cells:
        try:
            stacks = read_cell(results.folder, dataset, noise).stacks()
        except InputError:
            continue  # the check of the scores says why
        for found in stacks.values():
            yield from map(partial(_from, results.folder), found.values())
        if stacks[INSERTED]:
            yield from (f"data/{dataset}/inserted_test{kind}" for kind in STACK)
            yield f"noisy/{dataset}/{noise}/inserted_test.npy"


def _from(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()
