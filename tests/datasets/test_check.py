"""The report on a data folder, through the command line."""

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from fplbench.cli import app


def check(name, root, sheet, *more):
    return CliRunner().invoke(app, ["check-data", name, "--root", str(root), "--sheet", str(sheet), *more])


SMALL = ("--sampling", '{"train": 20, "validation": 5, "test": 6, "size": 16}')


def test_yes_with_what_is_there(lidc_root, tmp_path, ct_file):
    ct_file(lidc_root / "scout.dcm", modality="DX")
    (lidc_root / "broken.dcm").write_bytes(b"nonsense")
    next(iter(sorted(lidc_root.rglob("1-005.dcm")))).unlink()
    result = check("lidc", lidc_root, tmp_path / "sheet.png", *SMALL)
    assert result.exit_code == 0, result.output
    for line in (
        "Patients: 6",
        "Series:   6",
        "Slices:   71 in 71 files",
        "1 files: modality DX, such as scout.dcm",
        "broken.dcm: ValueError: it does not begin as a DICOM file",
        "Series with a gap: 1",
        "slices 2.5 mm apart, somewhere 5 mm",
        "Yes: 20 train + 5 validation + 6 test images can be drawn with split patient; 0.0%",
    ):
        assert line in result.output


def test_no_when_too_few(lidc_root, tmp_path):
    result = check("lidc", lidc_root, tmp_path / "sheet.png")
    assert result.exit_code == 1 and "No: lidc: sampling asks for 5000 + 500 + 500 = 6000 images and finds 72" in result.output


def test_no_when_too_many_are_unreadable(lidc_root, tmp_path):
    for path in sorted(lidc_root.rglob("*.dcm"))[:5]:
        path.write_bytes(b"nonsense")
    result = check("lidc", lidc_root, tmp_path / "sheet.png", *SMALL)
    assert result.exit_code == 1 and "No: lidc: 5 of 72 files cannot be read" in result.output


def test_the_contact_sheet_shows_sixteen_windowed_slices(lidc_root, tmp_path):
    check("lidc", lidc_root, tmp_path / "sheet.png", *SMALL)
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert sheet.shape == (4 * 272, 4 * 256)
    for number in range(16):  # 72 slices from P1 (91 to 100 HU) to P6: one every 4.5
        index = int((number + 0.5) * 4.5)
        hounsfield = 100 * (index // 12 + 1) - (11 - index % 12)
        shown = sheet[number // 4 * 272 + 100, number % 4 * 256 + 100]
        assert shown == np.rint((min(hounsfield, 400) + 1000) / 1400 * 255)


@pytest.mark.parametrize("name", ["rsna", "lits"])
def test_the_other_data_sets(tmp_path, name, radiograph_file, volume_file):
    for number in range(3):
        radiograph_file(tmp_path / f"rsna/stage_2_train_images/{number}.dcm", np.full((32, 32), 90, np.uint8))
        volume_file(tmp_path / f"lits/volume-{number}.nii", np.zeros((8, 8, 4)))
    small = ("--sampling", '{"train": 1, "validation": 1, "test": 1, "size": 16}')
    result = check(name, tmp_path / name, tmp_path / "sheet.png", *small)
    assert result.exit_code == 0, result.output
    assert "Patients: 3" in result.output and "Yes: 1 train + 1 validation + 1 test" in result.output


def test_a_missing_folder_is_one_sentence(tmp_path):
    result = check("lits", tmp_path / "nowhere", tmp_path / "sheet.png")
    assert result.exit_code != 0 and "datasets.lits.root" in str(result.exception)
