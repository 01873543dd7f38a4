"""Every erratum that the numbers can show is computed from them, and there are no others of these kinds."""

from itertools import combinations

import pytest

from fplbench import published

BASELINES = 9


@pytest.fixture(scope="module")
def rows():
    """The entries of each row of the tables, by data set, metric and noise, and by method."""
    found = {}
    for entry in published.tables():
        found.setdefault(entry[:3], {})[entry.method] = entry
    return found


def cells(kind):
    """The cells of the tables that have errata of a kind."""
    found = [erratum for erratum in published.errata() if erratum.kind == kind]
    assert found
    return {entry[:4] for entry in published.tables() if any(erratum.covers(*entry[:4]) for erratum in found)}


def values(row):
    return {method: entry.value for method, entry in row.items() if entry.value == entry.value}


def test_every_row_has_one_value_in_bold_and_the_errata_are_those_where_another_is_higher(rows):
    assert all(sum(entry.bold for entry in row.values()) == 1 for row in rows.values())
    wrong = {
        entry[:4] for row in rows.values() for entry in row.values() if entry.bold and entry.value < max(values(row).values())
    }
    assert wrong == cells("bold")
    assert {name[3] for name in wrong} == {"fpl"}
    assert all(max(values(rows[name[:3]]).items(), key=lambda item: item[1])[0] == "median_filter" for name in wrong)


def test_the_repeated_values_are_those_of_all_rows_whose_nine_baselines_equal_another_row_of_the_same_block(rows):
    repeated = set()
    for (first, one), (second, other) in combinations(rows.items(), 2):
        same = {method for method in one if method != "fpl" and one[method].value == other[method].value}
        if first[:2] == second[:2] and len(same) == BASELINES:
            # The row that is named in the errata, not the one that it repeats.
            noise, original = sorted((first[2], second[2]), key=lambda name: name in ("gaussian", "salt_pepper"))
            assert (noise, original) in {("thermal", "gaussian"), ("impulse", "salt_pepper")}
            assert one["fpl"].value != other["fpl"].value
            repeated |= {(*first[:2], noise, method) for method in same}
    assert repeated == cells("repeated")


def test_no_other_two_rows_have_nearly_equal_baselines(rows):
    """Within a block, at most four of nine baselines agree by chance."""
    most = 0
    for (first, one), (second, other) in combinations(rows.items(), 2):
        same = sum(one[method].value == other[method].value for method in one if method != "fpl")
        if first[:2] == second[:2] and same < BASELINES:
            most = max(most, same)
    assert most <= 4


def test_the_extra_row_is_the_one_that_other_blocks_lack(rows):
    noises = {block: {name[2] for name in rows if name[:2] == block} for block in {name[:2] for name in rows}}
    common = set.intersection(*noises.values())
    assert len(common) == 13
    extra = {name for name in rows if name[2] not in common}
    assert extra == {("lits", "ssim", "impulse")} == {name[:3] for name in cells("extra_row")}


def test_the_missing_value_is_the_only_one_without_a_number(rows):
    assert {entry[:4] for row in rows.values() for entry in row.values() if entry.value != entry.value} == cells("missing")


def test_all_psnrs_and_nothing_else_show_the_signs_of_overflow(rows):
    psnr = [name for name in rows if name[1] == "psnr"]
    assert cells("overflow") == {(*name, method) for name in psnr for method in rows[name]}
    lowest = min(value for name in psnr for value in values(rows[name]).values())
    assert lowest == 27.27
    # Unrelated 8-bit images have a wrapped PSNR of 27.90 dB: structured noise is that for every baseline on every data set.
    structured = [
        value for name in psnr if name[2] == "structured" for method, value in values(rows[name]).items() if method != "fpl"
    ]
    assert (min(structured), max(structured)) == (27.97, 28.26)
    least = min((value, name, method) for name in rows if name[1] == "ssim" for method, value in values(rows[name]).items())
    assert least == (0.10, ("lits", "ssim", "noncentral_chi"), "dpir")
    assert rows["lits", "psnr", "noncentral_chi"]["dpir"].value > lowest


def test_rician_is_the_noise_with_two_names(rows):
    assert {name[:3] for name in cells("name")} == {name for name in rows if name[2] == "rician"}


def test_the_text_on_the_wiener_filter_differs_from_the_numbers(rows):
    for dataset in ("lidc", "lits", "rsna"):
        row = values(rows[dataset, "psnr", "salt_pepper"])
        assert row["wiener"] == min(row.values())


def test_the_text_on_dpir_differs_from_the_numbers(rows):
    first = sum(
        row["dpir"].value == max(value for method, value in values(row).items() if method != "fpl") for row in rows.values()
    )
    assert (first, len(rows)) == (12, 79)


def test_the_text_on_the_ssim_differs_from_the_numbers(rows):
    ssim = [values(row) for name, row in rows.items() if name[1] == "ssim"]
    assert (sum(row["fpl"] < max(row.values()) for row in ssim), len(ssim)) == (3, 40)


def test_each_erratum_is_about_a_cell_of_the_tables_and_has_a_note_that_ends_like_a_sentence():
    for erratum in published.errata():
        assert any(erratum.covers(*entry[:4]) for entry in published.tables())
        assert erratum.note.endswith(".")
        assert erratum.kind in ("overflow", "bold", "repeated", "extra_row", "missing", "name", "text")


def test_an_erratum_covers_what_its_names_say():
    found = published.Erratum("lidc", "*", "thermal", "*", "repeated", "Note.")
    assert found.covers("lidc", "ssim", "thermal", "nlm")
    assert not found.covers("lits", "ssim", "thermal", "nlm")
    assert not found.covers("lidc", "ssim", "gaussian", "nlm")
