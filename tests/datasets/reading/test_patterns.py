"""Which files a pattern chooses, and what it leaves of their names."""

import fnmatch
import time

import numpy as np
import pytest

from fplbench.datasets.reading.patterns import check_pattern, name_within


@pytest.mark.parametrize(
    ("path", "pattern", "name"),
    [
        ("clean/a/1-001.dcm", "clean", "a/1-001"),
        ("P1/clean/1-001.dcm", "clean", "P1/1-001"),
        ("P1/unclean/1-001.dcm", "clean", None),
        ("noisy/1-001.dcm", "clean", None),
        ("clean/1.2.840.55", "clean", "1.2.840.55"),
        ("clean/a.nii.gz", "clean", "a"),
        ("clean/a.b.nii", "clean", "a.b"),
        ("C002/9.1/1.000000-Full Dose Images-1/1-001.dcm", "*Full Dose*", "C002/9.1/1-001"),
        ("C002/9.1/1.000000-Low Dose Images-7/1-001.dcm", "*Low Dose*", "C002/9.1/1-001"),
        ("C002/9.1/1.000000-Low Dose Images-7/1-001.dcm", "*Full Dose*", None),
        ("full_dose/L067/soft/a.IMA", "full_dose/*/soft", "L067/a"),
        ("full_dose/L067/sharp/a.IMA", "full_dose/*/soft", None),
        ("2024/full_dose/L067/soft/a.IMA", "full_dose/*/soft", None),
        ("2024/full_dose/L067/soft/a.IMA", "**/full_dose/*/soft", "2024/L067/a"),
        ("a/scan7_clean.png", "*_clean.png", "a/scan7"),
        ("a/scan7_noisy.png", "*_clean.png", None),
        ("a/run[1]_x.png", "run[[]1]_?.png", "a/[*x"),
        ("a/dose5/1.dcm", "dose[0-9]", "a/1"),
        ("a/dosex/1.dcm", "dose[0-9]", None),
        ("a/dosex/1.dcm", "dose[!0-9]", "a/1"),
        ("clean/clean/1.dcm", "clean", "clean/1"),
        ("Clean/1.dcm", "clean", None),
        ("clean", "clean/*", None),
        ("clean/scan.v1", "clean", "scan.v1"),
        ("clean/scan.v2.nii.gz", "clean", "scan.v2"),
        ("clean/1.2.IMA", "clean", "1.2"),
        ("a_clean_b_clean.dcm", "*_clean.dcm", "a_clean_b"),
        ("scan_1_of_2_x.dcm", "scan_*_of_*_?.dcm", "1*2*x"),
        ("ab/1.dcm", "a*b*c", None),
        ("axbxbc/1.dcm", "a*b*c", "1"),
    ],
)
def test_the_name_of_a_file_is_what_a_pattern_leaves_open(path, pattern, name):
    assert name_within(path, pattern) == name


def test_names_fit_as_they_fit_for_a_shell():
    """Against fnmatch, for names and patterns of a few letters, in which much is ambiguous."""
    random = np.random.default_rng(0)
    names = ["".join(random.choice(list("ab"), random.integers(1, 8))) for _ in range(60)]
    patterns = ["".join(random.choice(list("ab*?"), random.integers(1, 7))) for _ in range(60)]
    for pattern in {one for one in patterns if "**" not in one}:
        for name in names:
            assert (name_within(f"{name}/1", f"{pattern}/1") is not None) == fnmatch.fnmatchcase(name, pattern), (name, pattern)


def test_many_wildcards_take_no_time():
    """Trying every place of each of 20 stars in 200 letters would take longer than the universe is old."""
    started = time.process_time()
    assert name_within("a" * 200, "*a" * 20 + "*b") is None
    assert name_within("/".join("a" * 40), "/".join(["**", "a"] * 12 + ["b"])) is None
    assert time.process_time() - started < 1


@pytest.mark.parametrize("pattern", ["", "/", ".", "../clean", "a//b", "[9-0]"])
def test_a_pattern_that_describes_nothing_below_the_root_is_refused(pattern):
    with pytest.raises(ValueError, match=r"neither the name of a folder below the root nor a pattern|is not a pattern"):
        check_pattern(pattern)
