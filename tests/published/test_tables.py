import math
from collections import Counter

import pytest

from fplbench import published

METHODS = {
    "fpl",
    "dpir",
    "bilateral",
    "filter_combination",
    "gaussian_filter",
    "mean_filter",
    "median_filter",
    "nlm",
    "wavelet",
    "wiener",
}


@pytest.fixture(scope="module")
def value():
    return {entry[:4]: entry.value for entry in published.tables()}


def test_three_tables_of_thirteen_noises_and_ten_methods_plus_the_impulse_row(value):
    assert len(value) == len(published.tables()) == 3 * 2 * 13 * 10 + 10
    assert {name[3] for name in value} == METHODS
    rows = {name[:3] for name in value}
    assert Counter(row[:2] for row in rows) == {
        (dataset, metric): 13 + ((dataset, metric) == ("lits", "ssim"))
        for dataset in ("lidc", "lits", "rsna")
        for metric in ("psnr", "ssim")
    }


def test_values_at_the_corners_of_each_table(value):
    assert value["lidc", "psnr", "chemical_shift", "fpl"] == 49.39
    assert value["lidc", "psnr", "wrap_around", "wiener"] == 31.12
    assert value["lidc", "ssim", "wrap_around", "wiener"] == 0.48
    assert value["lits", "psnr", "chemical_shift", "fpl"] == 51.67
    assert value["lits", "ssim", "impulse", "median_filter"] == 0.98
    assert value["lits", "ssim", "wrap_around", "wiener"] == 0.37
    assert value["rsna", "psnr", "wrap_around", "wiener"] == 29.62
    assert value["rsna", "ssim", "wrap_around", "fpl"] == 0.91


def test_only_one_value_is_missing(value):
    missing = [name for name, number in value.items() if math.isnan(number)]
    assert missing == [("rsna", "ssim", "chemical_shift", "wiener")]
    assert ("chemical_shift", "wiener") not in published.values("rsna", "ssim")


def test_every_value_is_possible_for_its_metric(value):
    numbers = {metric: [v for name, v in value.items() if name[1] == metric and v == v] for metric in ("psnr", "ssim")}
    assert min(numbers["psnr"]) == 27.27
    assert max(numbers["psnr"]) < 60
    assert min(numbers["ssim"]) > 0
    assert max(numbers["ssim"]) <= 1


def test_thermal_repeats_gaussian_for_every_baseline(value):
    for (dataset, metric, noise, method), number in value.items():
        if noise == "thermal":
            assert (number == value[dataset, metric, "gaussian", method]) == (method != "fpl")


def test_other_data_sets_have_no_published_values():
    assert published.values("mine", "psnr") == {}
