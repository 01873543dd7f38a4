"""The second best of a row, and cells that the paired test does not tell from the best."""

import numpy as np
import pytest

from fplbench.reporting.cells import summarise
from fplbench.reporting.statistics import MINIMUM_SEEDS, MINIMUM_UNITS, smallest_p


def lower_by_one(count, units=MINIMUM_UNITS):
    """Scores of 10, or of 9 for some of the units."""
    return np.array([9.0] * count + [10.0] * (units - count))


def summarised(direction="higher", units=MINIMUM_UNITS, **lower):
    sign = -1 if direction == "lower" else 1
    scores = {name: sign * lower_by_one(count, units) for name, count in lower.items()}
    return summarise(scores, [f"p{i}" for i in range(units)], np.random.default_rng(0), direction)


def marked(cells, mark):
    return [name for name, cell in cells.items() if getattr(cell, mark)]


@pytest.mark.parametrize("direction", ["higher", "lower"])
def test_the_second_best_is_marked_in_rows_with_one_best(direction):
    assert marked(summarised(direction, a=0, b=2, c=1), "second") == ["c"]
    assert marked(summarised(direction, a=0, b=1, c=1), "second") == ["b", "c"]
    tied = summarised(direction, a=0, b=0, c=1)
    assert (marked(tied, "best"), marked(tied, "second")) == (["a", "b"], [])
    assert marked(summarised(direction, a=0), "second") == []
    assert marked(summarised(None, a=0, b=1), "second") == []


@pytest.mark.parametrize("direction", ["higher", "lower"])
def test_a_cell_is_tied_where_the_permutation_test_does_not_tell_it_from_the_best(direction):
    """If n units differ, all in one direction, p is 2 / 2^n: 0.0625 for five of them and 0.03125 for six."""
    assert marked(summarised(direction, a=0, five=5), "tied") == ["five"]
    assert marked(summarised(direction, a=0, six=6), "tied") == []


def test_ties_are_adjusted_for_the_cells_of_the_row():
    # By Holm: the p-values 0.03125 and 1 become 0.0625 and 1; with 2 / 2^12 instead of 1, 0.03125 stays.
    assert marked(summarised(a=0, six=6, one=1), "tied") == ["six", "one"]
    assert marked(summarised(a=0, six=6, twelve=12), "tied") == []


def test_the_best_is_not_tied_with_itself_and_few_units_have_no_ties():
    assert marked(summarised(a=0, b=0, one=1), "tied") == ["one"]
    assert marked(summarised(units=MINIMUM_UNITS - 1, a=0, one=1), "tied") == []
    assert marked(summarised(None, a=0, one=1), "tied") == []


def test_ties_with_a_network_that_has_several_seeds_are_those_over_seeds_and_units():
    """All units of nlm are lower by 0.5, so that the permutation test tells it from fpl; other seeds of fpl may be below."""
    seeds = np.linspace(-5, 5, MINIMUM_SEEDS)[:, None]
    units = [f"p{i}" for i in range(MINIMUM_UNITS)]
    fpl, nlm = np.full((1, MINIMUM_UNITS), 10.0), np.full((1, MINIMUM_UNITS), 9.5)
    single = summarise({"fpl": fpl, "nlm": nlm}, units, np.random.default_rng(0))
    several = summarise({"fpl": fpl + seeds, "nlm": nlm}, units, np.random.default_rng(0))
    assert (marked(single, "tied"), marked(several, "tied")) == ([], ["nlm"])


def test_leads_and_ties_share_their_permutations():
    """Where the reference is the best, the p-value of a lead decides about the tie too."""
    rng = np.random.default_rng(1)
    scores = {"fpl": rng.normal(31, 1, 40), **{f"m{i}": rng.normal(30.5, 1, 40) for i in range(3)}}
    cells = summarise(scores, [f"p{i}" for i in range(40)], np.random.default_rng(0), reference="fpl")
    assert cells["fpl"].best
    p = sorted(cell.lead.p for cell in cells.values() if cell.lead)
    adjusted = np.maximum.accumulate([p[0] * 3, p[1] * 2, p[2]])
    assert sum(cell.tied for cell in cells.values()) == np.sum(adjusted >= 0.05)


def test_the_smallest_p_by_hand():
    assert smallest_p(1) == 1
    assert smallest_p(5) == 2 / 32
    assert smallest_p(5, 13) == pytest.approx(13 / 16)
    assert smallest_p(3, 13) == 1
    assert smallest_p(100, 13) == pytest.approx(13 / 10_000)
