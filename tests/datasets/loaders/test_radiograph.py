"""Radiographs of any source: DICOM of any compression, PNG and JPEG, and whose they are."""

import hashlib

import numpy as np
import pytest
from PIL import Image

from fplbench.datasets import LOADERS, SamplingOptions, sample_dataset
from fplbench.datasets.loaders.radiograph import RadiographOptions, arrange, left_out, read_header, read_images
from fplbench.datasets.persons import patients_counted_by, persons_known
from fplbench.datasets.registry import NotAnImage, Unreadable
from fplbench.datasets.sampling.check import check_data
from fplbench.datasets.scan import scan
from fplbench.errors import InputError
from fplbench.stacks import open_stack, read_index
from tests.helpers.damage import check, mutate
from tests.helpers.dicom_files import write_ct, write_radiograph

GREY = np.random.default_rng(0).integers(0, 4096, (24, 32)).astype(np.uint16)
TWELVE_BITS = {"signed": False, "modality": "DX", "BitsStored": 12, "HighBit": 11}


def write_dx(path, stored=GREY, **elements):
    """Write a radiograph of 12 bits without compression."""
    return write_ct(path, stored=stored, **{**TWELVE_BITS, "StudyInstanceUID": "1.2.9", **elements})


def read(path):
    (plane,) = read_images(path, [None], RadiographOptions())
    return plane


def slices_of(root, **options):
    """The slices of a folder and what is left out, by way of the header scan."""
    options = RadiographOptions(root=root, **options)
    found = scan(LOADERS["radiograph"], options, 1)
    slices, omitted = arrange(found.headers, options)
    return {one.image_id: one for one in slices}, found.skipped | found.unreadable | omitted


def test_stored_values_with_the_range_of_their_bits(tmp_path):
    plane = read(write_dx(tmp_path / "a.dcm"))
    assert np.array_equal(plane.values, GREY) and plane.range == (0, 4095) and not plane.inverted


def test_monochrome1_is_inverted_and_padding_is_black_either_way(tmp_path):
    stored = GREY.copy()
    stored[:4] = 4000
    stored[4:8] = 4010
    padding = {"PixelPaddingValue": 4000, "PixelPaddingRangeLimit": 4005}
    for photometric, expected in (("MONOCHROME2", stored), ("MONOCHROME1", 4095 - stored.astype(int))):
        plane = read(write_dx(tmp_path / "a.dcm", stored, PhotometricInterpretation=photometric, **padding))
        expected = np.where((stored >= 4000) & (stored <= 4005), 0, expected)
        assert np.array_equal(plane.values, expected) and plane.inverted == (photometric == "MONOCHROME1")


@pytest.mark.parametrize(
    "syntax",
    [
        "1.2.840.10008.1.2.5",  # RLE
        "1.2.840.10008.1.2.4.80",  # JPEG-LS lossless
        "1.2.840.10008.1.2.4.90",  # JPEG 2000 lossless
    ],
)
def test_lossless_compression_gives_the_same_values(tmp_path, syntax):
    import pydicom

    stored = np.kron(GREY, np.ones((3, 3), np.uint16))  # JPEG 2000 needs a few more pixels
    path = write_dx(tmp_path / "a.dcm", stored)
    dataset = pydicom.dcmread(path)
    dataset.compress(syntax, generate_instance_uid=False)
    dataset.save_as(path)
    read_header(path, RadiographOptions())
    assert np.array_equal(read(path).values, stored)


def test_the_spacing_is_that_of_the_patient_else_of_the_detector(tmp_path):
    header = read_header(write_dx(tmp_path / "a.dcm", ImagerPixelSpacing=[0.2, 0.3]), RadiographOptions())
    assert (header["row_spacing"], header["column_spacing"]) == (0.7, 0.6)
    header = read_header(write_dx(tmp_path / "a.dcm", PixelSpacing=None, ImagerPixelSpacing=[0.2, 0.3]), RadiographOptions())
    assert (header["row_spacing"], header["column_spacing"]) == (0.2, 0.3)


@pytest.mark.parametrize("modality", ["CT", "MR", "XA", "OT"])
def test_other_modalities_and_colour_images_are_left_out(tmp_path, modality):
    with pytest.raises(NotAnImage, match=f"modality {modality}"):
        read_header(write_dx(tmp_path / "a.dcm", modality=modality), RadiographOptions())
    with pytest.raises(NotAnImage, match="a colour image"):
        read_header(write_dx(tmp_path / "a.dcm", PhotometricInterpretation="PALETTE COLOR"), RadiographOptions())
    for accepted in ("CR", "DX", "MG", "RG"):
        read_header(write_dx(tmp_path / "a.dcm", modality=accepted), RadiographOptions())


def test_files_of_other_kinds_are_left_out_by_their_names(tmp_path):
    assert left_out("persons.csv", tmp_path) == ".csv, not an image"
    assert [left_out(name, tmp_path) for name in ("a.png", "b.JPEG", "IM0001", "c.dcm", "1.2.840.5")] == [""] * 5


