"""The report on a data folder, through the command line."""

import json
import re

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from fplbench.cli import app
from fplbench.datasets.sampling.contact_sheet import OUTLINE, outline
from fplbench.errors import InputError
from tests.datasets.annotated import annotate_with, nodule
from tests.helpers.dicom_files import write_ct, write_radiograph
from tests.helpers.nifti_files import write_volume

pytestmark = pytest.mark.slow  # each test starts processes that read files


def check(name, root, sheet, *more):
    return CliRunner().invoke(app, ["check-data", name, "--root", str(root), "--sheet", str(sheet), *more])


SMALL = ("--sampling", '{"train": 20, "validation": 5, "test": 6, "size": 16}')


def test_yes_with_a_list_of_the_contents(lidc_root, tmp_path):
    write_ct(lidc_root / "scout.dcm", modality="DX")
    (lidc_root / "069.xml").write_text("<nodules/>")
    (lidc_root / "broken.dcm").write_bytes(b"nonsense")
    next(iter(sorted(lidc_root.rglob("1-005.dcm")))).unlink()
    result = check("lidc", lidc_root, tmp_path / "sheet.png", *SMALL)
    assert result.exit_code == 0, result.output
    for line in (
        "Patients: 6",
        "Series:   6",
        "Slices:   71 in 71 files",
        "Left out: 2 files. Unreadable: 1 file.",
        "  1 file: modality DX, for example scout.dcm",
        "  1 file: .xml, not an image",
        "  broken.dcm: it is named .dcm but is not a DICOM file",
        "Series with a gap: 1",
        "slices 2.5 mm apart, with a gap of 5 mm",
        "Yes: 20 train + 5 validation + 6 test images can be drawn with split patient; 0.0%",
    ):
        assert line in result.output
    assert result.output.count("broken.dcm") == 1 and not result.stderr.strip()


def test_no_when_too_few(lidc_root, tmp_path):
    result = check("lidc", lidc_root, tmp_path / "sheet.png")
    assert result.exit_code == 1 and "No: lidc: sampling asks for 5000 + 500 + 500 = 6000 images and finds 72" in result.output


def test_no_when_too_many_are_unreadable(lidc_root, tmp_path):
    for path in sorted(lidc_root.rglob("*.dcm"))[:5]:
        path.write_bytes(b"nonsense")
    result = check("lidc", lidc_root, tmp_path / "sheet.png", *SMALL)
    assert result.exit_code == 1 and "No: lidc: 5 of 72 files cannot be read" in result.output
    example = sorted(lidc_root.rglob("*.dcm"))[0].relative_to(lidc_root)
    assert f"  5 files: it is named .dcm but is not a DICOM file, for example {example}\n" in result.output


