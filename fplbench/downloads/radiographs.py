"""Radiographs projected from a CT, as JPEG-compressed DICOM files like those of the RSNA challenge.

The geometry is that of a slot scanner, as used for long radiographs: a fan of rays in each axial plane, and parallel
planes along the body. Each pixel is the line integral of the linear attenuation coefficient along its ray. This is what
a digital radiograph shows after taking the logarithm (Beer-Lambert law: I = I0 exp(-integral)).
"""

from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fplbench.files import write_text
from fplbench.lesions.boxes import LABELS, Box, write_labels

if TYPE_CHECKING:
    from pydicom import Dataset as DicomDataset
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import UID

WATER = 0.0193  # linear attenuation of water at 70 keV, 1/mm (NIST XCOM)
SOURCE = 1500.0  # distance from the X-ray source to the axis of rotation, mm
SIDE = 1024  # pixels
DETECTOR = 512  # rays in the fan; the CT does not resolve more
STRIDE = 2  # pixels between samples along a ray
QUALITY = 95  # JPEG quality
DISPLAY = (0.5, 99.5)  # percentiles of the line integrals inside the body shown as black and white


def write_radiographs(
    headers: Sequence["DicomDataset"], views: int, folder: Path, lesions: Sequence[Mapping[str, np.ndarray]] = ()
) -> None:
    """Project a CT at angles over half a turn, from one side to the other, and write one DICOM file per angle.

    Args:
        headers: the parallel axial slices of one series, with pixels, in any order.
        views: number of angles; a full turn would give mirror images.
        folder: a new folder that receives <patient>-projection-<number>.dcm. The file persons.csv next to it states that
            all images show one person; with lesions, stage_2_train_labels.csv next to it has their boxes.
        lesions: for each lesion its masks, bool (H, W), by SOPInstanceUID of the slice.
    """
    headers = sorted(headers, key=lambda header: -float(header.ImagePositionPatient[2]))
    attenuation = np.stack([attenuation_of_body(header) for header in headers])
    spacing = float(headers[0].PixelSpacing[0])
    height = abs(float(headers[0].ImagePositionPatient[2]) - float(headers[-1].ImagePositionPatient[2]))
    height *= len(headers) / (len(headers) - 1)
    angles = [-90 + 180 * number / views for number in range(views)]
    names = [name_of(headers[0], number) for number in range(views)]
    folder.mkdir(parents=True)
    for number, (angle, integrals) in enumerate(project(attenuation, spacing, height, angles)):
        file = radiograph(headers[0], to_grey(integrals), number, angle, height / SIDE)
        file.save_as(folder / f"{names[number]}.dcm", enforce_file_format=True)
    persons = [f"{name},{headers[0].PatientID}\n" for name in names]
    write_text(folder.parent / "persons.csv", "image_id,person\n" + "".join(persons))
    if lesions:
        rows = [
            {row: one[head.SOPInstanceUID] for row, head in enumerate(headers) if head.SOPInstanceUID in one} for one in lesions
        ]
        found = zip(*(project_boxes(one, len(headers), spacing, height, angles) for one in rows), strict=True)
        boxes = {
            name: {f"nodule-{number}": box for number, box in enumerate(some, start=1) if box}
            for name, some in zip(names, found, strict=True)
        }
        write_labels(folder.parent / LABELS, boxes)


def name_of(header: "DicomDataset", number: int) -> str:
    """Name of a projection: its file name without .dcm, and its image identifier."""
    return f"{header.PatientID}-projection-{number:03d}"


