"""Dividing a total into whole numbers."""

from fplbench.datasets.sampling.quotas import apportion, apportion_scarce, divide, even_quotas


def test_quotas_that_cannot_be_filled_go_to_the_others():
    assert even_quotas([2, 100, 100], 100) == [2, 49, 49]
    assert even_quotas([5, 0, 5], 10) == [5, 0, 5]
    assert sum(even_quotas([7, 3, 9, 1], 11)) == 11


def test_totals_are_apportioned_by_largest_remainders_with_at_least_one_each():
    assert apportion(3, {"a": 5000, "b": 1, "c": 1}) == {"a": 1, "b": 1, "c": 1}
    assert apportion(13, {"a": 7, "b": 2, "c": 1}) == {"a": 9, "b": 3, "c": 1}  # from 9.1, 2.6 and 1.3
    assert apportion(131, {"a": 5000, "b": 500, "c": 500}) == {"a": 109, "b": 11, "c": 11}


def test_the_parts_of_a_division_differ_by_one_at_most():
    assert divide(10, 4) == [2, 3, 2, 3]
    assert divide(3, 3) == [1, 1, 1]


def test_more_than_there_is_gives_all_there_is():
    assert even_quotas([2, 0, 3], 9) == [2, 0, 3]
    assert even_quotas([], 4) == []


def test_above_their_floors_those_that_give_least_give_first():
    assert even_quotas([10, 10, 10], 8, [4, 0, 1]) == [4, 2, 2]
    assert even_quotas([10, 1, 10], 8, [4, 0, 0]) == [4, 1, 3]
    assert even_quotas([10, 10], 6, [5, 1]) == [5, 1]


def test_shares_need_not_be_whole_numbers():
    assert apportion(131, {"a": 0.6, "b": 0.1, "c": 0.3}) == {"a": 79, "b": 13, "c": 39}  # from 78.6, 13.1 and 39.3


def test_a_total_that_is_too_small_for_all_goes_to_the_first():
    weights = {"a": 5000, "b": 500, "c": 500}
    assert apportion_scarce(0, weights, "cab") == {"a": 0, "b": 0, "c": 0}
    assert apportion_scarce(1, weights, "cab") == {"a": 0, "b": 0, "c": 1}
    assert apportion_scarce(2, weights, "cab") == {"a": 1, "b": 0, "c": 1}
    assert apportion_scarce(3, weights, "cab") == {"a": 1, "b": 1, "c": 1}
