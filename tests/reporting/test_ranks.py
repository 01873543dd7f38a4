import re

import numpy as np
import pytest
from PIL import Image

from fplbench.errors import InputError
from fplbench.reporting.labels import Labels
from fplbench.reporting.lettering import LEAST_PIXELS, PAGE_PIXELS
from fplbench.reporting.ranks import count_ranks, draw_ranks
from fplbench.reporting.repeats import read_columns
from tests.helpers.scores import run

# Mean PSNR. Gaussian and thermal noise are one row; nlm and dpir tie on speckle.
MEANS = {
    "gaussian": {"noisy": 10, "nlm": 30, "dpir": 20},
    "thermal": {"noisy": 10, "nlm": 20, "dpir": 30},
    "speckle": {"noisy": 10, "nlm": 20, "dpir": 20},
    "motion": {"noisy": 30, "nlm": 20, "dpir": 10},
}


def scores_of(write_scores, means, perfect=False):
    """Scores of two images a cell with these means in lidc, and with a perfect method if it is wanted."""
    cells = {}
    for noise, methods in means.items():
        for method, mean in {**methods, **({"perfect": 100} if perfect else {})}.items():
            cells["lidc", noise, method] = [mean - 0.25, min(mean + 0.25, 100)] if mean < 100 else [100, 100]
    return read_columns(write_scores(cells))


def test_ranks_are_those_found_by_hand(write_scores):
    found = count_ranks(scores_of(write_scores, MEANS), "psnr")
    assert found.rows == [("lidc", ("gaussian", "thermal")), ("lidc", ("speckle",)), ("lidc", ("motion",))]
    assert {method: ranks.tolist() for method, ranks in found.ranks.items()} == {
        "noisy": [3, 3, 1],
        "nlm": [2, 1.5, 2],  # first on Gaussian and second on thermal noise; a tie for the first two places
        "dpir": [2, 1.5, 3],
    }


def test_a_row_is_won_by_those_that_tie_and_of_two_noises_only_by_who_wins_both(write_scores):
    found = count_ranks(scores_of(write_scores, MEANS), "psnr")
    assert found.won == {"noisy": 1, "nlm": 1, "dpir": 1}
    both = {**MEANS, "thermal": {"noisy": 10, "nlm": 30, "dpir": 20}}
    assert count_ranks(scores_of(write_scores, both), "psnr").won == {"noisy": 1, "nlm": 2, "dpir": 1}


@pytest.mark.parametrize("metric", ["psnr", "ssim"])
def test_a_perfect_method_has_rank_1_everywhere_and_wins_every_row(write_scores, metric):
    found = count_ranks(scores_of(write_scores, MEANS, perfect=True), metric)
    np.testing.assert_array_equal(found.ranks["perfect"], [1, 1, 1])
    assert found.won == {"noisy": 0, "nlm": 0, "dpir": 0, "perfect": 3}


def test_for_errors_the_lowest_is_the_best(write_scores):
    scores = scores_of(write_scores, {"speckle": {"noisy": 1, "nlm": 2}})
    scores["lidc"]["speckle"].values["gmsd"] = scores["lidc"]["speckle"].values["psnr"]
    assert count_ranks(scores, "gmsd").won == {"noisy": 1, "nlm": 0}


def test_a_method_that_was_not_scored_everywhere_has_no_rank_and_is_named(write_scores):
    scores = scores_of(write_scores, {**MEANS, "motion": {"noisy": 30, "nlm": 20}})
    found = count_ranks(scores, "psnr")
    assert found.left_out == ["dpir"] and found.won == {"noisy": 1, "nlm": 2}
    assert "Without a rank, as they were not scored in every row: DPIR." in note_of(draw_ranks(scores, "", Labels()))
    with pytest.raises(InputError, match="No method was scored on every noise"):
        count_ranks(scores_of(write_scores, {"speckle": {"noisy": 1}, "motion": {"nlm": 1}}), "psnr")


def note_of(figure):
    """The text below the panels, on one line."""
    return figure.get_supxlabel().replace("\n", " ")


def test_methods_are_in_the_order_of_their_mean_ranks_with_the_number_of_rows_won(write_scores):
    figure = draw_ranks(scores_of(write_scores, MEANS, perfect=True), "A note", Labels({"perfect": "Perfect"}))
    axis = figure.axes[0]
    # Mean ranks: perfect 1, nlm (3 + 2.5 + 3) / 3 = 2.8, dpir 3.2, noisy (4 + 4 + 2) / 3 = 3.3.
    assert [tick.get_text() for tick in axis.get_yticklabels()] == ["Perfect", "NL Mean.", "DPIR", "Noisy"]
    numbers = {text.get_position()[1]: [] for text in axis.texts if text.get_position()[0] > 5}
    for text in axis.texts:
        if text.get_position()[0] > 5:
            numbers[text.get_position()[1]].append(text.get_text())
    assert [numbers[place] for place in range(4)] == [["1.0", "3"], ["2.8", "0"], ["3.2", "0"], ["3.3", "0"]]


def test_bars_count_the_rows_of_each_rank(write_scores):
    figure = draw_ranks(scores_of(write_scores, MEANS), "", Labels())
    axis = figure.axes[0]
    ticks = {tick.get_text(): place for place, tick in enumerate(axis.get_yticklabels())}
    bars = sorted(
        (round(bar.get_x() + bar.get_width() / 2, 3), round(abs(bar.get_height()), 3))
        for bar in axis.patches
        if abs(bar.get_y() - ticks["Noisy"] - 0.31) < 0.01
    )
    assert bars == [(1.0, 0.31), (3.0, 0.62)]  # once the first and twice the last


def test_the_note_says_how_rows_are_counted_and_why_there_is_no_diagram(write_scores):
    note = note_of(draw_ranks(scores_of(write_scores, MEANS), "A note", Labels()))
    assert "count as one row: its rank is the worse of the two, and it is won only if both are." in note
    assert "The rows are not independent" in note and note.endswith("A note.")
    alone = note_of(draw_ranks(scores_of(write_scores, {"speckle": MEANS["speckle"]}), "", Labels()))
    assert "count as one row" not in alone


@pytest.mark.parametrize("methods", [2, 12, 30])
def test_lettering_is_at_least_11_pixels_high_in_the_report(write_scores, methods):
    figure = draw_ranks(scores_of(write_scores, {"speckle": {f"m{i:02d}": i for i in range(methods)}}), "", Labels())
    texts = [*figure.axes[0].texts, *figure.axes[0].get_xticklabels(), *figure.axes[0].get_yticklabels()]
    shown = PAGE_PIXELS / (72 * figure.get_figwidth())  # pixels of a point
    assert min(text.get_fontsize() for text in texts) * shown >= LEAST_PIXELS - 1e-9


def test_the_command_draws_a_picture(tmp_path, write_scores):
    path = write_scores({("lidc", "speckle", name): [value, value] for name, value in (("noisy", 20), ("nlm", 22))})
    run("rank-figure", tmp_path / "r.svg", path)
    assert "Rank by mean PSNR in 1 row" in " ".join(re.findall(r"<!-- (.*) -->", (tmp_path / "r.svg").read_text()))
    run("rank-figure", tmp_path / "r.png", path)
    assert Image.open(tmp_path / "r.png").format == "PNG"
    with pytest.raises(InputError, match=r"r.txt is not a picture"):
        run("rank-figure", tmp_path / "r.txt", path)
