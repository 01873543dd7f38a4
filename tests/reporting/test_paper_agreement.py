"""Rank correlations, best methods and distances, compared with values computed by hand; and the figure."""

import math

import pytest

from fplbench import published
from fplbench.reporting.paper_agreement import agreement, correlated
from fplbench.reporting.paper_cells import Comparison, Row, Value
from fplbench.reporting.paper_figure import OFFSET, draw_comparison
from fplbench.reporting.paper_verdict import aspects, verdict


def comparison(**noises):
    """A comparison from pairs (published, ours) by method; the same for both metrics."""
    rows = [
        Row(noise, method, {"psnr": Value(*pair), "ssim": Value(*pair)}, None)
        for noise, methods in noises.items()
        for method, pair in methods.items()
    ]
    return Comparison("lidc", tuple(rows))


# The published PSNRs of four methods on Gaussian noise, and ours with a perfect FPL and two others exchanged.
GAUSSIAN = {"fpl": (35.20, 100.0), "dpir": (30.74, 20.0), "bilateral": (30.92, 25.0), "nlm": (31.69, 22.0)}


def test_the_hand_computed_values_are_the_published_ones():
    printed = published.values("lidc", "psnr")
    assert all(printed["gaussian", method] == pair[0] for method, pair in GAUSSIAN.items())


def test_spearmans_correlation_with_a_perfect_method_and_two_others_exchanged():
    # Ranks 4 1 2 3 and 4 1 3 2: 1 - 6 (1 + 1) / (4 * 15) = 0.8.
    found = agreement(comparison(gaussian=GAUSSIAN), "psnr")
    assert found.correlations["gaussian"] == (pytest.approx(0.8), 4)
    assert found.means == found.everything == (pytest.approx(0.8), 4)
    assert found.best["gaussian"] == ({"fpl"}, {"fpl"})
    assert found.distances == pytest.approx([64.80, 10.74, 5.92, 9.69])


def test_ties_have_their_mean_rank():
    # Ranks 3 1.5 1.5 and 3 2 1: Pearson's correlation of these is 1.5 / sqrt(1.5 * 2).
    assert correlated([(0.82, 0.9), (0.50, 0.5), (0.50, 0.4)])[0] == pytest.approx(1.5 / math.sqrt(3))


@pytest.mark.parametrize("pairs", [[], [(1.0, 1.0), (2.0, 2.0)], [(5.0, 1.0), (5.0, 2.0), (5.0, 3.0)], [(1, 5), (2, 5), (3, 5)]])
def test_there_is_no_correlation_of_two_methods_or_equal_values(pairs):
    assert correlated(pairs) == (None, len(pairs))


def test_correlations_over_all_noises():
    # Means of the noises: 2 and 3 against 3 and 4 and 1 against 1: the same order. All six values: ranks 1 3 5 2 4 6 (published)
    # and 1 2 3 4 5 6 (ours), so 1 - 6 (0 + 1 + 4 + 4 + 1 + 0) / (6 * 35).
    pair = {"fpl": (1, 1), "dpir": (3, 2), "nlm": (5, 3)}, {"fpl": (2, 4), "dpir": (4, 5), "nlm": (6, 6), "wiener": (7, None)}
    found = agreement(comparison(gaussian=pair[0], poisson=pair[1]), "psnr")
    assert found.means == (1, 3)
    assert found.everything == (pytest.approx(1 - 60 / 210), 6)


def test_of_several_best_published_methods_one_has_to_be_the_best_before_rounding():
    wins = {"fpl": (0.9, 0.9042), "dpir": (0.9, 0.9010), "nlm": (0.5, 0.7)}
    loses = {"fpl": (0.9, 0.9010), "dpir": (0.8, 0.9042), "nlm": (0.9, 0.9)}
    found = agreement(comparison(gaussian=wins, poisson=loses), "ssim")
    assert found.best == {"gaussian": ({"fpl", "dpir"}, {"fpl"}), "poisson": ({"fpl", "nlm"}, {"dpir"})}
    assert (found.same_best, found.first_in_both) == (1, 1)


def test_a_value_within_the_tolerance_is_close():
    found = agreement(comparison(gaussian={"fpl": (30, 30.4), "dpir": (30, 29.4)}), "psnr")
    assert found.close == 1


def test_one_method_gives_values_but_no_order_and_no_best():
    one = comparison(gaussian={"fpl": (30.0, 30.4)})
    found = agreement(one, "psnr")
    assert verdict([found], one.labels) == "Reproduced: the values."
    assert aspects(found, one.labels) == {"the values": (True, "1 of 1 within 0.5 dB, half within 0.40 dB")}


def test_the_figure_has_the_papers_method_above_ours_and_a_tick_for_each_other_method():
    figure = draw_comparison(comparison(gaussian=GAUSSIAN, poisson={"fpl": (35.25, None)}))
    psnr = figure.axes[0]
    drawn = {line.get_marker(): line for line in psnr.get_lines() if line.get_marker() in "Do"}
    assert (drawn["D"].get_xdata()[0], drawn["D"].get_ydata()[0]) == (35.20, -OFFSET)
    assert (drawn["o"].get_xdata()[0], drawn["o"].get_ydata()[0]) == (100, OFFSET)
    ticks = [list(line.get_xdata()) for line in psnr.get_lines() if line.get_marker() == "|"]
    assert ticks == [[30.74, 30.92, 31.69], [20, 25, 22]]
    assert [label.get_text() for label in psnr.get_yticklabels()] == ["Gauss."]
    assert psnr.yaxis_inverted()
