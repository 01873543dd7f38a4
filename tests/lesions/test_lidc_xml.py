"""XML files of LIDC-IDRI: what they say, and what is refused."""

import resource
import subprocess
import sys
import time

import numpy as np
import pytest

from fplbench.datasets.formats.dicom import digest
from fplbench.datasets.registry import Unreadable
from fplbench.lesions.lidc_nodules import MAX_OUTLINES, Place
from fplbench.lesions.lidc_xml import MAX_BYTES, NotAnnotation, OtherSeries, read_xml
from tests.helpers.lidc_files import Marked, Roi, around, lidc_xml, write_lidc_xml

NODULE = Marked([Roi("1.9.1", -2.5, around(5, 5, 3, 3)), Roi("1.9.2", 0, around(5, 5, 3, 3))], malignancy=4)


def refusal(tmp_path, text):
    path = tmp_path / "a.xml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(Unreadable) as caught:
        read_xml(path, {"1.2"})
    return str(caught.value)


def test_readers_nodules_ratings_and_contours_are_read(tmp_path):
    hole = Marked([Roi("1.9.1", -2.5, around(5, 5, 9, 9)), Roi("1.9.1", -2.5, around(8, 8, 2, 2), False)], malignancy=None)
    reading = read_xml(write_lidc_xml(tmp_path / "a.xml", "1.2", [[NODULE], [], [hole, NODULE]]), {"1.2"})
    assert reading.series == "1.2"
    assert [(one.reader, one.malignancy) for one in reading.outlines] == [(1, 4), (3, None), (3, 4)]
    assert list(reading.outlines[0].contours) == [Place(-2.5, digest("1.9.1")), Place(0, digest("1.9.2"))]
    first, second = reading.outlines[1].contours[Place(-2.5, digest("1.9.1"))]
    assert first.inclusion and not second.inclusion
    assert np.array_equal(second.points, around(8, 8, 2, 2))


def test_a_nodule_under_3_mm_is_a_point(tmp_path):
    small = Marked([Roi("1.9.1", 0, [(7, 8)])], malignancy=None)
    reading = read_xml(write_lidc_xml(tmp_path / "a.xml", "1.2", [[small, NODULE]]), {"1.2"})
    assert [one.is_point for one in reading.outlines] == [True, False]


def test_marks_of_non_nodules_are_not_read(tmp_path):
    mark = (
        "<nonNodule><imageZposition>3</imageZposition><imageSOP_UID>1</imageSOP_UID><locus><xCoord>1</xCoord></locus></nonNodule>"
    )
    text = lidc_xml("1.2", [[NODULE]]).replace("</readingSession>", f"{mark}</readingSession>")
    (tmp_path / "a.xml").write_text(text)
    assert len(read_xml(tmp_path / "a.xml", {"1.2"}).outlines) == 1


def test_files_about_radiographs_and_other_things_are_told_apart(tmp_path):
    for root in ("IdriReadMessage", "html"):
        (tmp_path / "a.xml").write_text(f'<{root} xmlns="http://www.nih.gov"><a/></{root}>')
        with pytest.raises(NotAnnotation):
            read_xml(tmp_path / "a.xml", {"1.2"})


def test_a_file_of_another_series_is_not_read_to_its_end(tmp_path):
    (tmp_path / "a.xml").write_text(lidc_xml("1.3", [[NODULE]])[:-200])  # the end is missing
    with pytest.raises(OtherSeries):
        read_xml(tmp_path / "a.xml", {"1.2"})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: text[:-30], "not well-formed XML"),
        (lambda text: "", "not well-formed XML"),
        (lambda text: text.replace("</xCoord>", "</yCoord>", 1), "not well-formed XML"),
        (lambda text: text.replace("<xCoord>4<", "<xCoord>4.5<", 1), "not a whole number of pixels"),
        (lambda text: text.replace("<xCoord>4<", "<xCoord>nan<", 1), "not a whole number of pixels"),
        (lambda text: text.replace("<xCoord>4<", "<xCoord>99999<", 1), "not a whole number of pixels"),
        (lambda text: text.replace("<xCoord>4</xCoord>", "", 1), "not a whole number of pixels"),
        (lambda text: text.replace("<imageSOP_UID>1.9.1</imageSOP_UID>", ""), "a contour has no points, no image"),
        (lambda text: text.replace("TRUE", "MAYBE", 1), "a contour has no points, no image"),
        (lambda text: text.replace("-2.500000", "here"), "position of a contour is not a number"),
        (lambda text: text.replace("<SeriesInstanceUid>1.2</SeriesInstanceUid>", ""), "does not say which series"),
        (lambda text: text.replace("1.9.1", "1" * 10_000, 1), "imageSOP_UID is longer than 256 characters"),
        (lambda text: text.replace("UTF-8", "klingon"), "encoding"),
        (lambda text: text.replace("UTF-8", "utf-16"), "not well-formed XML"),
    ],
)
def test_a_damaged_file_says_what_is_wrong(tmp_path, change, reason):
    assert reason in refusal(tmp_path, change(lidc_xml("1.2", [[NODULE]])))


