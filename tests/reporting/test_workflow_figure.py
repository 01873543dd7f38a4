import itertools
import re
from xml.etree import ElementTree

import pytest
from PIL import Image

from fplbench.errors import InputError
from fplbench.reporting.diagram import text_width
from fplbench.reporting.loss_diagram import HEIGHT, NODES, WIDTH
from fplbench.reporting.rule_graph import StageGraph
from fplbench.reporting.workflow_figure import SIZE, draw_workflow, stage_places
from tests.helpers.scores import run

GRAPH = StageGraph(
    {
        "Images": ["sample_images"], "Noise": ["synthesize_noise"], "Restoration": ["train_restoration", "explain_clean_images"],
        "Training": ["train_fpl"], "Denoising": ["denoise_networks_inserted"], "Scoring": ["score"],
        "Results": [f"r{number}_figure" for number in range(20)],
    },
    {("Images", "Noise"), ("Images", "Restoration"), ("Restoration", "Training"), ("Noise", "Training")},
    {"Images": 0, "Noise": 1, "Restoration": 1, "Training": 2, "Denoising": 3, "Scoring": 4, "Results": 5},
)  # fmt: skip
DOT = 'digraph snakemake_dag {\n 0[label = "sample_images", color = "0"];\n 1[label = "score", color = "0"];\n 0 -> 1\n}\n'


def overlap(one, other):
    """Whether boxes, left, bottom, width and height, share more than an edge."""
    return all(
        min(one[i] + one[i + 2], other[i] + other[i + 2]) > max(one[i], other[i]) + 1e-9 for i in (0, 1)
    )  # fmt: skip


def test_boxes_of_stages_do_not_overlap_and_lie_inside():
    places, top = stage_places(GRAPH)
    assert not any(overlap(one, other) for one, other in itertools.combinations(places.values(), 2))
    assert all(
        left >= 0 and left + width <= WIDTH and bottom >= -1e-9 and bottom + height <= top + 1e-9
        for left, bottom, width, height in places.values()
    )


def test_arrows_lead_to_the_right_with_room_for_their_heads():
    places, _ = stage_places(GRAPH)
    for first, second in GRAPH.edges:
        assert places[second][0] - (places[first][0] + places[first][2]) > 0.15


def test_every_rule_fits_into_its_box():
    places, _ = stage_places(GRAPH)
    for name, rules in GRAPH.rules.items():
        assert max(text_width(rule, SIZE) for rule in rules) < places[name][2]


def test_boxes_of_the_loss_do_not_overlap_and_lie_inside():
    boxes = [(node.left, node.middle - node.height / 2, node.width, node.height) for node in NODES.values()]
    assert not any(overlap(one, other) for one, other in itertools.combinations(boxes, 2))
    assert all(left >= 0 and left + w <= WIDTH and bottom >= 0 and bottom + h <= HEIGHT for left, bottom, w, h in boxes)


def test_text_of_the_loss_fits_into_its_boxes():
    figure = draw_workflow(GRAPH)
    figure.draw_without_rendering()
    axis = figure.axes[0]
    for name, node in NODES.items():
        (text,) = [each for each in axis.texts if each.get_text() == node.text]
        extent = text.get_window_extent().transformed(axis.transData.inverted())
        assert node.left < extent.x0 and extent.x1 < node.left + node.width, name


def test_the_loss_has_the_names_of_the_paper():
    text = "".join(node.text for node in NODES.values()).replace("\\mathrm", "").replace("{", "").replace("}", "")
    for name in ("I_clean", "I_noise", "M_noise", "I_denoised", "F_clean", "F_denoised", "L_FP", "L_res"):
        assert name in text
    assert "trained" in NODES["denoiser"].text
    assert "frozen" in NODES["restoration"].text and NODES["restoration"].dashed


def test_text_stays_text_in_svg_and_the_same_graph_gives_the_same_file(tmp_path):
    (tmp_path / "g.dot").write_text(DOT)
    run("workflow-figure", tmp_path / "a.svg", tmp_path / "g.dot")
    run("workflow-figure", tmp_path / "b.svg", tmp_path / "g.dot")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    words = "".join(ElementTree.parse(tmp_path / "a.svg").getroot().itertext())
    for word in ("Workflow: 2 rules", "sample_images", "score", "Denoiser", "Restoration"):
        assert word in words


def test_the_command_also_writes_png_and_pdf(tmp_path):
    (tmp_path / "g.dot").write_text(DOT)
    run("workflow-figure", tmp_path / "a.png", tmp_path / "g.dot")
    picture = Image.open(tmp_path / "a.png").convert("RGB")
    assert picture.width == 1800 and picture.getpixel((picture.width - 1, 0)) == (255, 255, 255)  # white behind dark pages
    run("workflow-figure", tmp_path / "a.pdf", tmp_path / "g.dot")
    assert re.match(rb"%PDF", (tmp_path / "a.pdf").read_bytes())


def test_what_cannot_be_drawn_is_refused(tmp_path):
    (tmp_path / "g.dot").write_text(DOT.replace("score", "polish"))
    with pytest.raises(InputError, match="'polish' is in no stage"):
        run("workflow-figure", tmp_path / "a.svg", tmp_path / "g.dot")
    with pytest.raises(InputError, match=r"a.txt is not a picture"):
        run("workflow-figure", tmp_path / "a.txt", tmp_path / "g.dot")
