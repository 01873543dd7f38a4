"""Figure 1 agrees with the workflow."""

from xml.etree import ElementTree

from fplbench.reporting.rule_graph import collapse, read_rule_graph, stage_of
from tests.helpers.workflow import ROOT, snakemake

TARGETS = ("all", "fair", "ablation", "generalisation", "detectability", "calibrate", "noise_sheet")


def graph_of(folder, *targets):
    """Rules of the demo, and what they need."""
    process = snakemake(folder, *targets, "--rulegraph", "--configfile", str(ROOT / "config" / "demo.yaml"))
    assert process.returncode == 0, process.stdout[-3000:]
    (folder / "graph.dot").write_text(process.stdout)
    return read_rule_graph(folder / "graph.dot")


def test_the_picture_shows_the_rules_of_the_demo(tmp_path):
    rules, edges = graph_of(tmp_path)
    shown = collapse(rules, edges).rules
    assert sorted(rule for own in shown.values() for rule in own) == sorted(set(rules) - {"all"})
    root = ElementTree.parse(ROOT / "docs" / "images" / "workflow.svg").getroot()
    words = {text.strip() for text in root.itertext()}
    assert set(rules) - {"all"} <= words, "run `make generated`"
    assert f"Workflow: {len(rules) - 1} rules of Snakemake" in " ".join(words)


def test_every_rule_of_every_target_has_a_stage(tmp_path):
    rules, edges = graph_of(tmp_path, *TARGETS)
    graph = collapse(rules, edges)
    assert {rule for rule in rules if stage_of(rule) is None} == set(TARGETS)
    assert all(graph.layers[first] < graph.layers[second] for first, second in graph.edges)
