"""Figure 1: the workflow of a run, drawn from its rule graph, and the data flow of the loss."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from fplbench.files import replacing
from fplbench.reporting import loss_diagram
from fplbench.reporting.diagram import DARK, arrow, box, text_width
from fplbench.reporting.panels import check_picture
from fplbench.reporting.rule_graph import STAGES, StageGraph, collapse, read_rule_graph

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, MARGIN = loss_diagram.WIDTH, 0.06  # inches
SIZE = 8.0  # of the lettering, points; a page shows the picture at about 100 pixels an inch
LINE, PADDING, BETWEEN, TITLE = 0.145, 0.08, 0.22, 0.3  # heights in inches: of a line, around text, between boxes, of a heading
FILLS = {"Restoration": loss_diagram.FROZEN, "Training": loss_diagram.TRAINED}  # the colours of the two networks in the data flow
DOTS_PER_INCH = 200
WRITES = {stage.name: stage.writes for stage in STAGES}

Box = tuple[float, float, float, float]
"""Left, bottom, width and height, inches."""


def workflow_figure(output: str | os.PathLike[str], rule_graph: str | os.PathLike[str]) -> None:
    """Draw the stages of a run with their rules, and how the loss is computed.

    Args:
        output: the picture to write; the ending of its name (.svg, .png, .pdf) sets the format. In .svg, text stays text.
        rule_graph: what `snakemake --rulegraph` printed. The same graph gives the same file.

    Raises:
        InputError: the file is not a rule graph, a rule is in no stage, or the name of the picture does not end like one.
    """
    from matplotlib import rc_context

    check_picture(output)
    graph = collapse(*read_rule_graph(rule_graph))
    undated = {".svg": {"Date": None, "Creator": "fplbench"}, ".pdf": {"CreationDate": None}}.get(Path(output).suffix, {})
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "fplbench", "mathtext.fontset": "dejavusans"}):
        figure = draw_workflow(graph)
        with replacing(output) as temporary:
            figure.savefig(temporary, dpi=DOTS_PER_INCH, metadata=undated)


def draw_workflow(graph: StageGraph) -> "Figure":
    """The stages from left to right, and the data flow of the loss below them."""
    from matplotlib.figure import Figure

    places, top = stage_places(graph)
    height = loss_diagram.HEIGHT + BETWEEN + TITLE + top + MARGIN
    figure = Figure(figsize=(WIDTH, height), facecolor="white")
    axis = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(0, height))
    axis.set_axis_off()
    loss_diagram.draw_loss(axis, SIZE)
    base = loss_diagram.HEIGHT + BETWEEN
    number = sum(map(len, graph.rules.values()))
    title = f"Workflow: {number} rules of Snakemake in {len(graph.rules)} stages, from native files to results"
    axis.text(MARGIN, height - MARGIN, title, fontsize=SIZE + 2, weight="bold", va="top")
    for name, place in places.items():
        _draw_stage(axis, name, graph, place, base)
    for first, second in sorted(graph.edges):
        (left, bottom, width, tall), (to, low, _, high) = places[first], places[second]
        arrow(axis, (left + width, base + bottom + tall / 2), (to, base + low + high / 2), curved=True)
    return figure


def stage_places(graph: StageGraph) -> tuple[dict[str, Box], float]:
    """Where the boxes of the stages are, and the height that they need; columns are as wide as their longest word needs.

    The columns fill `WIDTH` with equal gaps. Boxes of a column are below each other, in the middle of the height.
    """
    columns = [
        [name for name, layer in graph.layers.items() if layer == number] for number in range(1 + max(graph.layers.values()))
    ]
    heights = {name: LINE * (len(rules) + 2) + 2 * PADDING for name, rules in graph.rules.items()}
    widths = [max(_width(name, graph) for name in column) for column in columns]
    top = max(sum(heights[name] + BETWEEN for name in column) - BETWEEN for column in columns)
    gap = (WIDTH - 2 * MARGIN - sum(widths)) / max(len(columns) - 1, 1)
    places = {}
    left = MARGIN
    for column, width in zip(columns, widths, strict=True):
        bottom = (top + sum(heights[name] + BETWEEN for name in column) - BETWEEN) / 2
        for name in column:
            bottom -= heights[name]
            places[name] = (left, bottom, width, heights[name])
            bottom -= BETWEEN
        left += width + gap
    return places, top


def _width(name: str, graph: StageGraph) -> float:
    words = [(name, SIZE + 1, True), (WRITES[name], SIZE, False), *((rule, SIZE, False) for rule in graph.rules[name])]
    return max(text_width(*each) for each in words) + 2 * PADDING


def _draw_stage(axis: "Axes", name: str, graph: StageGraph, place: Box, base: float) -> None:
    left, bottom, width, height = place
    box(axis, (left, base + bottom, width, height), FILLS.get(name, loss_diagram.DATA))
    line = base + bottom + height - PADDING - LINE / 2
    axis.text(left + PADDING, line, name, fontsize=SIZE + 1, weight="bold", va="center")
    axis.text(left + PADDING, line - LINE, WRITES[name], fontsize=SIZE, style="italic", va="center", color=DARK)
    for number, rule in enumerate(graph.rules[name], start=2):
        axis.text(left + PADDING, line - number * LINE, rule, fontsize=SIZE, va="center")
