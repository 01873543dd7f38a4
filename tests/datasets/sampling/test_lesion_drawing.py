"""Lesion stacks of a draw: masks in the place of the image, numbers, tables, and masks that cannot be read."""

import json
import logging

import numpy as np
import pytest

from fplbench.datasets import SamplingOptions, sample_dataset
from fplbench.datasets.loaders.lidc import LidcOptions
from fplbench.errors import InputError
from fplbench.lesions.stack import open_lesions
from fplbench.stacks import read_index
from tests.datasets.annotated import annotate_with, nodule
from tests.helpers.files import names

pytestmark = pytest.mark.slow  # each test starts processes that read files

SAMPLING = SamplingOptions(train=20, validation=5, test=6, size=24, lesions={"share": 0.5})


def sample(root, folder, sampling=SAMPLING, **options):
    return sample_dataset("lidc", LidcOptions(root=root, **options), sampling, 1, folder)


def in_the_middle(one):
    """Slices 3 to 8 of the twelve of each patient show a nodule, slices 0 and 1 have no annotation."""
    return None if one.number < 2 else (nodule(one.patient),) if 3 <= one.number <= 8 else ()


def read(folder):
    """Index, lesion stack and lesion table of each split."""
    for split in ("train", "validation", "test"):
        path = folder / f"{split}.npy"
        yield split, read_index(path), *open_lesions(path)


def test_the_lesion_stack_holds_the_masks_and_the_table_lists_them(lidc_root, tmp_path, monkeypatch):
    annotate_with(monkeypatch, in_the_middle)
    summary = sample(lidc_root, tmp_path / "out")
    for split, index, lesions, table in read(tmp_path / "out"):
        shows = [3 <= int(row["slice"]) <= 8 for row in index]
        expected = np.zeros((24, 24), np.uint8)
        expected[4:16, 6:18] = 1
        for image, row, lesion in zip(lesions, index, shows, strict=True):
            assert np.array_equal(image, expected * lesion)
            assert row["annotated"] == str(int(int(row["slice"]) >= 2))
        named = [row for row, lesion in zip(index, shows, strict=True) if lesion]
        assert [row["image_id"] for row in table] == [row["image_id"] for row in named]
        for row, image in zip(table, named, strict=True):
            assert row == {
                "image_id": image["image_id"],
                "lesion": "1",
                "lesion_id": f"{image['patient']}-nodule",
                "patient": image["patient"],
                "kind": "nodule",
                "shape": "mask",
                "readers": "3",
                "size_mm": "8.4",
                "malignancy": "2.5",
                "pixels": "144",
                "inserted": "0",
            }
        patients = {row["patient"] for row in named}
        assert summary["lesions"][split] == summary["lesion_patients"][split] == len(patients)
        assert summary["lesion_images"][split] == len(named) >= len(index) / 2
        assert summary["images_annotated"][split] == sum(row["annotated"] == "1" for row in index)
    assert summary["annotations_unusable"] == summary["lesions_too_small"] == 0
    assert json.loads((tmp_path / "out/sampling.json").read_text()) == summary


def test_without_annotations_the_lesion_stacks_are_zero_and_the_tables_empty(lidc_root, tmp_path):
    summary = sample(lidc_root, tmp_path / "out", SamplingOptions(train=20, validation=5, test=6, size=24))
    for split, index, lesions, table in read(tmp_path / "out"):
        assert not lesions.any() and table == [] and {row["annotated"] for row in index} == {"0"}
        assert summary["lesions"][split] == summary["lesion_images"][split] == summary["images_annotated"][split] == 0
        assert (tmp_path / f"out/{split}_lesions.csv").read_text().startswith("image_id,lesion,lesion_id,patient,kind")


@pytest.mark.parametrize(
    ("drawing", "words"),
    [
        ("unreadable", "its mask is truncated"),
        ("crash", "it crashed the decoder"),
        ("other shape", "a lesion mask has 3x4 pixels and its image 24x24"),
        ("many", "an image has 256 lesions; at most 255 can be numbered"),
        ("missing", "the lesion masks of a slice are missing"),
    ],
)
def test_a_mask_that_fails_is_named_and_counted_and_its_image_has_no_annotation(
    lidc_root, tmp_path, monkeypatch, caplog, drawing, words
):
    """The masks of slice 5 fail, those of other slices do not."""

    def marks_of(one):
        return (nodule(one.patient, drawing if one.number == 5 else (4, 6, 16, 18)),)

    annotate_with(monkeypatch, marks_of)
    sampling = SamplingOptions(train=44, validation=11, test=11, size=24)
    with caplog.at_level(logging.WARNING):
        summary = sample(lidc_root, tmp_path / "out", sampling, max_unreadable=0.2)
    failed = 0
    for split, index, lesions, table in read(tmp_path / "out"):
        assert [row["annotated"] for row in index] == [str(int(row["slice"] != "5")) for row in index]
        assert [image.any() for image in lesions] == [row["slice"] != "5" for row in index]
        assert summary["lesion_images"][split] == len(table)
        for row in index:
            if row["slice"] == "5":
                failed += 1
                assert f"Annotation unusable: the lesion masks of {row['source']}: {words}." in caplog.text
    assert summary["annotations_unusable"] == failed >= 4


def test_masks_that_fail_stop_the_draw_above_the_limit(lidc_root, tmp_path, monkeypatch):
    annotate_with(monkeypatch, lambda one: (nodule(one.patient, "unreadable"),) if one.number == 5 else ())
    with pytest.raises(InputError, match=r"lidc: \d of 72 annotations cannot be used \(\d\.\d%; the limit, datasets.lidc.max"):
        sample(lidc_root, tmp_path / "out", SamplingOptions(train=44, validation=11, test=11, size=24), max_unreadable=0.01)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["headers.csv"]


