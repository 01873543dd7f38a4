"""How a DICOM image says from what it is derived, and how (PS3.3 C.12.4). Runs in reading processes.

The codes are those of PS3.16: CID 7203 "Image Derivation", CID 7202 "Source Image Purpose of Reference", CID 7005
"Contributing Equipment Purpose of Reference".
"""

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from fplbench import __version__
from fplbench.applying.scan import Kind, Stamp

if TYPE_CHECKING:
    from pydicom import Dataset as DicomDataset

LONGEST = {"LO": 64, "ST": 1024}  # characters


@dataclass(frozen=True)
class Derivation:
    """What is derived from an image.

    Attributes:
        kind: what the pixels of the new image are.
        stamp: what made them.
        keep_private: whether private elements are kept.
        bytes_per_pixel: of the new image.
        series: UID that stands for that of the original's series where it has none.
        part: what tells the original from other images with its UID; "" where there are none.
    """

    kind: Literal["denoised", "residual"]
    stamp: Stamp
    keep_private: bool
    bytes_per_pixel: int
    series: str
    part: str = ""


def add_derivation(item: "DicomDataset", source: "DicomDataset", derivation: Derivation) -> None:
    """Add the last step to what a header, or the description of a frame, says of its derivation.

    CID 7203 has no term for denoising; smoothing (113087) is the closest. A residual is subtracted (113062) too.
    """
    from pydicom.sr.codedict import codes

    steps = [codes.DCM.Smoothing] + ([codes.DCM.PixelByPixelSubtraction] if derivation.kind == "residual" else [])
    item.DerivationCodeSequence = [*(item.get("DerivationCodeSequence") or ()), *map(code_item, steps)]
    new = _description(derivation)
    old = str(item.get("DerivationDescription") or "").strip()[: max(0, LONGEST["ST"] - len(new) - 1)]
    item.DerivationDescription = f"{old} {new}".strip()
    item.SourceImageSequence = [deepcopy(source)]


def source_of(original: "DicomDataset") -> "DicomDataset":
    """Item of a sequence that refers to an image as the source of another."""
    from pydicom import Dataset
    from pydicom.sr.codedict import codes

    source = Dataset()
    source.ReferencedSOPClassUID = original.SOPClassUID
    source.ReferencedSOPInstanceUID = original.SOPInstanceUID
    source.PurposeOfReferenceCodeSequence = [code_item(codes.DCM.SourceImageForImageProcessingOperation)]
    source.SpatialLocationsPreserved = "YES"
    return source


def program_of(derivation: Derivation) -> "DicomDataset":
    """Item of a sequence that names this program, without a time, so that the output is the same whenever it is made."""
    from pydicom import Dataset
    from pydicom.sr.codedict import codes

    program = Dataset()
    program.PurposeOfReferenceCodeSequence = [code_item(codes.DCM.ProcessingEquipment)]
    program.Manufacturer, program.ManufacturerModelName, program.SoftwareVersions = "fplbench", "fplbench apply", __version__
    program.ContributionDescription = f"{shortened(plain(derivation.stamp.model), LONGEST['LO'])}, {derivation.stamp.digest}"
    return program


def series_description(original: str, kind: Kind, model: str) -> str:
    """The name of a derived series: that of the original, what it is and the label of the model, at most 64 characters."""
    made = shortened(f"{kind}, {plain(model)}", LONGEST["LO"])
    before = shortened(printable(original), LONGEST["LO"] - len(made) - 1)
    return f"{before} {made}".strip()


def _description(derivation: Derivation) -> str:
    """A sentence on what was done. A long label of the model is shortened, so that what follows it stays."""
    model = derivation.stamp.model
    text = derivation.stamp.description
    if len(model) > LONGEST["LO"]:
        text = text.replace(model, shortened(plain(model), LONGEST["LO"]))
    if derivation.kind == "residual":
        same = text.startswith("Denoised with ")
        text = "Denoised minus original" + (f", {text.removeprefix('Denoised ')}" if same else f". {text}")
    return shortened(plain(text), LONGEST["ST"])


def code_item(code: tuple) -> "DicomDataset":
    """A coded term as the item of a sequence; the code as pydicom has it."""
    from pydicom import Dataset

    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code[:3]
    return item


def plain(text: str) -> str:
    """Printable text of characters that every character set has, for a label could hold any."""
    return printable(text.encode("ascii", "replace").decode())


def printable(text: str) -> str:
    """Text without control characters, repeated spaces, and the backslash, which separates values."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text.replace("\\", "/"))
    return " ".join(shown.split())


def shortened(text: str, length: int) -> str:
    """Whole words of a text, at most `length` characters; a part of its first word where that is longer."""
    if len(text) <= length:
        return text
    beginning = text[: max(0, length) + 1]
    words = beginning.rpartition(" ")[0] or beginning[: max(0, length)]
    return words.rstrip(" ,")