def attenuation_of_body(header: "DicomDataset") -> np.ndarray:
    """Linear attenuation of one slice, 1/mm, float32 (H, W). Zero outside the largest object, which removes the table."""
    import cv2

    hounsfield = header.pixel_array.astype(np.float32) * float(header.RescaleSlope) + float(header.RescaleIntercept)
    solid = cv2.morphologyEx((hounsfield > -300).astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    outlines, _ = cv2.findContours(solid, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    body = np.zeros_like(solid)
    if outlines:
        cv2.drawContours(body, [max(outlines, key=cv2.contourArea)], -1, 1, cv2.FILLED)
    return np.where(body > 0, np.maximum(1 + hounsfield / 1000, 0) * WATER, 0).astype(np.float32)


def project(
    attenuation: np.ndarray, spacing: float, height: float, angles: Sequence[float]
) -> Iterator[tuple[float, np.ndarray]]:
    """Line integrals through a volume for each angle.

    Args:
        attenuation: (slices, H, W), 1/mm, from the head down; the pixels are square.
        spacing: pixel spacing, mm.
        height: height of the volume, mm; the field of view of the fan, at the axis, has the same width.
        angles: angles of the source about the long axis, degrees; at 0 it is behind the patient.

    Yields:
        The angle and the line integrals, dimensionless, float32 (slices, DETECTOR).
    """
    import cv2

    centre = (attenuation.shape[1] - 1) / 2
    depth = (np.arange(0, attenuation.shape[1], STRIDE, dtype=np.float32) - centre) * spacing
    across = ((np.arange(DETECTOR, dtype=np.float32) + 0.5) / DETECTOR - 0.5) * height
    spread = across[None, :] * (1 - depth[:, None] / SOURCE)  # the source is at depth +SOURCE
    length = STRIDE * spacing * np.sqrt(1 + (across / SOURCE) ** 2)
    for angle in angles:
        cosine, sine = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
        columns = ((spread * cosine - depth[:, None] * sine) / spacing + centre).astype(np.float32)
        rows = ((spread * sine + depth[:, None] * cosine) / spacing + centre).astype(np.float32)
        places, fractions = cv2.convertMaps(columns, rows, cv2.CV_16SC2)
        sums = [cv2.remap(one, places, fractions, cv2.INTER_LINEAR, borderValue=0).sum(axis=0) for one in attenuation]
        yield angle, np.stack(sums) * length


def project_boxes(
    masks: Mapping[int, np.ndarray], count: int, spacing: float, height: float, angles: Sequence[float]
) -> Iterator[Box | None]:
    """Bounding box of a lesion in the radiograph of each angle.

    A pixel shows the lesion if its ray runs through the mask for at least half the spacing of the CT. Shorter paths come
    from the interpolation along the border of the mask.

    Args:
        masks: bool (H, W) by number of the slice, from the head down.
        count: number of slices of the volume.
        spacing: pixel spacing, mm.
        height: height of the volume, mm.
        angles: angles of the source, degrees, as in `project`.

    Yields:
        The box in pixels of the radiograph, with whole numbers; None if no pixel shows the lesion.
    """
    numbers = np.array(sorted(masks))
    volume = np.stack([masks[number] for number in numbers.tolist()]).astype(np.float32)
    for _, paths in project(volume, spacing, height, angles):
        shown = paths >= spacing / 2
        rows, columns = numbers[shown.any(axis=1)], np.flatnonzero(shown.any(axis=0))
        if not len(rows):
            yield None
            continue
        top, left = int(rows[0] * SIDE // count), int(columns[0] * SIDE // DETECTOR)
        bottom, right = (int(-(-(last + 1) * SIDE // of)) for last, of in ((rows[-1], count), (columns[-1], DETECTOR)))
        yield Box(left, top, right - left, bottom - top)


def to_grey(integrals: np.ndarray) -> np.ndarray:
    """Scale line integrals to uint8 (SIDE, SIDE), linearly between two percentiles of the body, as a CR reader does."""
    import cv2

    full = cv2.resize(integrals, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    low, high = np.percentile(full[full > 0.1], DISPLAY)
    return np.rint(np.clip((full - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def radiograph(source: "DicomDataset", grey: np.ndarray, number: int, angle: float, spacing: float) -> "FileDataset":
    """Wrap a grey image as a computed radiograph in DICOM; its tags state that it is derived from a CT.

    Args:
        source: a slice of the CT.
        grey: uint8 (H, W).
        number: number of the projection, from 0.
        angle: angle of the source, degrees.
        spacing: pixel spacing, mm.
    """
    from pydicom.dataset import FileDataset
    from pydicom.uid import JPEGBaseline8Bit

    file = FileDataset("", {}, file_meta=_file_meta(source, number, JPEGBaseline8Bit), preamble=b"\0" * 128)
    _describe_source(file, source, angle)
    file.SOPClassUID = file.file_meta.MediaStorageSOPClassUID
    file.SOPInstanceUID = file.file_meta.MediaStorageSOPInstanceUID
    file.Modality, file.BodyPartExamined, file.InstanceNumber = "CR", "CHEST", number + 1
    file.PositionerPrimaryAngle, file.PixelSpacing = f"{angle:.3f}", [f"{spacing:.6f}"] * 2
    _add_pixels(file, grey)
    return file


def _file_meta(source: "DicomDataset", number: int, syntax: "UID") -> "FileMetaDataset":
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ComputedRadiographyImageStorage, generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[source.SeriesInstanceUID, "projection", str(number)])
    meta.TransferSyntaxUID = syntax
    return meta


def _describe_source(file: "FileDataset", source: "DicomDataset", angle: float) -> None:
    """Set the tags that say which CT the image was computed from, and how."""
    from pydicom.dataset import Dataset
    from pydicom.uid import generate_uid

    file.PatientID, file.PatientName = source.PatientID, ""
    file.PatientIdentityRemoved, file.DeidentificationMethod = "YES", "as the source"
    file.StudyInstanceUID = source.StudyInstanceUID
    file.SeriesInstanceUID = generate_uid(entropy_srcs=[source.SeriesInstanceUID, "projections"])
    file.ImageType = ["DERIVED", "SECONDARY", "PROJECTION"]
    file.DerivationDescription = (
        f"Radiograph computed from CT series {source.SeriesInstanceUID} as line integrals of attenuation, "
        f"source {angle:+.3f} degrees from behind; no X-ray exposure was made."
    )
    reference = Dataset()
    reference.StudyInstanceUID, reference.SeriesInstanceUID = source.StudyInstanceUID, source.SeriesInstanceUID
    file.ReferencedSeriesSequence = [reference]
    file.ImageComments = "Derived from LIDC-IDRI, CC BY 3.0, doi 10.7937/K9/TCIA.2015.LO9QL9SX"


def _add_pixels(file: "FileDataset", grey: np.ndarray) -> None:
    """Compress the image with JPEG baseline and set the tags that describe the pixels."""
    from PIL import Image
    from pydicom.encaps import encapsulate

    stream = BytesIO()
    Image.fromarray(grey).save(stream, "JPEG", quality=QUALITY)
    file.Rows, file.Columns = grey.shape
    file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME2"
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 8, 8, 7, 0
    file.BurnedInAnnotation, file.LossyImageCompression, file.LossyImageCompressionMethod = "NO", "01", "ISO_10918_1"
    file.LossyImageCompressionRatio = f"{grey.size / stream.tell():.2f}"
    file.PixelData = encapsulate([stream.getvalue()])
