"""The bounding boxes of RSNA."""

import numpy as np
import pytest

from fplbench.datasets.loaders.rsna import RsnaOptions, arrange, read_header
from fplbench.datasets.registry import LOADERS, Slice, Wanted
from fplbench.lesions.boxes import LABELS, Box, rectangle, write_labels
from tests.helpers.dicom_files import write_radiograph

HEAD = "patientId,x,y,width,height,Target\n"
FOLDER = "stage_2_train_images"


def annotated(root, text=None, images="abc", beside="", **options):
    """Annotations of three images of 60 rows and 80 columns, with 0.14 mm pixels, and their slices."""
    if text is not None:
        (root / beside).mkdir(parents=True, exist_ok=True)
        (root / beside / LABELS).write_text(text)
    headers = {
        f"{FOLDER}/{name}.dcm": {"image": name, "row_spacing": 0.2, "column_spacing": 0.1, "rows": 60, "columns": 80}
        for name in images
    }
    options = RsnaOptions(root=root, **options)
    slices, _ = arrange(headers, options)
    return LOADERS["rsna"].annotate(headers, slices, options), slices


def test_boxes_become_marks_and_every_listed_image_was_examined(tmp_path):
    text = HEAD + "a,10.0,20.0,30.0,5.0,1\nb,,,,,0\na,50.0,1.0,4.0,12.5,1\n"
    result, _ = annotated(tmp_path, text)
    first, second = (mark.lesion for mark in result.marks["a"])
    assert [mark.drawing for mark in result.marks["a"]] == [(10, 20, 30, 5), (50, 1, 4, 12.5)]
    assert (first.lesion_id, first.kind, first.shape, first.readers) == ("a_box-1", "opacity", "box", None)
    # The longer side in mm: columns are 0.1 mm wide, rows 0.2 mm high.
    assert first.size_mm == pytest.approx(3.0) and second.size_mm == pytest.approx(2.5)
    assert result.marks["b"] == () and "c" not in result.marks
    assert (result.read, result.faults) == (2, [])
    assert result.notes == [f"Not annotated, since not listed in {LABELS}: 1 image, such as c."]


def test_the_spacing_may_be_unknown(tmp_path):
    (tmp_path / LABELS).write_text(HEAD + "a,1,1,2,2,1\n")
    header = {"a.dcm": {"rows": 9, "columns": 9}}
    result = LOADERS["rsna"].annotate(header, [Slice("a", "a", "a", "a.dcm", 0)], RsnaOptions(root=tmp_path))
    assert result.marks["a"][0].lesion.size_mm is None


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,70,1,11,5,1", "its box extends beyond the border of the image of 80x60 pixels"),
        ("a,1,58,5,3,1", "beyond the border"),
        ("a,-1,1,5,5,1", "beyond the border"),
        ("a,1,1,0,5,1", "its box of 0x5 pixels is empty"),
        ("a,1,1,5,-5,1", "its box of 5x-5 pixels is empty"),
        ("a,1,1,five,5,1", "not four numbers"),
        ("a,1,1,nan,5,1", "not four numbers"),
        ("a,1,1,inf,5,1", "not four numbers"),
        ("a,,,,,1", "not four numbers"),
        ("a,1,1", "neither 0 nor 1"),
        ("a,1,1,5,5,yes", "neither 0 nor 1"),
        ("a,1,1,5,5,0", "its Target is 0, but it has a box"),
    ],
)
def test_a_box_that_cannot_be_used_is_named_and_its_image_is_not_annotated(tmp_path, row, message):
    """Line 2 has another box of the image; with one of two boxes missing, it would count as known background."""
    result, _ = annotated(tmp_path, HEAD + f"a,1,1,5,5,1\n{row}\nb,1,1,5,5,1\n")
    (fault,) = result.faults
    assert fault.startswith(f"{LABELS}, line 3 (a): ") and message in fault
    assert set(result.marks) == {"b"} and result.read == 3
    assert "Not annotated, since a box cannot be used: 1 image." in result.notes


def test_a_box_that_ends_at_the_border_is_inside(tmp_path):
    result, _ = annotated(tmp_path, HEAD + "a,0,0,80,60,1\n")
    assert len(result.marks["a"]) == 1 and result.faults == []


def test_a_repeated_row_is_one_box(tmp_path):
    result, _ = annotated(tmp_path, HEAD + "a,1,1,5,5,1\na,1,1,5,5,1\n")
    assert len(result.marks["a"]) == 1


def test_rows_of_other_images_are_counted_whatever_they_say(tmp_path):
    result, _ = annotated(tmp_path, HEAD + "x,1,1,5,5,1\ny,-1,,,,\na,,,,,0\n", images="a")
    assert result.marks == {"a": ()} and result.faults == [] and result.read == 0
    assert result.notes == [f"Listed in {LABELS}, but left out or not there: 2 images, such as x."]


def test_a_row_without_an_image_is_a_fault(tmp_path):
    result, _ = annotated(tmp_path, HEAD + ",1,1,5,5,1\na,,,,,0\n")
    assert result.faults == [f"{LABELS}, line 2: it names no image."] and "a" in result.marks


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("patientId,x,y\n", "has no column width"),
        ("", "has no column patientId"),
        (HEAD + "a\0,\x00" + "x" * 200_000, "not a .csv"),
    ],
)
def test_a_file_that_is_not_a_table_is_one_fault(tmp_path, text, message):
    result, _ = annotated(tmp_path, text)
    (fault,) = result.faults
    assert message in fault and fault.endswith("so no image is annotated.") and (result.marks, result.read) == ({}, 1)