def test_patients_by_patient_number_else_by_study(tmp_path):
    write_dx(tmp_path / "a/1.dcm", patient="Q")
    write_dx(tmp_path / "a/2.dcm", patient="Q", number=2, StudyInstanceUID="1.2.8")
    write_dx(tmp_path / "b/1.dcm", patient="", number=3, StudyInstanceUID="1.2.7")
    write_dx(tmp_path / "b/IM2.5", patient=" ", number=4, StudyInstanceUID="1.2.7")
    write_dx(tmp_path / "c/copy.dcm", patient="Q")
    write_dx(tmp_path / "c/none.dcm", patient="", number=5, StudyInstanceUID="")
    slices, others = slices_of(tmp_path)
    study = "study-" + hashlib.sha256(b"1.2.7").hexdigest()[:12]
    assert {name: one.patient for name, one in slices.items()} == {"a/1": "Q", "a/2": "Q", "b/1": study, "b/IM2.5": study}
    assert len({one.series for one in slices.values()}) == 4
    assert others == {
        "c/copy.dcm": "a copy of another image",
        "c/none.dcm": "without PatientID, StudyInstanceUID and a mapping to persons",
    }
    assert patients_counted_by(slices.values()) == {"study": 1} and persons_known(slices.values())


def test_a_colour_picture_that_is_left_out_leaves_the_patients_known(tmp_path):
    write_dx(tmp_path / "1.dcm", patient="Q")
    Image.fromarray(np.zeros((9, 9, 3), np.uint8) + np.arange(3, dtype=np.uint8)).save(tmp_path / "logo.png")
    slices, others = slices_of(tmp_path)
    assert others == {"logo.png": "a colour image"} and persons_known(slices.values())


def write_pictures(root, names):
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.roll(GREY >> 4, number).astype(np.uint8)).save(path)


def test_pictures_are_persons_of_their_own_unless_a_table_lists_them(tmp_path):
    """The table may give the path or the name, with or without suffix."""
    write_pictures(tmp_path, ["x/1.png", "x/2.jpg", "y/3.png", "y/4.jpeg", "y/5.png", "x/1.jpeg"])
    slices, others = slices_of(tmp_path)
    assert {name: one.patient for name, one in slices.items()} == {name: name for name in ("x/1", "x/2", "y/3", "y/4", "y/5")}
    assert others == {"x/1.png": "the same name as another file"} and not persons_known(slices.values())
    (tmp_path / "persons.csv").write_text("image_id,person\nx/1,A\nx/2.jpg,A\n3,B\n4.jpeg,B\n")
    slices, others = slices_of(tmp_path)
    assert {name: one.patient for name, one in slices.items()} == {"x/1": "A", "x/2": "A", "y/3": "B", "y/4": "B"}
    assert others["y/5.png"] == "not listed in the mapping to persons" and persons_known(slices.values())


def test_a_table_names_the_persons_of_anonymous_dicom_files_and_no_others(tmp_path):
    write_dx(tmp_path / "1.dcm", patient="Q")
    write_dx(tmp_path / "2.dcm", patient="", number=2)
    write_dx(tmp_path / "3.dcm", patient="", number=3)
    write_dx(tmp_path / "4.dcm", patient="", number=4, StudyInstanceUID="")
    (tmp_path / "persons.csv").write_text("image_id,person\n1,A\n2,A\n")
    slices, others = slices_of(tmp_path)
    study = "study-" + hashlib.sha256(b"1.2.9").hexdigest()[:12]
    assert {name: one.patient for name, one in slices.items()} == {"1": "Q", "2": "A", "3": study}
    assert others["4.dcm"] == "not listed in the mapping to persons"


def test_a_table_without_any_of_the_images_is_refused(tmp_path):
    write_pictures(tmp_path, ["1.png"])
    (tmp_path / "persons.csv").write_text("image_id,person\nz,A\n")
    with pytest.raises(
        InputError,
        match=r"^datasets\.radiograph\.persons: .*persons\.csv lists none of the 1 images; its image_id must be the name",
    ):
        slices_of(tmp_path)
    (tmp_path / "persons.csv").write_text("image,person\nz,A\n")
    with pytest.raises(InputError, match=r"^datasets\.radiograph\.persons: .*persons\.csv needs a header line"):
        slices_of(tmp_path)


def test_pictures_that_cannot_be_used_are_named(tmp_path):
    write_pictures(tmp_path, ["1.png"])
    Image.fromarray(np.zeros((9, 9, 3), np.uint8) + np.arange(3, dtype=np.uint8)).save(tmp_path / "2.png")
    (tmp_path / "3.png").write_bytes(b"nothing")
    slices, others = slices_of(tmp_path)
    assert slices.keys() == {"1"}
    assert others == {"2.png": "a colour image", "3.png": "it is not a PNG or JPEG file, or its header is damaged"}


