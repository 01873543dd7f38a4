"""Dividing a total into whole numbers."""

from fplbench.datasets.quotas import apportion, divide, even_quotas


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
