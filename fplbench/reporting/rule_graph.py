"""The rule graph of a run, as Snakemake prints it, and its rules in stages."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from fplbench.errors import InputError

NODE = re.compile(r'^\s*(\d+)\s*\[label\s*=\s*"([^"\\]+)', re.MULTILINE)
EDGE = re.compile(r"^\s*(\d+)\s*->\s*(\d+)", re.MULTILINE)
TARGETS = ("all", "fair", "ablation", "generalisation", "detectability", "calibrate", "noise_sheet")
"""Rules that do nothing, but name what is to be made."""

Edges = set[tuple[str, str]]


@dataclass(frozen=True)
class Stage:
    """A stage of the workflow.

    Attributes:
        name: its heading.
        writes: the folders or files of a run that it writes.
        rules: names of its rules; * stands for any letters. A rule belongs to the first stage that it fits.
    """

    name: str
    writes: str
    rules: tuple[str, ...]


STAGES = (
    Stage("Images", "data/", ("sample_*", "insert_*", "join_*", "repeat_*")),
    Stage("Noise", "noisy/", ("synthesize_*", "add_noise_*", "draw_again")),
    Stage("Noise levels", "calibration/", ("fit_levels", "published_psnr", "draw_noise_sheet")),
    Stage("Restoration", "models/, features/", ("train_restoration", "train_lesion", "train_random", "explain_*")),
    Stage("Training", "models/", ("train_*",)),
    Stage("Denoising", "denoised/", ("denoise_*", "apply_*")),
    Stage("Scoring", "scores/", ("score", "score_*", "observe*", "align_*", "screen_*", "collate", "collate_*")),
    Stage(
        "Results",
        "tables/, figures/, ...",
        (
            "table", "*_table", "*_matrix", "figure", "*_figure", "heat_map", "cost", "*_cost", "report", "manifest",
            "*_summary", "explorer", "compare_*", "paper_comparison", "write_config",
        ),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class StageGraph:
    """The stages of a run.

    Attributes:
        rules: names of the rules by name of the stage, in the order of `STAGES`, with those of the graph in its order.
        edges: pairs of stages, of which the second needs the first; without those that follow from others.
        layers: the column of each stage, from 0; every edge leads from a lower to a higher one.
    """

    rules: Mapping[str, Sequence[str]]
    edges: Edges
    layers: Mapping[str, int]


def read_rule_graph(path: str | os.PathLike[str]) -> tuple[list[str], Edges]:
    """Names of the rules, and the pairs of rules of which the second needs the first.

    Args:
        path: what `snakemake --rulegraph` printed.

    Raises:
        InputError: the file is missing or is not a rule graph.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        raise InputError(f"{path} does not exist or is not text: write it with `snakemake --rulegraph > {path}`.") from None
    names = dict(NODE.findall(text))
    numbers = EDGE.findall(text)
    if "digraph" not in text or not names or any(number not in names for pair in numbers for number in pair):
        raise InputError(f"{path} is not a rule graph: write it with `snakemake --rulegraph > {path}`.")
    return list(dict.fromkeys(names.values())), {(names[first], names[second]) for first, second in numbers}


def stage_of(rule: str) -> str | None:
    """The stage of a rule; None of one that only names what is to be made.

    Raises:
        InputError: the rule is in no stage.
    """
    if rule in TARGETS:
        return None
    for stage in STAGES:
        if any(fnmatchcase(rule, pattern) for pattern in stage.rules):
            return stage.name
    raise InputError(
        f"The rule {rule!r} is in no stage of the workflow's picture: add it to STAGES in fplbench/reporting/rule_graph.py."
    )


def collapse(rules: Iterable[str], edges: Iterable[tuple[str, str]]) -> StageGraph:
    """The stages of rules, and what they need of each other.

    Raises:
        InputError: a rule is in no stage, or stages need each other.
    """
    stages = {rule: stage_of(rule) for rule in rules}
    own = {stage.name: [rule for rule in stages if stages[rule] == stage.name] for stage in STAGES}
    own = {name: found for name, found in own.items() if found}
    pairs = {(stages[first], stages[second]) for first, second in edges}
    between = {(first, second) for first, second in pairs if first and second and first != second}
    return StageGraph(own, without_shortcuts(between), layers(list(own), between))


def without_shortcuts(edges: Edges) -> Edges:
    """The edges of an acyclic graph without those that follow from others: what can be reached stays the same."""
    return {
        (first, second)
        for first, second in edges
        if not any(start == first and middle != second and second in reached(middle, edges) for start, middle in edges)
    }


def reached(start: str, edges: Edges) -> set[str]:
    """All that can be reached from a node."""
    found: set[str] = set()
    new = {start}
    while new:
        new = {second for first, second in edges if first in new} - found
        found |= new
    return found


def layers(names: Sequence[str], edges: Edges) -> dict[str, int]:
    """A column for each node, as far to the right as what needs it allows; nodes that nothing needs follow directly.

    Raises:
        InputError: nodes need each other.
    """
    if any(name in reached(name, edges) for name in names):
        raise InputError("Stages of the workflow need each other: move a rule to another stage in STAGES.")
    order = sorted(names, key=lambda name: len(reached(name, edges)), reverse=True)  # what is needed comes first
    found: dict[str, int] = {}
    for name in order:
        found[name] = 1 + max((found[first] for first, second in edges if second == name), default=-1)
    for name in reversed(order):
        after = [found[second] for first, second in edges if first == name]
        found[name] = min(after) - 1 if after else found[name]
    return {name: found[name] for name in names}