def test_faults_are_listed_up_to_twenty_and_notes_are_logged(lidc_root, tmp_path, monkeypatch, caplog):
    faults = [f"scan {number}.xml describes another scan." for number in range(25)]
    annotate_with(monkeypatch, lambda one: (), faults, read=1000, notes=["3 nodules of one reader are left out."])
    with caplog.at_level(logging.INFO):
        summary = sample(lidc_root, tmp_path / "out")
    assert summary["annotations_unusable"] == 25
    assert [fault in caplog.text for fault in faults] == [True] * 20 + [False] * 5
    assert "and 5 more that cannot be used." in caplog.text and "3 nodules of one reader are left out." in caplog.text


@pytest.mark.parametrize(("read", "limit", "stops"), [(20, 0.05, False), (19, 0.05, True), (0, 1, False), (0, 0.9, True)])
def test_faults_stop_the_draw_above_the_limit_and_not_at_it(lidc_root, tmp_path, monkeypatch, read, limit, stops):
    annotate_with(monkeypatch, lambda one: None, ["scan.xml is not an annotation."], read=read)
    if stops:
        with pytest.raises(InputError, match=r"lidc: 1 of \d+ annotations? cannot be used .*datasets\.lidc\.max_unreadable"):
            sample(lidc_root, tmp_path / "out", max_unreadable=limit)
    else:
        assert sample(lidc_root, tmp_path / "out", max_unreadable=limit)["annotations_unusable"] == 1


def test_lesions_too_small_for_a_pixel_are_counted_and_not_listed(lidc_root, tmp_path, monkeypatch):
    """A pixel of the stack has the area of 1.5x1.5 pixels, of which a single one is 44 %."""
    annotate_with(monkeypatch, lambda one: (nodule("small", (3, 3, 4, 4)), nodule("large", (8, 8, 16, 24))))
    summary = sample(lidc_root, tmp_path / "out", SAMPLING.model_copy(update={"size": 16}))
    assert summary["lesions_too_small"] == 31 and summary["lesions"] == {"train": 1, "validation": 1, "test": 1}
    for _, index, lesions, table in read(tmp_path / "out"):
        assert [(row["lesion_id"], row["lesion"]) for row in table] == [("large-nodule", "1")] * len(index)
        assert set(np.unique(lesions)) == {0, 1}


def test_pseudonyms_cover_lesions_patients_and_images(lidc_root, tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("FPLBENCH_PSEUDONYM_KEY", str(tmp_path / "key"))
    annotate_with(monkeypatch, lambda one: (nodule(one.patient, "unreadable" if one.number == 5 else (4, 6, 16, 18)),))
    with caplog.at_level(logging.INFO):
        summary = sample(lidc_root, tmp_path / "out", pseudonymise=True, max_unreadable=1)
    for split, index, _, table in read(tmp_path / "out"):
        assert {row["patient"] for row in table} <= {row["patient"] for row in index}
        assert len({row["lesion_id"] for row in table}) == summary["lesions"][split]
        for name in (f"{split}.csv", f"{split}_lesions.csv"):
            assert "LIDC" not in (tmp_path / "out" / name).read_text() and "nodule-" not in (tmp_path / "out" / name).read_text()
    assert "Annotation unusable" in caplog.text and "LIDC-IDRI-0" not in caplog.text


@pytest.mark.slow
def test_another_number_of_processes_gives_the_same_bytes(lidc_root, tmp_path, monkeypatch):
    annotate_with(monkeypatch, in_the_middle)
    options = LidcOptions(root=lidc_root)
    for threads in (1, 2):
        sample_dataset("lidc", options, SAMPLING, 1, tmp_path / str(threads), threads)
    one, two = ([tmp_path / name / file for file in names(tmp_path / name) if file != "headers.csv"] for name in "12")
    assert [path.name for path in one] == [path.name for path in two] and len(one) == 13
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


def test_near_empty_slices_with_a_lesion_are_replaced_by_slices_with_one(tmp_path, monkeypatch):
    """Of the twelve slices of each patient, 0 to 5 show a lesion, and 0 and 1 are air."""
    from tests.helpers.dicom_files import write_ct

    for patient in range(6):
        for number in range(12):
            image = np.full((24, 24), -1000 if number < 2 else 0, np.int16)
            path = tmp_path / f"in/{patient}-{number}.dcm"
            write_ct(path, patient=f"P{patient}", series=f"1.{patient}", z=number, hounsfield=image)
    annotate_with(monkeypatch, lambda one: (nodule(one.patient),) if one.number < 6 else ())
    summary = sample(
        tmp_path / "in", tmp_path / "out", SamplingOptions(train=16, validation=4, test=4, size=16, lesions={"share": 1})
    )
    assert summary["images_near_empty"] > 0
    assert summary["lesion_images"] == {"train": 16, "validation": 4, "test": 4}


def test_a_share_that_cannot_be_met_is_said(tmp_path, monkeypatch, caplog):
    """One slice of twelve of each patient shows a lesion, and four patients have the training images: 4 of 16."""
    from tests.helpers.dicom_files import write_ct

    for patient in range(6):
        for number in range(12):
            write_ct(
                tmp_path / f"in/{patient}-{number}.dcm",
                patient=f"P{patient}", series=f"1.{patient}", z=number, hounsfield=np.zeros((24, 24), np.int16),
            )  # fmt: skip
    annotate_with(monkeypatch, lambda one: (nodule(one.patient),) if one.number == 5 else ())
    options = SamplingOptions(train=16, validation=4, test=4, size=16, lesions={"share": 0.5})
    sample(tmp_path / "in", tmp_path / "out", options)
    assert "the train images should include 8 with a lesion, but there are only 4." in caplog.text
