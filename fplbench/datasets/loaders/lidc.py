"""LIDC-IDRI: CT series in DICOM, in the folder layout of TCIA, IDC or any other.

Armato et al. 2011, The Lung Image Database Consortium (LIDC) and Image Database Resource Initiative (IDRI): a completed
reference database of lung nodules on CT scans. Medical Physics 38(2), doi 10.1118/1.3528204.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import Field

from fplbench.datasets.formats import dicom
from fplbench.datasets.formats.dicom import left_out
from fplbench.datasets.formats.hounsfield import AIR, TISSUE, to_hounsfield
from fplbench.datasets.formats.planes import slice_position
from fplbench.datasets.reading.arranging import arrange_series as arrange
from fplbench.datasets.reading.series import SERIES_FIELDS, TAGS, grid
from fplbench.datasets.registry import (
    LOADERS,
    NO_PATIENT,
    Dataset,
    DatasetOptions,
    Header,
    NotAnImage,
    Plane,
    Slice,
    Unreadable,
    Window,
)
from fplbench.lesions.lidc_annotations import DATABASE, annotate, lesion_masks

FIELDS = {
    name: SERIES_FIELDS[name] for name in SERIES_FIELDS if name not in ("identified_by", "stack", "repeat", "frames", "note")
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
        raise Unreadable(NO_PATIENT if missing[0] == "PatientID" else f"it has no {missing[0]}")
    return {
        "patient": str(header.PatientID).strip(),
        "series": str(header.SeriesInstanceUID),
        "instance": dicom.digest(str(header.SOPInstanceUID)),
        "position": slice_position(header)[0],
    } | grid(header)


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