ENTITIES = "".join(f'<!ENTITY e{number} "{f"&e{number - 1};" * 10}">' for number in range(1, 10))
DECLARATIONS = {
    "entities that expand to a gigabyte": f'<!DOCTYPE LidcReadMessage [<!ENTITY e0 "lol">{ENTITIES}]>',
    "an entity that names a file": '<!DOCTYPE LidcReadMessage [<!ENTITY e9 SYSTEM "file:///etc/passwd">]>',
    "an external declaration": '<!DOCTYPE LidcReadMessage SYSTEM "http://localhost/a.dtd">',
}


@pytest.mark.parametrize("declaration", DECLARATIONS.values(), ids=DECLARATIONS)
def test_a_document_type_is_refused(tmp_path, declaration):
    text = lidc_xml("1.2", [[NODULE]]).replace("\n<Lidc", f"\n{declaration}<Lidc").replace("1.9.1", "&e9;")
    assert "declares a document type" in refusal(tmp_path, text)


def test_an_entity_without_a_declaration_is_refused(tmp_path):
    assert "not well-formed" in refusal(tmp_path, lidc_xml("1.2", [[NODULE]]).replace("1.9.1", "&e9;"))


def test_too_many_nodules_are_refused(tmp_path):
    text = lidc_xml("1.2", [[Marked([])] * (MAX_OUTLINES + 1)])
    assert f"more than {MAX_OUTLINES} nodules" in refusal(tmp_path, text)


HOSTILE = {
    "a gigabyte": (lambda file: file.truncate(1 << 30), "larger than 32 MiB"),
    "deep nesting": (lambda file: file.write(b"<LidcReadMessage>" + b"<a>" * (MAX_BYTES // 3 - 8)), "inside each other"),
    "a long value": (
        lambda file: file.write(b"<LidcReadMessage><SeriesInstanceUid>" + b"1" * (MAX_BYTES - 99)),
        "longer than 256",
    ),
    "a long name": (lambda file: file.write(b"<LidcReadMessage " + b"a" * (MAX_BYTES - 99)), "not well-formed"),
}
SCRIPT = """
import resource, sys
from pathlib import Path
from fplbench.datasets.registry import Unreadable
from fplbench.lesions.lidc_xml import read_xml
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    read_xml(Path(sys.argv[1]), {"1.2"})
except Unreadable as reason:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, reason)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("write", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_is_refused_fast_and_in_little_memory(tmp_path, write, reason):
    path = tmp_path / "a.xml"
    with open(path, "wb") as file:
        write(file)
    start = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    result = subprocess.run([sys.executable, "-c", SCRIPT, str(path)], capture_output=True, text=True, check=True)
    seconds = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - start
    kilobytes, said = result.stdout.split(" ", 1)
    assert reason in said
    assert int(kilobytes) < 150_000 and seconds < 10


def test_a_gigabyte_and_deep_nesting_are_refused_at_once(tmp_path):
    for name in ("a gigabyte", "deep nesting"):
        path = tmp_path / "a.xml"
        with open(path, "wb") as file:
            HOSTILE[name][0](file)
        start = time.perf_counter()
        with pytest.raises(Unreadable):
            read_xml(path, {"1.2"})
        assert time.perf_counter() - start < 1
