"""LIDC-IDRI: CT series in DICOM, in the folders of TCIA, of IDC, or any other.

Armato et al. 2011, The Lung Image Database Consortium (LIDC) and Image Database Resource Initiative (IDRI): a completed
reference database of lung nodules on CT scans. Medical Physics 38(2), doi 10.1118/1.3528204.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from fplbench.datasets import dicom
from fplbench.datasets.catalogue import DATASETS, Dataset, DatasetOptions, Header, NotAnImage, Slice, Values, Window

if TYPE_CHECKING:
    from pydicom import Dataset as DicomDataset

AIR = -1024.0  # HU; whatever lies below is outside the field of view
TISSUE = (-950.0, 3071.0)  # HU; a padding value in this range cannot be told from tissue
OTHER_FILES = (
    ".xml",
    ".csv",
    ".txt",
    ".json",
    ".md",
    ".html",
    ".pdf",
    ".zip",
    ".tcia",
    ".s5cmd",
    ".png",
    ".jpg",
    ".py",
)
TAGS = (
    "PatientID",
    "SeriesInstanceUID",
    "SOPInstanceUID",
    "Modality",
    "ImageType",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "SliceLocation",
    "InstanceNumber",
    "PixelSpacing",
)
FIELDS = ("patient", "series", "instance", "position", "order", "row_spacing", "column_spacing")


class LidcOptions(DatasetOptions):
    """Options of LIDC-IDRI."""

    root: Path = Field(Path("data/lidc"), description="Folder with the DICOM files, in any arrangement.")
    window: Window = Field((-1000, 400), description="Lowest and highest HU shown; the default is a lung window.")


def wanted(path: str) -> bool:
    """Everything but files that are known by their suffix to be something else: many DICOM files have none."""
    return not path.lower().endswith(OTHER_FILES)


def read_header(path: Path, options: LidcOptions) -> Header:
    """Patient, series and place of one axial CT slice; NotAnImage for other modalities, localisers and reformats."""
    header = dicom.read_tags(path, TAGS)
    if header.get("Modality") != "CT":
        raise NotAnImage(f"modality {header.get('Modality') or 'not given'}")
    if "LOCALIZER" in (header.get("ImageType") or []):
        raise NotAnImage("a localiser")
    missing = [tag for tag in ("PatientID", "SeriesInstanceUID", "SOPInstanceUID") if not header.get(tag)]
    if missing:
        raise ValueError(f"it has no {missing[0]}")
    spacing = header.get("PixelSpacing") or ("", "")
    return {
        "patient": str(header.PatientID).strip(),
        "series": str(header.SeriesInstanceUID),
        "instance": dicom.digest(str(header.SOPInstanceUID)),
        "position": repr(slice_position(header)),
        "order": str(int(header.get("InstanceNumber") or 0)),
        "row_spacing": str(spacing[0]),
        "column_spacing": str(spacing[1]),
    }


def slice_position(header: "DicomDataset") -> float:
    """Place of a slice along the normal of its plane, mm, growing towards the head.

    It is the image position projected on the normal, which holds for tilted gantries and for series numbered in either
    direction. Without an image position it is the slice location, and without that the instance number.

    Raises:
        NotAnImage: the plane is nearer to a sagittal or coronal one.
        ValueError: there is nothing to order by.
    """
    place, orientation = header.get("ImagePositionPatient"), header.get("ImageOrientationPatient")
    if place is not None and len(place) == 3:
        axes = np.array(orientation if orientation is not None and len(orientation) == 6 else (1, 0, 0, 0, 1, 0), float)
        normal = np.cross(axes[:3], axes[3:])
        if not np.isfinite(normal).all() or np.linalg.norm(normal) < 0.5:
            raise ValueError("its image orientation is no pair of directions")
        if np.abs(normal).argmax() != 2:
            raise NotAnImage("not an axial plane")
        position = float(np.array(place, float) @ normal / np.linalg.norm(normal) * np.sign(normal[2]))
    else:
        place = header.get("SliceLocation")
        place = place if place is not None else header.get("InstanceNumber")
        if place is None:
            raise ValueError("it has neither a position nor a number to order it by")
        position = float(place)
    if not np.isfinite(position):
        raise ValueError("its position is not a number")
    return round(position, 3)


def arrange(headers: dict[str, Header], options: LidcOptions) -> tuple[list[Slice], dict[str, str]]:
    """Group files by series and order them from the feet up; the second copy of a slice or a position is left out."""
    series: dict[str, dict[str, tuple[str, Header]]] = defaultdict(dict)
    repeats = {}
    for path in sorted(headers):
        header = headers[path]
        first = series[header["series"]].setdefault(header["instance"], (path, header))
        if first[0] != path:
            repeats[path] = "the same image as another file"
    slices = []
    for name in sorted(series):
        members = sorted(
            series[name].values(),
            key=lambda item: (float(item[1]["position"]), int(item[1]["order"]), item[1]["instance"]),
        )
        previous = None
        number = 0
        for path, header in members:
            if header["position"] == previous:
                repeats[path] = f"a second image at the position {previous} mm of its series"
                continue
            previous = header["position"]
            slices.append(_slice(path, header, number))
            number += 1
    return slices, repeats


def _slice(path: str, header: Header, number: int) -> Slice:
    position = float(header["position"])
    spacing = (header["row_spacing"], header["column_spacing"])
    return Slice(
        image_id=re.sub(r"[^\w.+-]", "_", f"{header['patient']}_z{position:+.1f}_{header['instance'][:8]}"),
        patient=header["patient"],
        series=header["series"],
        source=path,
        number=number,
        spacing=(float(spacing[0]), float(spacing[1])) if all(spacing) else None,
        position=position,
    )


def read_images(path: Path, slices: Sequence[Slice], options: LidcOptions) -> Iterator[Values]:
    """HU of the slice in a file, float32 (H, W); AIR outside the field of view."""
    dataset, stored = dicom.read_pixels(path)
    yield slices[0], to_hounsfield(dataset, stored), (AIR, TISSUE[1])


def to_hounsfield(dataset: "DicomDataset", stored: np.ndarray) -> np.ndarray:
    """Rescale stored values to HU, with AIR for the padding value and for whatever lies below AIR.

    Pixels at the padding value become AIR unless the value maps into the range of tissue: some headers name a padding
    value that the pixels use for water. It may be stored as unsigned where the pixels are signed (63536 for -2000).
    """
    slope, intercept = float(dataset.get("RescaleSlope") or 1), float(dataset.get("RescaleIntercept") or 0)
    values = stored.astype(np.float32) * np.float32(slope) + np.float32(intercept)
    padding = padding_value(dataset)
    if padding is not None and not TISSUE[0] <= padding * slope + intercept <= TISSUE[1]:
        values[stored == padding] = AIR
    return np.maximum(values, np.float32(AIR))


def padding_value(dataset: "DicomDataset") -> int | None:
    """Stored value of the pixels outside the field of view, in the signedness of the pixels, or None."""
    value = dataset.get("PixelPaddingValue")
    if value is None:
        return None
    if isinstance(value, bytes):
        value = int.from_bytes(value[:2], "little")
    bits = int(dataset.BitsAllocated)
    value = int(value) % 2**bits
    return value - 2**bits if dataset.get("PixelRepresentation") == 1 and value >= 2 ** (bits - 1) else value


DATASETS.add(
    "lidc",
    Dataset(
        name="lidc",
        label="LIDC-IDRI",
        options=LidcOptions,
        licence="CC BY 3.0",
        citation=(
            "Armato SG III et al. Data From LIDC-IDRI. The Cancer Imaging Archive, 2015. "
            "https://doi.org/10.7937/K9/TCIA.2015.LO9QL9SX"
        ),
        page="https://www.cancerimagingarchive.net/collection/lidc-idri/",
        contents="the DICOM files of LIDC-IDRI",
        wanted=wanted,
        read_header=read_header,
        arrange=arrange,
        read_images=read_images,
        header_fields=FIELDS,
    ),
)
