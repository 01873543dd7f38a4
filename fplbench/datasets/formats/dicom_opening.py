"""Opening DICOM files, also those without the prefix that old archives exported. Runs in reading processes.

A DICOM file begins with 128 free bytes, `DICM`, and elements that name its transfer syntax (PS3.10 section 7.1). Old exports are
the bare data set, which is uncompressed: the order of its bytes, and whether it names the types of elements, can be seen.
"""

import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fplbench.datasets.formats.decoding import DEFLATED

if TYPE_CHECKING:
    from pydicom import Dataset as DicomDataset

PREFIX = b"DICM"
FIRST_GROUPS = (0x0002, 0x0008)  # that a file without the prefix begins with
LONGEST = 2**16  # bytes of its first element
SYNTAXES = {  # by whether types of elements are left out, and whether the least significant byte is first
    (True, True): "1.2.840.10008.1.2",
    (False, True): "1.2.840.10008.1.2.1",
    (False, False): "1.2.840.10008.1.2.2",
}


def begins_as_dicom(path: Path) -> bool:
    """Whether a file has the prefix of DICOM, or begins with an element that a data set can begin with."""
    from pydicom.datadict import dictionary_has_tag
    from pydicom.valuerep import STANDARD_VR

    head = _beginning(path)
    if head[128:] == PREFIX:
        return True
    if len(head) < 132:
        return False
    group, element, length = struct.unpack("<HHL", head[:8])
    known = element == 0 or dictionary_has_tag((group << 16) + element)
    return group in FIRST_GROUPS and known and (head[4:6].decode("latin-1") in STANDARD_VR or length < LONGEST)


def is_readable_in_parts(path: Path) -> bool:
    """Whether pydicom can read single frames of a file: not if header and pixels are deflated as one, nor without a syntax."""
    from pydicom.filereader import read_file_meta_info

    if _beginning(path)[128:] != PREFIX:
        return False
    return read_file_meta_info(path).get("TransferSyntaxUID") not in (None, "", DEFLATED)


def open_file(path: Path, **how: Any) -> "DicomDataset":
    """Read a file as `pydicom.dcmread` does, which takes `how`, whether or not it has the prefix."""
    from pydicom import dcmread

    dataset = dcmread(path, force=True, **how)
    name_syntax(dataset)
    return dataset


def name_syntax(dataset: "DicomDataset") -> bool:
    """Add the transfer syntax to a file that does not name it; return whether it does not, or has no prefix."""
    from pydicom.uid import UID

    if dataset.file_meta.get("TransferSyntaxUID"):
        return getattr(dataset, "preamble", None) is None
    implicit, little = dataset.original_encoding
    dataset.file_meta.TransferSyntaxUID = UID(SYNTAXES[bool(implicit), bool(little)])
    return True


def _beginning(path: Path) -> bytes:
    """The bytes up to the end of the prefix."""
    with open(path, "rb") as stream:
        return stream.read(132)
