"""Radiographs projected from a CT, as JPEG-compressed DICOM like those of the RSNA challenge.

The geometry is that of a slot scanner, as used for long radiographs: a fan of rays in each axial plane, parallel planes
along the body. Each pixel is the line integral of the linear attenuation coefficient along its ray, which is what a
digital radiograph shows after its logarithm (Beer-Lambert: I = I0 exp(-integral)).
"""

from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np

WATER = 0.0193  # linear attenuation of water at 70 keV, 1/mm (NIST XCOM)
SOURCE = 1500.0  # distance from the X-ray source to the axis of rotation, mm
SIDE = 1024  # pixels
DETECTOR = 512  # rays of the fan: the CT resolves no more
STRIDE = 2  # pixels between samples along a ray
QUALITY = 95  # of the JPEG
DISPLAY = (0.5, 99.5)  # percentiles of the body's line integrals that become black and white


def write_radiographs(headers: Sequence, views: int, folder: Path) -> None:
    """Project a CT from `views` angles over half a turn, from one side to the other, and write a DICOM file for each.

    Args:
        headers: data sets of the parallel axial slices of one series, with pixels, in any order.
        views: number of angles; a full turn would give mirror images.
        folder: is made; gets <patient>-projection-<number>.dcm. Beside it, persons.csv says that all are of one person.
    """
    headers = sorted(headers, key=lambda header: -float(header.ImagePositionPatient[2]))
    attenuation = np.stack([attenuation_of_body(header) for header in headers])
    spacing = float(headers[0].PixelSpacing[0])
    height = abs(float(headers[0].ImagePositionPatient[2]) - float(headers[-1].ImagePositionPatient[2]))
    height *= len(headers) / (len(headers) - 1)
    angles = [-90 + 180 * number / views for number in range(views)]
    folder.mkdir(parents=True)
    for number, (angle, integrals) in enumerate(project(attenuation, spacing, height, angles)):
        file = radiograph(headers[0], to_grey(integrals), number, angle, height / SIDE)
        file.save_as(folder / f"{name_of(headers[0], number)}.dcm", enforce_file_format=True)
    persons = [f"{name_of(headers[0], number)},{headers[0].PatientID}\n" for number in range(views)]
    (folder.parent / "persons.csv").write_text("image_id,person\n" + "".join(persons))


def name_of(header, number: int) -> str:
    """Name of a projection, which the file and the image identifier get."""
    return f"{header.PatientID}-projection-{number:03d}"


def attenuation_of_body(header) -> np.ndarray:
    """Linear attenuation of one slice, 1/mm, float32 (H, W), without the table: zero outside the largest outline."""
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
        attenuation: (slices, H, W), 1/mm, from the head down, square pixels.
        spacing: of the pixels, mm.
        height: of the volume, mm; the field of view of the fan, at the axis, is as wide.
        angles: of the source about the long axis, degrees; 0 is behind the patient.

    Yields:
        The angle, and the integrals, float32 (slices, DETECTOR), without unit.
    """
    import cv2

    centre = (attenuation.shape[1] - 1) / 2
    depth = (np.arange(0, attenuation.shape[1], STRIDE, dtype=np.float32) - centre) * spacing
    across = ((np.arange(DETECTOR, dtype=np.float32) + 0.5) / DETECTOR - 0.5) * height
    spread = across[None, :] * (1 - depth[:, None] / SOURCE)  # the source lies at depth +SOURCE
    length = STRIDE * spacing * np.sqrt(1 + (across / SOURCE) ** 2)
    for angle in angles:
        cosine, sine = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
        columns = ((spread * cosine - depth[:, None] * sine) / spacing + centre).astype(np.float32)
        rows = ((spread * sine + depth[:, None] * cosine) / spacing + centre).astype(np.float32)
        maps = cv2.convertMaps(columns, rows, cv2.CV_16SC2)
        sums = [cv2.remap(one, *maps, cv2.INTER_LINEAR, borderValue=0).sum(axis=0) for one in attenuation]
        yield angle, np.stack(sums) * length


def to_grey(integrals: np.ndarray) -> np.ndarray:
    """Show line integrals as uint8 (SIDE, SIDE): linear between two percentiles of the body, as a CR reader does."""
    import cv2

    full = cv2.resize(integrals, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    low, high = np.percentile(full[full > 0.1], DISPLAY)
    return np.rint(np.clip((full - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def radiograph(source, grey: np.ndarray, number: int, angle: float, pixel: float):
    """Wrap a grey image as a computed radiograph in DICOM whose tags say that it is derived from a CT."""
    from PIL import Image
    from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
    from pydicom.encaps import encapsulate
    from pydicom.uid import ComputedRadiographyImageStorage, JPEGBaseline8Bit, generate_uid

    stream = BytesIO()
    Image.fromarray(grey).save(stream, "JPEG", quality=QUALITY)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[source.SeriesInstanceUID, "projection", str(number)])
    meta.TransferSyntaxUID = JPEGBaseline8Bit
    file = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    file.SOPClassUID, file.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    file.PatientID, file.PatientName = source.PatientID, ""
    file.PatientIdentityRemoved, file.DeidentificationMethod = "YES", "as the source"
    file.StudyInstanceUID = source.StudyInstanceUID
    file.SeriesInstanceUID = generate_uid(entropy_srcs=[source.SeriesInstanceUID, "projections"])
    file.Modality, file.BodyPartExamined, file.InstanceNumber = "CR", "CHEST", number + 1
    file.ImageType = ["DERIVED", "SECONDARY", "PROJECTION"]
    file.DerivationDescription = (
        f"Radiograph computed from CT series {source.SeriesInstanceUID} as line integrals of attenuation, "
        f"source {angle:+.3f} degrees from behind; no X-ray exposure was made."
    )
    reference = Dataset()
    reference.StudyInstanceUID, reference.SeriesInstanceUID = source.StudyInstanceUID, source.SeriesInstanceUID
    file.ReferencedSeriesSequence = [reference]
    file.ImageComments = "Derived from LIDC-IDRI, CC BY 3.0, doi 10.7937/K9/TCIA.2015.LO9QL9SX"
    file.PositionerPrimaryAngle, file.PixelSpacing = f"{angle:.3f}", [f"{pixel:.6f}"] * 2
    file.Rows, file.Columns = grey.shape
    file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME2"
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 8, 8, 7, 0
    file.BurnedInAnnotation, file.LossyImageCompression, file.LossyImageCompressionMethod = "NO", "01", "ISO_10918_1"
    file.LossyImageCompressionRatio = f"{grey.size / stream.tell():.2f}"
    file.PixelData = encapsulate([stream.getvalue()])
    return file
