"""Radiographs of any source: DICOM files of computed and digital radiography and mammography, and PNG and JPEG files."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from fplbench.datasets.files import without_suffix
from fplbench.datasets.formats import dicom, fields
from fplbench.datasets.formats.hounsfield import is_padding, padding_range
from fplbench.datasets.formats.images import check_grey, is_picture, read_grey
from fplbench.datasets.loaders.general import NOT_KNOWN
from fplbench.datasets.percentiles import PercentileOptions
from fplbench.datasets.persons import FILE, MAPPING, PATIENT, STUDY, TABLE, mapping_file, read_persons
from fplbench.datasets.registry import LOADERS, Dataset, DatasetOptions, Header, NotAnImage, Plane, Slice
from fplbench.errors import InputError

if TYPE_CHECKING:
    from pydicom import Dataset as DicomDataset

MODALITIES = ("CR", "DX", "MG", "RG")
NOT_LISTED = "not listed in the mapping to persons"
GREY = ("MONOCHROME1", "MONOCHROME2")
TAGS = ("PatientID", "StudyInstanceUID", "SOPInstanceUID", "PixelSpacing", "ImagerPixelSpacing")
FIELDS: dict[str, Callable[[str], Any]] = {
    "patient": sys.intern,
    "identified_by": sys.intern,
    "instance": str,
    "row_spacing": fields.length,
    "column_spacing": fields.length,
}


class RadiographOptions(PercentileOptions):
    """Options of radiographs."""

    root: Path = Field(Path("data/radiograph"), description="Folder with DICOM, PNG and JPEG files, in any layout.")
    persons: Path | None = Field(
        None,
        description="A .csv file with the columns image_id and person, for images whose header names no patient, such as PNG and "
        "JPEG files; an image_id is the path of a file below the root or its name, with or without suffix; by default "
        "persons.csv in the root, if there is one.",
    )


def left_out(path: str, root: Path) -> str:
    """Leave out files whose suffix shows that they are neither DICOM nor pictures; many DICOM files have no suffix."""
    return "" if is_picture(path) else dicom.left_out(path, root)


def read_header(path: Path, options: RadiographOptions) -> Header:
    """Read the pixel spacing of a radiograph, and whose it is: by PatientID, or if that is empty by study; pictures do not say.

    Raises:
        NotAnImage: the file has another modality, is a colour image, or is neither DICOM nor a picture.
        Unreadable: it is damaged, or its size is implausible.
    """
    if is_picture(path.name):
        check_grey(path)
        return {"patient": "", "identified_by": FILE, "instance": "", "row_spacing": None, "column_spacing": None}
    header = dicom.read_tags(path, TAGS, MODALITIES)
    if header.get("PhotometricInterpretation") not in GREY:
        raise NotAnImage("a colour image")
    patient, study, instance = (str(header.get(tag) or "").strip() for tag in (PATIENT, STUDY, "SOPInstanceUID"))
    return {
        "patient": patient or (study and f"study-{dicom.digest(study)}"),
        "identified_by": PATIENT if patient else STUDY if study else "",
        "instance": instance and dicom.digest(instance),
    } | spacing(header)


def spacing(header: "DicomDataset") -> Header:
    """The pixel spacing of a radiograph, `row_spacing` and `column_spacing`: in the patient, else at the detector."""
    row, column = fields.spacing(header.get("PixelSpacing"))
    if row is None:
        row, column = fields.spacing(header.get("ImagerPixelSpacing"))
    return {"row_spacing": row, "column_spacing": column}


def arrange(
    headers: dict[str, Header], options: RadiographOptions, name: str = "radiograph"
) -> tuple[list[Slice], dict[str, str]]:
    """One slice per file. The patient is that of the header, else of the mapping, else the study, else the image itself.

    Raises:
        InputError: the mapping is damaged, or lists none of the images.
    """
    return arrange_images(headers, options, without_suffix, f"datasets.{name}.persons")


def arrange_images(
    headers: Mapping[str, Header],
    options: Any,
    name_of: Callable[[str], str],
    key: str,
    tables: Sequence[str] = (TABLE,),
) -> tuple[list[Slice], dict[str, str]]:
    """One slice per file, in the order of their paths, and why others are left out.

    Args:
        headers: by path relative to the root.
        options: options with the root and the mapping to persons.
        name_of: from the path to the identifier of the image.
        key: of the mapping in the config, for messages.
        tables: names of the mapping in the root.

    Raises:
        InputError: the mapping is damaged, or lists none of the images.
    """
    mapping = mapping_file(options.persons, options.root, key, tables)
    persons = read_persons(mapping, key) if mapping else None
    slices: dict[str, Slice] = {}
    instances: set[str] = set()
    omitted: dict[str, str] = {}
    for path in sorted(headers):
        header, name = headers[path], name_of(path)
        instance, (patient, known_by) = header.get("instance"), _patient(path, name, header, persons)
        if name in slices:
            omitted[path] = "the same name as another file"
        elif instance in instances:
            omitted[path] = "a copy of another image"
        elif not patient:
            omitted[path] = NOT_LISTED if persons else "without PatientID, StudyInstanceUID and a mapping to persons"
        else:
            between = fields.pair(header["row_spacing"], header["column_spacing"])
            slices[name] = Slice(name, patient, series=name, source=path, number=0, spacing=between, identified_by=known_by)
            instances.update([instance] if instance else [])
    if mapping and headers and not slices:
        raise InputError(
            f"{key}: {mapping} lists none of the {len(headers)} images; its image_id must be the name of a file, or its path "
            "below the root."
        )
    return list(slices.values()), omitted


def read_images(path: Path, slices: Sequence[Slice], options: DatasetOptions) -> Iterator[Plane]:
    """Read the stored values of a radiograph, bone bright, float32 (H, W), with the range of its bits; padding is black."""
    if is_picture(path.name):
        yield Plane(slices[0], *read_grey(path))
        return
    dataset, stored = dicom.read_pixels(path)
    low, high = dicom.stored_range(dataset)
    values = stored.astype(np.float32)
    inverted = dataset.get("PhotometricInterpretation") == "MONOCHROME1"
    if inverted:
        np.subtract(low + high, values, out=values)
    if (padding := padding_range(dataset)) is not None:
        values[is_padding(stored, padding)] = low
    yield Plane(slices[0], values, (low, high), inverted)


def _patient(path: str, name: str, header: Header, persons: Mapping[str, str] | None) -> tuple[str, str]:
    """The patient of an image, "" if the header names none and the mapping does not list it; and what identifies the patient."""
    known_by = header.get("identified_by", FILE)
    if known_by == PATIENT:
        return header["patient"], known_by
    names = (name, path, without_suffix(path), Path(path).name, Path(path).stem)
    if listed := next((persons[one] for one in names if one in persons), None) if persons else None:
        return listed, MAPPING
    own = persons is None and known_by == FILE
    return header.get("patient") or (name if own else ""), known_by


RADIOGRAPH = Dataset(
    name="radiograph",
    label="Radiographs",
    options=RadiographOptions,
    licence="that of their owner",
    citation="",
    page="",
    sharing=NOT_KNOWN,
    contents="radiographs as DICOM, PNG or JPEG files",
    left_out=left_out,
    read_header=read_header,
    arrange=arrange,
    read_images=read_images,
    header_fields=FIELDS,
    scans=False,
    hounsfield=False,
    modalities=MODALITIES,
    libraries=("cv2", "pydicom", "PIL.Image"),
)
LOADERS.add("radiograph", RADIOGRAPH)
