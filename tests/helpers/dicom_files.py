"""Made-up files in the native formats, each with one quirk of the real ones."""

import gzip
import struct
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="session")
def ct_file():
    """Function: write one CT slice as DICOM; keywords set or (None) remove elements."""
    return write_ct


@pytest.fixture
def radiograph_file():
    """Function: write one radiograph as JPEG-compressed DICOM."""
    return write_radiograph


@pytest.fixture
def volume_file():
    """Function: write one volume as NIfTI, given in RAS+ order, stored with the axes of a code such as LPS."""
    return write_volume


@pytest.fixture
def lidc_root(tmp_path):
    """Six patients of twelve 24x24 slices, 2.5 mm apart; the grey value of a slice is patient * 100 + slice HU."""
    root = tmp_path / "lidc"
    for patient in range(1, 7):
        for number in range(12):
            name = f"LIDC-IDRI-{patient:04d}"
            write_ct(
                root / name / "study" / "series" / f"1-{number:03d}.dcm",
                patient=name,
                series=f"1.2.{patient}",
                z=-2.5 * number,
                number=number + 1,
                hounsfield=np.full((24, 24), 100 * patient - number, np.int16),
            )
    return root


def write_ct(
    path: Path,
    *,
    patient="P1",
    series="1.2.3",
    z=0.0,
    number=1,
    hounsfield=None,
    stored=None,
    signed=True,
    syntax="1.2.840.10008.1.2.1",
    intercept=-1024,
    modality="CT",
    sop=None,
    **elements,
):
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import generate_uid

    if stored is None:
        hounsfield = np.zeros((24, 24), np.int16) if hounsfield is None else hounsfield
        stored = (hounsfield.astype(np.int32) - intercept).astype(np.int16 if signed else np.uint16)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    meta.MediaStorageSOPInstanceUID = sop or generate_uid(entropy_srcs=[series, str(z), str(number)])
    meta.TransferSyntaxUID = syntax
    file = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    file.SOPClassUID, file.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    file.Modality, file.PatientID, file.SeriesInstanceUID = modality, patient, series
    file.ImageType, file.InstanceNumber = ["ORIGINAL", "PRIMARY", "AXIAL"], number
    file.ImagePositionPatient, file.ImageOrientationPatient = [-10, -10, z], [1, 0, 0, 0, 1, 0]
    file.PixelSpacing, file.RescaleSlope, file.RescaleIntercept = [0.7, 0.6], 1, intercept
    file.Rows, file.Columns = stored.shape
    file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME2"
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 16, 16, 15, int(signed)
    file.PixelData = stored.astype("<i2" if signed else "<u2").tobytes()
    file["PixelData"].VR = "OW"
    for keyword, value in elements.items():
        if value is None:
            del file[keyword]
        else:
            setattr(file, keyword, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    file.save_as(path, enforce_file_format=True)
    return path


def write_radiograph(path: Path, grey: np.ndarray, *, photometric="MONOCHROME2", quality=95, **elements):
    from PIL import Image
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.encaps import encapsulate
    from pydicom.uid import generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[path.name])
    meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.50"
    file = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    file.SOPClassUID, file.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    file.Modality, file.PatientID, file.PixelSpacing = "CR", path.stem, [0.14, 0.14]
    file.Rows, file.Columns = grey.shape
    file.SamplesPerPixel, file.PhotometricInterpretation = 1, photometric
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 8, 8, 7, 0
    stream = BytesIO()
    Image.fromarray(grey).save(stream, "JPEG", quality=quality)
    file.PixelData = encapsulate([stream.getvalue()])
    for keyword, value in elements.items():
        setattr(file, keyword, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    file.save_as(path, enforce_file_format=True)
    return path


def write_volume(
    path: Path, volume: np.ndarray, *, axes="RAS", spacing=(0.8, 0.7, 2.5), dtype=np.int16, slope=None, shear=0.0, turn=None
):
    import nibabel
    from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, io_orientation, ornt_transform

    affine = np.diag([*spacing, 1.0])
    affine[1, 2] = shear * spacing[2]  # a tilted gantry shifts each slice a little
    affine[:3, :3] = (np.eye(3) if turn is None else turn) @ affine[:3, :3]
    transform = ornt_transform(io_orientation(affine), axcodes2ornt(axes))
    stored = apply_orientation(volume, transform)
    affine = affine @ inv_ornt_aff(transform, volume.shape)
    image = nibabel.Nifti1Image(stored.astype(dtype), affine)
    image.set_data_dtype(dtype)
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(image, path)
    if slope is not None:
        content = bytearray(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())
        content[112:120] = struct.pack("<2f", *slope)  # scl_slope and scl_inter of the NIfTI-1 header
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path