def test_the_contact_sheet_shows_sixteen_windowed_slices(lidc_root, tmp_path):
    check("lidc", lidc_root, tmp_path / "sheet.png", *SMALL)
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert sheet.shape == (4 * 272, 4 * 256, 3)
    for number in range(16):  # 72 slices from P1 (91 to 100 HU) to P6: one every 4.5
        index = int((number + 0.5) * 4.5)
        hounsfield = 100 * (index // 12 + 1) - (11 - index % 12)
        shown = sheet[number // 4 * 272 + 100, number % 4 * 256 + 100]
        assert set(shown) == {np.rint((min(hounsfield, 400) + 1000) / 1400 * 255)}


@pytest.mark.parametrize("name", ["rsna", "lits"])
def test_the_other_data_sets(tmp_path, name):
    for number in range(3):
        write_radiograph(tmp_path / f"rsna/stage_2_train_images/{number}.dcm", np.full((32, 32), 90, np.uint8))
        write_volume(tmp_path / f"lits/volume-{number}.nii", np.zeros((8, 8, 4)))
    small = ("--sampling", '{"train": 1, "validation": 1, "test": 1, "size": 16}')
    result = check(name, tmp_path / name, tmp_path / "sheet.png", *small)
    assert result.exit_code == 0, result.output
    assert ("Patients: 3" if name == "lits" else "Images (persons unknown): 3\n") in result.output
    assert "Yes: 1 train + 1 validation + 1 test" in result.output
    assert ("0.0% of the test" if name == "lits" else "it is unknown how many of the test images") in result.output
    for line in ("Series", "Slices", "gap"):
        assert (line in result.output) == (name == "lits")


def test_persons_of_radiographs_are_counted_if_there_is_a_mapping(tmp_path):
    for number in range(6):
        write_radiograph(tmp_path / f"rsna/stage_2_train_images/{number}.dcm", np.full((32, 32), 90, np.uint8))
    (tmp_path / "rsna/persons.csv").write_text("image_id,person\n" + "".join(f"{n},{n // 2}\n" for n in range(5)))
    small = ("--sampling", '{"train": 1, "validation": 1, "test": 1, "size": 16}')
    result = check("rsna", tmp_path / "rsna", tmp_path / "sheet.png", *small)
    for line in ("Patients: 3", "Images:   5 in 6 files", "1 file: not listed in the mapping to persons, for example", "0.0%"):
        assert line in result.output


def test_no_when_the_images_of_the_sheet_cannot_be_decoded(tmp_path):
    y, x = np.mgrid[:64, :64]
    for number in range(20):
        path = write_radiograph(tmp_path / f"rsna/stage_2_train_images/{number}.dcm", (x * y % 256).astype(np.uint8))
        content = path.read_bytes()
        path.write_bytes(content[: content.index(b"\xff\xda") + 20])
    small = ("--sampling", '{"train": 1, "validation": 1, "test": 1, "size": 16}')
    result = check("rsna", tmp_path / "rsna", tmp_path / "sheet.png", *small)
    assert result.exit_code == 1 and "No: rsna: 16 of 16 files cannot be read" in result.output
    assert "Cannot be decoded: 16 of the 16 files read for the contact sheet" in result.output
    assert re.search(r"^  16 files: it is truncated[^\n]*, for example stage_2_train_images/0\.dcm$", result.output, re.MULTILINE)
    assert "Contact sheet: not written, since no image could be read" in result.output
    assert not (tmp_path / "sheet.png").exists()


def test_no_contact_sheet_is_written_when_no_header_can_be_read(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/broken.dcm").write_bytes(b"nonsense")
    result = check("lidc", tmp_path / "in", tmp_path / "sheet.png", *SMALL)
    assert result.exit_code == 1 and "No: lidc: 1 of 1 files cannot be read" in result.output
    assert "Contact sheet: not written, since no image could be read" in result.output
    assert not (tmp_path / "sheet.png").exists()


def test_the_contact_sheet_is_written_when_one_image_can_be_read(lidc_root, tmp_path):
    for path in sorted(lidc_root.rglob("*.dcm"))[1:]:
        path.write_bytes(b"nonsense")
    result = check("lidc", lidc_root, tmp_path / "sheet.png", *SMALL)
    assert result.exit_code == 1 and "sheet.png. Images shown: 1, of which near-empty: 0" in result.output
    assert (tmp_path / "sheet.png").exists()


@pytest.mark.parametrize(("air", "answer"), [(1, "No"), (3, "No"), (36, "Yes")])
def test_near_empty_images_of_the_sheet_count(tmp_path, air, answer):
    """Of 72 slices, every `air`-th shows only air; 16 are read, 60 asked for."""
    for number in range(72):
        image = np.full((24, 24), -1000 if number % air == 0 else 0, np.int16)
        patient = f"P{number // 12}"
        write_ct(tmp_path / f"in/{number}.dcm", patient=patient, series=f"1.{patient[1:]}", z=number, hounsfield=image)
    most = ("--sampling", '{"train": 40, "validation": 10, "test": 10, "size": 16}')
    result = check("lidc", tmp_path / "in", tmp_path / "sheet.png", *most)
    shown = [int((number + 0.5) * 4.5) for number in range(16)]
    empty = sum(number % air == 0 for number in shown)
    assert f"Images shown: 16, of which near-empty: {empty}" in result.output and f"\n{answer}: " in result.output
    if answer == "No":
        assert (
            f"{empty} of the 16 images on the contact sheet are near-empty, so about {72 * (16 - empty) // 16}" in result.output
        )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--sheet", "sheet.xyz"), r"--sheet is .*sheet\.xyz: the name must end in \.png"),
        (("--sheet", "file/sheet.png"), "Cannot write to file: it is a file"),
        (("--cache", "folder.csv"), "--cache is .*folder.csv, which is a folder"),
    ],
)
def test_paths_that_cannot_be_written_are_reported_before_the_scan(lidc_root, tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "folder.csv").mkdir()
    result = check("lidc", lidc_root, tmp_path / "sheet.png", *options)
    assert isinstance(result.exception, InputError) and re.search(message, str(result.exception))


def test_a_missing_folder_is_one_sentence(tmp_path):
    result = check("lits", tmp_path / "nowhere", tmp_path / "sheet.png")
    assert result.exit_code != 0 and "datasets.lits.root" in str(result.exception)


LESIONS = ("--sampling", '{"train": 20, "validation": 5, "test": 6, "size": 16, "lesions": {"share": 0.5}}')


def test_lesions_are_counted_and_the_verdict_says_how_many_are_drawn(lidc_root, tmp_path, monkeypatch):
    """Slices 4 to 7 of patients 1 to 4 show a nodule; slice 0 of each has no annotation."""

    def marks_of(one):
        ill = 4 <= one.number <= 7 and one.patient <= "LIDC-IDRI-0004"
        return None if one.number == 0 else (nodule(one.patient),) if ill else ()

    annotate_with(monkeypatch, marks_of, ["a.xml describes another scan."], read=66, notes=["2 small nodules are left out."])
    result = check("lidc", lidc_root, tmp_path / "sheet.png", *LESIONS)
    assert result.exit_code == 0, result.output
    for line in (
        "Lesions:  4 in 16 images of 4 patients\n",
        "Annotated images: 66 of 72\n",
        "Annotations that cannot be used: 1 of 66\n  a.xml describes another scan.\n",
        "  2 small nodules are left out.\n",
        "Images shown: 16, of which near-empty: 0, with a lesion, shown first and outlined: ",
    ):
        assert line in result.output
    found = re.search(r"Of these images, (\d+) train \+ (\d+) validation \+ (\d+) test show a lesion", result.output)
    drawn = list(map(int, found.groups()))
    # Two of the four patients with a nodule are in training at least; each has four slices that show it.
    assert drawn[0] >= 8 and drawn[1] >= 3 and drawn[2] >= 3


def test_lesions_come_first_on_the_contact_sheet_and_are_outlined(lidc_root, tmp_path, monkeypatch):
    """Patients 5 and 6 have a nodule of 12x12 of 24x24 pixels in every slice; each of these is 128x128 on the sheet."""
    annotate_with(monkeypatch, lambda one: (nodule(one.patient),) if one.patient > "LIDC-IDRI-0004" else ())
    result = check("lidc", lidc_root, tmp_path / "sheet.png", *LESIONS)
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    outlined = [(sheet[n // 4 * 272 :, n % 4 * 256 :][:256, :256] == OUTLINE).all(axis=2) for n in range(16)]
    assert all(edge.any() for edge in outlined[:8])
    rows, columns = np.nonzero(outlined[0])
    corners = np.array([rows.min(), columns.min(), rows.max(), columns.max()])
    assert np.abs(corners - np.array([4, 6, 16, 18]) * 256 / 24).max() <= 2
    assert f"outlined: {sum(edge.any() for edge in outlined)}\n" in result.output


def test_lesion_slices_say_nothing_about_how_many_are_near_empty(tmp_path, monkeypatch):
    """Of 72 slices 8 have content and a nodule, the others are air: 16 of all cannot be drawn."""
    for number in range(72):
        image = np.full((24, 24), 0 if number % 9 == 0 else -1000, np.int16)
        patient = f"P{number // 12}"
        write_ct(tmp_path / f"in/{number}.dcm", patient=patient, series=f"1.{patient[1:]}", z=number, hounsfield=image)
    ill = {f"in/{number}.dcm" for number in range(0, 72, 9)}
    annotate_with(monkeypatch, lambda one: (nodule(one.patient),) if f"in/{one.source}" in ill else ())
    few = ("--sampling", '{"train": 10, "validation": 3, "test": 3, "size": 16}')
    result = check("lidc", tmp_path / "in", tmp_path / "sheet.png", *few)
    assert "Images shown: 16, of which near-empty: 8, with a lesion, shown first and outlined: 8" in result.output
    assert "No: lidc: 8 of the 8 other images on the contact sheet are near-empty, so about 0 of 72" in result.output


def test_missing_annotations_are_one_line(lidc_root, tmp_path, monkeypatch):
    annotate_with(monkeypatch, lambda one: None)
    result = check("lidc", lidc_root, tmp_path / "sheet.png", *SMALL)
    assert result.exit_code == 0 and "show a lesion" not in result.output
    assert "Lesions:  no annotations found, so lesions can neither be drawn on purpose nor scored\n" in result.output


def test_no_when_too_many_annotations_cannot_be_used(lidc_root, tmp_path, monkeypatch):
    annotate_with(monkeypatch, lambda one: None, [f"{number}.xml is damaged." for number in range(30)], read=40)
    result = check("lidc", lidc_root, tmp_path / "sheet.png", *SMALL)
    assert result.exit_code == 1 and "No: lidc: 30 of 40 annotations cannot be used (75.0%" in result.output
    assert "  19.xml is damaged.\n  and 10 more that cannot be used.\n" in result.output


def test_masks_that_cannot_be_read_are_named_and_the_image_is_shown_without(lidc_root, tmp_path, monkeypatch):
    annotate_with(monkeypatch, lambda one: (nodule(one.patient, "unreadable"),) if one.number == 5 else ())
    result = check("lidc", lidc_root, tmp_path / "sheet.png", *SMALL)
    assert "Images shown: 16" in result.output and "Lesion masks that cannot be read: those of 6 files\n" in result.output
    assert result.output.count("  6 files: its mask is truncated, for example ") == 1
    assert not (np.asarray(Image.open(tmp_path / "sheet.png")) == OUTLINE).all(axis=2).any()


def test_the_outline_is_a_line_just_outside_each_lesion():
    labels = np.zeros((6, 8), np.uint8)
    labels[2:4, 1:3], labels[2:4, 3:5] = 1, 2
    expected = np.zeros((6, 8), bool)
    expected[1, 1:5] = expected[4, 1:5] = True  # above and below both
    expected[2:4, [0, 5]] = True  # at the outer sides
    expected[2:4, 2:4] = True  # each lies just outside the other
    assert np.array_equal(outline(labels), expected * 255)


@pytest.mark.parametrize(("size", "small"), [(24, 0), (40, 12)])
def test_images_smaller_than_a_patch_are_counted(tmp_path, size, small):
    """Twelve images of 24x32 pixels and four of 48x40, all of which are on the sheet."""
    for number in range(16):
        image = np.full((24, 32) if number < 12 else (48, 40), 90, np.uint8)
        write_radiograph(tmp_path / f"rsna/stage_2_train_images/{number}.dcm", image)
    plan = json.dumps({"train": 1, "validation": 1, "test": 1, "size": size, "fit": "patch"})
    result = check("rsna", tmp_path / "rsna", tmp_path / "sheet.png", "--sampling", plan)
    assert ("Smaller than a patch" in result.output) == bool(small)
    assert not small or "Smaller than a patch of 40x40 pixels: 12 of the 16 images shown" in result.output


def test_volumes_with_values_of_masks_are_noted(tmp_path):
    """Two volumes with labels 0 to 2 and no name of a mask, among two of HU."""
    random = np.random.default_rng(0)
    for name, values in (("a", (0, 3)), ("b", (-1000, 900)), ("c", (0, 3)), ("d", (-1000, 900))):
        write_volume(tmp_path / f"ct/{name}.nii", random.integers(*values, (16, 16, 4)).astype(np.int16))
    small = ("--loader", "ct", "--sampling", '{"train": 1, "validation": 1, "test": 1, "size": 16}')
    result = check("own", tmp_path / "ct", tmp_path / "sheet.png", *small)
    line = "Perhaps masks, as no value in these images is below 0 or above 8: 2 files, such as a.nii\n"
    assert result.exit_code == 0 and line in result.output
