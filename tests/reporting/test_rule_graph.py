import itertools
import random

import pytest

from fplbench.errors import InputError
from fplbench.reporting.rule_graph import collapse, layers, reached, read_rule_graph, stage_of, without_shortcuts

GRAPH = """digraph snakemake_dag {
    graph[bgcolor=white, margin=0];
    node[shape=box, style=rounded, fontname=sans, fontsize=10, penwidth=2];
	0[label = "all", color = "0.03 0.6 0.85", style="rounded"];
	1[label = "table", color = "0.53 0.6 0.85", style="rounded"];
	2[label = "score", color = "0.44 0.6 0.85", style="rounded"];
	3[label = "sample_images", color = "0.43 0.6 0.85", style="rounded,dashed"];
	4[label = "denoise_filters", color = "0.15 0.6 0.85", style="rounded"];
	1 -> 0
	2 -> 1
	3 -> 2
	4 -> 2
	3 -> 4
}
"""


@pytest.fixture
def read(tmp_path):
    """Function that reads a text as a rule graph."""

    def read_text(text):
        (tmp_path / "graph.dot").write_text(text)
        return read_rule_graph(tmp_path / "graph.dot")

    return read_text


def test_rules_and_what_they_need_are_read(read):
    rules, edges = read(f"Using profile profiles/default.\n{GRAPH}")
    assert rules == ["all", "table", "score", "sample_images", "denoise_filters"]
    assert edges == {
        ("table", "all"), ("score", "table"), ("sample_images", "score"), ("denoise_filters", "score"),
        ("sample_images", "denoise_filters"),
    }  # fmt: skip


@pytest.mark.parametrize("text", ["", "digraph {}", GRAPH.replace("digraph", "graph"), GRAPH.replace("3 -> 4", "3 -> 9")])
def test_what_is_not_a_rule_graph_is_refused(read, text):
    with pytest.raises(InputError, match=r"graph.dot is not a rule graph: write it with `snakemake --rulegraph"):
        read(text)


def test_a_missing_graph_is_named(tmp_path):
    with pytest.raises(InputError, match=r"gone.dot does not exist"):
        read_rule_graph(tmp_path / "gone.dot")


def test_rules_are_collapsed_into_stages_from_left_to_right(read):
    graph = collapse(*read(GRAPH))
    assert graph.rules == {
        "Images": ["sample_images"], "Denoising": ["denoise_filters"], "Scoring": ["score"], "Results": ["table"],
    }  # fmt: skip
    assert graph.edges == {("Images", "Denoising"), ("Denoising", "Scoring"), ("Scoring", "Results")}
    assert graph.layers == {"Images": 0, "Denoising": 1, "Scoring": 2, "Results": 3}


def test_each_rule_is_in_the_first_stage_that_it_fits():
    assert [stage_of(rule) for rule in ("train_restoration", "train_fpl", "denoise_mine", "fair_cost", "all")] == [
        "Restoration", "Training", "Denoising", "Results", None,
    ]  # fmt: skip


def test_a_rule_in_no_stage_is_refused_with_what_to_do(read):
    with pytest.raises(InputError, match="'polish' is in no stage of the workflow's picture: add it to STAGES"):
        collapse(*read(GRAPH.replace("score", "polish")))


def test_stages_that_need_each_other_are_refused(read):
    with pytest.raises(InputError, match="need each other"):
        collapse(*read(GRAPH.replace("3 -> 4", "2 -> 3")))


def test_edges_that_follow_from_others_are_left_out():
    edges = {("a", "b"), ("b", "c"), ("a", "c"), ("c", "d"), ("a", "d"), ("x", "d")}
    assert without_shortcuts(edges) == {("a", "b"), ("b", "c"), ("c", "d"), ("x", "d")}


def test_without_shortcuts_the_same_can_be_reached_and_every_edge_is_needed():
    random.seed(0)
    for _ in range(30):
        names = "abcdefg"
        edges = {pair for pair in itertools.combinations(names, 2) if random.random() < 0.5}
        found = without_shortcuts(edges)
        assert found <= edges
        assert all(reached(name, found) == reached(name, edges) for name in names)
        assert all(second not in reached(first, found - {(first, second)}) for first, second in found)


def test_columns_follow_what_is_needed_and_sources_stand_beside_what_needs_them():
    edges = {("a", "b"), ("b", "c"), ("c", "d"), ("s", "d"), ("a", "end")}
    assert layers(["a", "b", "c", "d", "s", "end"], edges) == {"a": 0, "b": 1, "c": 2, "d": 3, "s": 2, "end": 1}
