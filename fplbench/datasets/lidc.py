"""LIDC-IDRI: CT series in DICOM, in the folder layout of TCIA, IDC or any other.

Armato et al. 2011, The Lung Image Database Consortium (LIDC) and Image Database Resource Initiative (IDRI): a completed
reference database of lung nodules on CT scans. Medical Physics 38(2), doi 10.1118/1.3528204.
"""

import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from fplbench.datasets import dicom, fields
from fplbench.datasets.hounsfield import AIR, TISSUE, to_hounsfield
from fplbench.datasets.registry import LOADERS, Dataset, DatasetOptions, Header, NotAnImage, Plane, Slice, Unreadable, Window
from fplbench.lesions.lidc_annotations import DATABASE, annotate, lesion_masks

if TYPE_CHECKING:
    from pydicom import Dataset as DicomDataset

OTHER_FILES = (
    ".xml", ".sqlite", ".csv", ".txt", ".json", ".md", ".html", ".pdf", ".zip", ".tcia", ".s5cmd", ".png", ".jpg", ".py",
)  # fmt: skip
TAGS = (
    "PatientID",
    "SeriesInstanceUID",
    "SOPInstanceUID",
    "ImageType",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "SliceLocation",
    "InstanceNumber",
    "PixelSpacing",
)
FIELDS: dict[str, Callable[[str], Any]] = {
    "patient": sys.intern,  # 244,000 headers with 1,010 patients
    "series": sys.intern,
    "instance": str,
    "position": fields.finite,
    "order": int,
    "row_spacing": fields.length,
    "column_spacing": fields.length,
    "rows": lru_cache(int),
    "columns": lru_cache(int),  # equal numbers share one object
}


class LidcOptions(DatasetOptions):
    """Options of LIDC-IDRI."""

    root: Path = Field(Path("data/lidc"), description="Folder with the DICOM files, in any layout.")
    window: Window = Field((-1000, 400), description="Lowest and highest HU shown; the default is a lung window.")
    annotations: Path | None = Field(
        None,
        description=(
            "Database with the radiologists' outlines, from `fplbench fetch lidc-annotations`, for series that have no XML file; "
            f"null: {DATABASE} in the root, if there is one."
        ),
    )


def left_out(path: str, root: Path) -> str:
    """Leave out files whose suffix shows that they are not DICOM; many DICOM files have no suffix."""
    return next((f"{suffix}, not an image" for suffix in OTHER_FILES if path.lower().endswith(suffix)), "")


def read_header(path: Path, options: LidcOptions) -> Header:
    """Read patient, series, position and size of an axial CT slice.

    Raises:
        NotAnImage: the file has another modality, or is a localiser or a reformatted plane.
        Unreadable: an identifier or the position is missing or damaged.
    """
    header = dicom.read_tags(path, TAGS, ("CT",))
    if "LOCALIZER" in (header.get("ImageType") or []):
        raise NotAnImage("a localiser image")
    missing = [tag for tag in ("PatientID", "SeriesInstanceUID", "SOPInstanceUID") if not header.get(tag)]
    if missing:
        raise Unreadable(f"it has no {missing[0]}")
    row_spacing, column_spacing = fields.spacing(header.get("PixelSpacing"))
    return {
        "patient": str(header.PatientID).strip(),
        "series": str(header.SeriesInstanceUID),
        "instance": dicom.digest(str(header.SOPInstanceUID)),
        "position": slice_position(header),
        "order": int(header.get("InstanceNumber") or 0),
        "row_spacing": row_spacing,
        "column_spacing": column_spacing,
        "rows": int(header.Rows),
        "columns": int(header.Columns),
    }


def slice_position(header: "DicomDataset") -> float:
    """Position of a slice along the normal of its plane, mm, increasing towards the head.

    This is the image position projected onto the normal, which also holds for tilted gantries and for series numbered in
    either direction. Without an image position it is the slice location, and without that the instance number.

    Raises:
        NotAnImage: the plane is closer to sagittal or coronal than to axial.
        Unreadable: there is nothing to order the slices by.
    """
    place = header.get("ImagePositionPatient")
    if place is not None and len(place) == 3:
        position = _projected(np.array(place, float), header.get("ImageOrientationPatient"))
    else:
        location = header.get("SliceLocation")
        location = location if location is not None else header.get("InstanceNumber")
        if location is None:
            raise Unreadable("it has no position, slice location or instance number")
        position = float(location)
    if not np.isfinite(position):
        raise Unreadable("its position is not a number")
    return round(position, 3)


def _projected(place: np.ndarray, orientation: Sequence[float] | None) -> float:
    """Image position projected onto the normal of the image plane."""
    axes = np.array(orientation if orientation is not None and len(orientation) == 6 else (1, 0, 0, 0, 1, 0), float)
    normal = np.cross(axes[:3], axes[3:])
    if not np.isfinite(normal).all() or np.linalg.norm(normal) < 0.5:
        raise Unreadable("its image orientation is not a pair of directions")
    if np.abs(normal).argmax() != 2:
        raise NotAnImage("not an axial plane")
    return float(place @ normal / np.linalg.norm(normal) * np.sign(normal[2]))


def arrange(headers: dict[str, Header], options: LidcOptions) -> tuple[list[Slice], dict[str, str]]:
    """Group the files by series and order them from the feet up; leave out copies, and second images at one position."""
    series: dict[str, dict[str, tuple[str, Header]]] = defaultdict(dict)
    omitted: dict[str, str] = {}
    for path in sorted(headers):
        header = headers[path]
        first = series[header["series"]].setdefault(header["instance"], (path, header))
        if first[0] != path:
            omitted[path] = "a copy of another image"
    slices = []
    for name in sorted(series):
        members = sorted(series[name].values(), key=lambda item: (item[1]["position"], item[1]["order"], item[1]["instance"]))
        previous, number = None, 0
        for path, header in members:
            if header["position"] == previous:
                omitted[path] = "a second image at the same position in its series"
                continue
            previous = header["position"]
            slices.append(_slice(path, header, number))
            number += 1
    return slices, omitted


def _slice(path: str, header: Header, number: int) -> Slice:
    position = header["position"]
    return Slice(
        image_id=re.sub(r"[^\w.+-]", "_", f"{header['patient']}_z{position:+.1f}_{header['instance'][:8]}"),
        patient=header["patient"],
        series=header["series"],
        source=path,
        number=number,
        spacing=fields.pair(header["row_spacing"], header["column_spacing"]),
        position=position,
    )


def read_images(path: Path, slices: Sequence[Slice], options: LidcOptions) -> Iterator[Plane]:
    """Read the slice in a file, in HU, float32 (H, W); AIR outside the field of view."""
    dataset, stored = dicom.read_pixels(path)
    yield Plane(slices[0], to_hounsfield(dataset, stored), (AIR, TISSUE[1]))


LOADERS.add(
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
        sharing="Images of LIDC-IDRI may be redistributed if their source is cited (CC BY 3.0).",
        contents="the DICOM files of LIDC-IDRI",
        left_out=left_out,
        read_header=read_header,
        arrange=arrange,
        read_images=read_images,
        header_fields=FIELDS,
        annotate=annotate,
        lesion_masks=lesion_masks,
    ),
)
