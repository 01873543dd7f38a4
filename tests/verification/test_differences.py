import pytest

from fplbench.verification.checks import Check, counted
from fplbench.verification.differences import config_differences, table_difference, text_difference

HEAD = "method,image_id,psnr\n"
TABLE = f"{HEAD}fpl,i0,30.0\nfpl,i1,inf\nnlm,i0,\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TABLE, ""),
        (TABLE.replace("30.0", "30.000003"), ""),  # a ten-millionth
        (
            TABLE.replace("30.0", "30.0003"),
            "line 2 (method fpl, image_id i0), column psnr: '30.0003' in the file, '30.0' computed",
        ),
        (TABLE.replace("inf", "99"), "line 3 (method fpl, image_id i1), column psnr: '99' in the file, 'inf' computed again"),
        (
            TABLE.replace("nlm,i0,", "nlm,i0,0"),
            "line 4 (method nlm, image_id i0), column psnr: '0' in the file, '' computed again",
        ),
        (TABLE.replace("fpl,i1,inf\n", ""), "line 3 (method fpl, image_id i1), column method: 'nlm' in the file"),
        (TABLE.replace("nlm,i0,\n", ""), "line 4: the row of method nlm, image_id i0 is missing"),
        (f"{TABLE}nlm,i1,3\n", "line 5: the row of method nlm, image_id i1 should not be there"),
        (TABLE.replace("nlm,i0,", "nlm,i0"), "line 4: the number of values differs from the header"),
        (TABLE.replace("psnr", "ssim"), "column 3 is 'ssim'; it should be 'psnr'"),
        (TABLE.replace(",psnr", ""), "column 3 is 'nothing'; it should be 'psnr'"),
        ("", "column 1 is 'nothing'; it should be 'method'"),
    ],
)
def test_the_first_difference_of_two_tables_is_named(tmp_path, text, words):
    (tmp_path / "a.csv").write_text(text)
    (tmp_path / "b.csv").write_text(TABLE)
    found = table_difference(tmp_path / "a.csv", tmp_path / "b.csv", ("method", "image_id")).words
    assert found.startswith(words) and bool(found) == bool(words)


def test_values_that_are_equal_but_for_rounding_are_counted(tmp_path):
    (tmp_path / "a.csv").write_text(TABLE.replace("30.0", "30.000003"))
    (tmp_path / "b.csv").write_text(TABLE)
    found = table_difference(tmp_path / "a.csv", tmp_path / "b.csv", ("method",))
    assert (found.rows, found.rounded) == (3, 1)


def test_only_the_wanted_rows_of_the_recorded_table_are_compared(tmp_path):
    (tmp_path / "a.csv").write_text(TABLE)
    (tmp_path / "b.csv").write_text(f"{HEAD}nlm,i0,\n")
    found = table_difference(tmp_path / "a.csv", tmp_path / "b.csv", ("method",), lambda row: row["method"] == "nlm")
    assert (found.words, found.rows) == ("", 1)


def test_a_file_that_is_not_text_is_no_table(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\x93NUMPY\xff")
    (tmp_path / "b.csv").write_text(TABLE)
    assert "which is not a .csv table" in table_difference(tmp_path / "a.csv", tmp_path / "b.csv", ()).words


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        ("a\nb", "a\nb", ""),
        ("a\nPSNR 30", "a\nPSNR 31", "line 2: 'PSNR 30' in the file, 'PSNR 31' made again"),
        ("a", "a\nb", "line 2: nothing in the file, 'b' made again"),
        ("a\n", "a", "the ends of lines differ"),
        (f"{'x' * 50}1{'y' * 50}", f"{'x' * 50}2{'y' * 50}", f"line 1: …'{'x' * 30}1{'y' * 29}'… in the file"),
    ],
)
def test_the_first_difference_of_two_texts_is_shown_with_its_surroundings(one, other, words):
    found = text_difference(one, other)
    assert found.startswith(words) and bool(found) == bool(words)


def test_differences_of_configs_have_dotted_keys_and_tell_null_from_missing():
    one = {"a": {"b": 1, "c": None}, "d": [1, 2], "e": {}}
    other = {"a": {"b": 2}, "d": [1, 2], "e": {}, "f": "x"}
    assert config_differences(one, other) == {"a.b": ("1", "2"), "a.c": ("null", "missing"), "f": ("missing", '"x"')}


def test_a_check_prints_a_few_of_its_faults():
    lines = Check("hashes", "9 files", [f"file {i}" for i in range(9)]).lines
    assert lines[0] == "hashes   9 files: FAILED"
    assert [line.strip() for line in lines[1:]] == [*(f"file {i}" for i in range(5)), "and 4 more"]
    assert Check("hashes", counted(1, "file")).lines == ["hashes   1 file: match"]