@pytest.mark.slow
def test_a_mixed_folder_is_drawn_with_a_window_for_each_image(tmp_path):
    """DICOM of 12 bits, PNG of 8 and 16 bits: each fills the range between its own percentiles."""
    rng, values = np.random.default_rng(4), {}
    for number in range(12):
        stored = rng.gamma(3, 200, (24, 24)).clip(0, 4095).astype(np.uint16)
        if number % 3:
            stored = stored >> 4 if number % 3 == 1 else stored * 15
            Image.fromarray(stored.astype(np.uint8) if number % 3 == 1 else stored).save(tmp_path / f"{number}.png")
        else:
            (tmp_path / "dicom").mkdir(exist_ok=True)
            write_dx(tmp_path / f"dicom/{number}.dcm", stored, patient=f"P{number}", number=number)
        values[f"dicom/{number}.dcm" if number % 3 == 0 else f"{number}.png"] = stored.astype(float)
    sampling = SamplingOptions(train=6, validation=3, test=3, size=24)
    root = tmp_path / "in"
    root.mkdir()
    for path in (*tmp_path.glob("*.png"), tmp_path / "dicom"):
        path.rename(root / path.name)
    summary = sample_dataset("chest", RadiographOptions(root=root), sampling, 1, tmp_path / "out", loader="radiograph")
    for split in sampling.counts():
        path = tmp_path / "out" / f"{split}.npy"
        for image, row in zip(open_stack(path), read_index(path), strict=True):
            stored = values[row["source"]]
            low, high = np.percentile(stored, (0.5, 99.5), method="inverted_cdf")
            assert (float(row["window_low"]), float(row["window_high"])) == (low, high)
            assert np.abs(image - np.clip((stored - low) / (high - low), 0, 1) * 255).max() <= 0.5 + 1e-3
    about = {
        "dataset": "chest",
        "loader": "radiograph",
        "label": "chest",
        "modalities": ["CR", "DX", "MG", "RG"],
        "hounsfield": False,
    }
    about |= {
        "patients_counted_by": {"file": 8},
        "window": None,
        "percentiles": [0.5, 99.5],
        "paired": False,
        "fit": "resize",
        "size": 24,
        "persons_known": False,
    }
    assert about.items() <= summary.items() and "ask their owner" in summary["licence"]


@pytest.mark.slow
def test_check_data_tells_what_a_folder_of_radiographs_contains(tmp_path):
    write_pictures(tmp_path / "in", [f"{number}.png" for number in range(9)])
    sampling = SamplingOptions(train=4, validation=2, test=2, size=16)
    options = RadiographOptions(root=tmp_path / "in", label="Chest")
    lines, possible = check_data("chest", options, sampling, 1, 1, tmp_path / "sheet.png", loader="radiograph")
    assert possible and lines[0].startswith("Chest in") and "Images (persons unknown): 9" in lines
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"set datasets\.chest\.root to the folder with radiographs as DICOM, PNG or JPEG"):
        check_data("chest", RadiographOptions(root=tmp_path / "empty"), sampling, 1, 1, tmp_path / "b.png", loader="radiograph")


@pytest.mark.slow
def test_mutated_files_are_images_or_are_named(tmp_path, caplog):
    """40 each of PNG of 8 and 16 bits, JPEG, uncompressed DX and JPEG-compressed CR."""
    random, root = np.random.default_rng(6), tmp_path / "in"
    y, x = np.mgrid[:32, :32]
    mutants = []
    for number in range(40):
        grey = ((x * y + number) % 256).astype(np.uint8)
        (root / "good").mkdir(parents=True, exist_ok=True)
        Image.fromarray(grey).save(root / f"good/a{number}.png")
        Image.fromarray(grey.astype(np.uint16) * 250).save(root / f"good/b{number}.png")
        Image.fromarray(grey).save(root / f"good/c{number}.jpg")
        write_dx(root / f"good/d{number}.dcm", grey.astype(np.uint16) * 16, patient=f"P{number}", number=number)
        write_radiograph(root / f"good/e{number}.dcm", grey, StudyInstanceUID="1.3")
        for path in sorted((root / "good").glob(f"?{number}.*")):
            mutants.append(root / f"bad-{path.name}")
            content = path.read_bytes()
            mutants[-1].write_bytes(mutate(content, random, len(content) // 3))
    sampling = SamplingOptions(train=60, validation=20, test=20, size=16, split="random_slice")
    found = check("radiograph", RadiographOptions(root=root, max_unreadable=1), mutants, caplog, tmp_path, sampling)
    assert sum(path.startswith("good/") for path in found.headers) == 200
    assert len(found.unreadable) > 20 and (tmp_path / "out/train.npy").exists()


def test_a_truncated_picture_is_damaged_not_an_image(tmp_path):
    write_pictures(tmp_path, ["1.png", "2.jpg"])
    for name in ("1.png", "2.jpg"):
        path = tmp_path / name
        path.write_bytes(path.read_bytes()[:-60])
        with pytest.raises((OSError, SyntaxError, Unreadable)):
            read(path)