def test_without_the_file_nothing_is_annotated_and_a_note_says_so(tmp_path):
    result, _ = annotated(tmp_path)
    assert result.notes == [f"There is no {LABELS} in {tmp_path}, so no image is annotated."]
    assert (result.marks, result.faults, result.read) == ({}, [], 0)


@pytest.mark.parametrize("beside", ["", FOLDER])
def test_labels_are_found_beside_the_folder_and_in_it(tmp_path, beside):
    assert "a" in annotated(tmp_path, HEAD + "a,,,,,0\n", beside=beside)[0].marks


def test_labels_are_found_above_a_nested_folder_and_not_above_the_root(tmp_path):
    path = write_radiograph(tmp_path / "root/challenge" / FOLDER / "a.dcm", np.zeros((8, 8), np.uint8))
    options = RsnaOptions(root=tmp_path / "root")
    headers = {f"challenge/{FOLDER}/a.dcm": read_header(path, options)}
    slices, _ = arrange(headers, options)
    (tmp_path / LABELS).write_text(HEAD + "a,,,,,0\n")
    assert LOADERS["rsna"].annotate(headers, slices, options).marks == {}
    (tmp_path / "root" / LABELS).write_text(HEAD + "a,,,,,0\n")
    assert LOADERS["rsna"].annotate(headers, slices, options).marks == {"a": ()}
    (tmp_path / "root/challenge" / LABELS).write_text(HEAD + "a,1,1,2,2,1\n")  # the nearest one
    assert len(LOADERS["rsna"].annotate(headers, slices, options).marks["a"]) == 1


def test_a_link_that_leads_out_of_the_root_is_not_read(tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / LABELS).write_text(HEAD + "a,,,,,0\n")
    (tmp_path / "root" / LABELS).symlink_to(tmp_path / LABELS)
    result, _ = annotated(tmp_path / "root")
    assert result.marks == {} and "a link that leads out of the folder" in result.faults[0]


def test_pseudonyms_replace_names_in_the_sentences(tmp_path, monkeypatch):
    monkeypatch.setenv("FPLBENCH_PSEUDONYM_KEY", str(tmp_path / "key"))
    result, _ = annotated(tmp_path, HEAD + "anna,-1,1,5,5,1\nbert,,,,,0\n", images=["anna", "carl"], pseudonymise=True)
    text = " ".join(result.faults + result.notes)
    assert len(result.faults) == 1 and not any(name in text for name in ("anna", "bert", "carl"))


def test_masks_are_rectangles_at_the_original_size(tmp_path):
    result, slices = annotated(tmp_path, HEAD + "a,10,20,30,5,1\na,70,50,10,10,1\n", images="a")
    wanted = [Wanted(slices[0], (60, 80), result.marks["a"])]
    ((name, masks),) = LOADERS["rsna"].lesion_masks(tmp_path / "a.dcm", wanted, RsnaOptions(root=tmp_path))
    first, second = np.zeros((60, 80), bool), np.zeros((60, 80), bool)
    first[20:25, 10:40] = second[50:60, 70:80] = True
    assert name == "a" and [lesion.lesion_id for lesion, _ in masks] == ["a_box-1", "a_box-2"]
    assert np.array_equal(masks[0][1], first) and np.array_equal(masks[1][1], second)


@pytest.mark.parametrize(
    ("box", "rows", "columns"),
    [
        ((1.6, 2.4, 2.0, 2.0), (2, 4), (2, 4)),  # the pixels that it covers by more than half
        ((1.6, 2.4, 0.3, 0.2), (2, 3), (2, 3)),  # smaller than a pixel: one pixel
        ((5.8, 3.9, 0.2, 0.1), (3, 4), (5, 6)),  # at the border
    ],
)
def test_fractions_of_pixels_are_rounded_and_no_box_vanishes(box, rows, columns):
    mask = np.zeros((4, 6), bool)
    mask[slice(*rows), slice(*columns)] = True
    assert np.array_equal(rectangle(Box(*box), (4, 6)), mask)


def test_a_named_lesion_is_one_lesion_in_all_images_of_a_person_and_not_of_others(tmp_path):
    (tmp_path / "persons.csv").write_text("image_id,person\na,1\nb,1\nc,2\n")
    head = HEAD.replace("Target", "Target,lesion")
    result, _ = annotated(tmp_path, head + "a,1,1,5,5,1,left\na,9,9,5,5,1,\nb,2,2,6,6,1,left\nc,1,1,5,5,1,left\n")
    names = {image: [mark.lesion.lesion_id for mark in marks] for image, marks in result.marks.items()}
    assert names == {"a": ["1_left", "a_box-2"], "b": ["1_left"], "c": ["2_left"]}


def test_written_labels_are_those_of_the_challenge_with_the_name_of_the_lesion(tmp_path):
    write_labels(tmp_path / LABELS, {"a": {"left": Box(1, 2, 3, 4), "right": Box(5, 6, 7, 8)}, "b": {}})
    lines = (tmp_path / LABELS).read_text().splitlines()
    assert lines == [f"{HEAD.strip()},lesion", "a,1,2,3,4,1,left", "a,5,6,7,8,1,right", "b,,,,,0,"]
