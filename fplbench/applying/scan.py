"""What denoising needs to know of a scan, and what reads and writes one, whatever its format."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import numpy as np
from pydantic import Field

from fplbench.options import Options

Kind = Literal["denoised", "residual", "features"]
"""What is written: the denoised scan, denoised minus original, or the map of features."""


class ReadingOptions(Options):
    """How scans are read and written."""

    seconds_per_file: float = Field(
        60, gt=0, description="Time limit for reading one file, seconds of CPU time; a slower file counts as unreadable."
    )
    threads: int = Field(1, ge=1, description="Processes that read files.")
    keep_private: bool = Field(False, description="Keep the private elements of DICOM files, which may name the patient.")
    dtype: Literal["input", "int16", "float32"] = Field(
        "input", description="How NIfTI files store the denoised values; input: as the original does."
    )
    scratch: Path | None = Field(
        None, description="Folder for temporary files, which is made when it is needed; null: that of the system."
    )


class Plane(NamedTuple):
    """A slice as it was acquired.

    Attributes:
        number: number of the slice in the scan, counted from 0.
        values: float32 (H, W), in HU for CT and in the file's rescaled units otherwise; padding included.
        valid: bool (H, W), False where the file has padding; None where it has none.
    """

    number: int
    values: np.ndarray
    valid: np.ndarray | None = None


@dataclass(frozen=True)
class Facts:
    """What is known of a scan before its pixels are read.

    Attributes:
        name: where it goes below the output folder, a relative path without a suffix.
        label: what messages call it: its path relative to the input.
        modality: code as DICOM has it, such as CT; None where the file does not say.
        spacing: (row, column) spacing of the pixels in mm; None where it is not known.
        slices, rows, columns: size.
        hounsfield: whether the values are HU.
        notes: sentences on what is unusual, such as a missing slice.
        names: what people find each slice by in files of their own, such as its path; empty where one file holds them all.
    """

    name: str
    label: str
    modality: str | None
    spacing: tuple[float, float] | None
    slices: int
    rows: int
    columns: int
    hounsfield: bool
    notes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stamp:
    """What a written file says of its origin.

    Attributes:
        model: label of the model, such as "FPL, Gaussian".
        digest: SHA-256, hexadecimal, of everything that the result depends on besides the input: weights, window, options.
            UIDs derive from it and from those of the input, so the same input and model give the same UIDs.
        description: a sentence on what was done.
    """

    model: str
    digest: str
    description: str


class Writer(Protocol):
    """Writes one kind of output of a scan, slice by slice, in any order."""

    def write(self, number: int, values: np.ndarray) -> np.ndarray:
        """Write a slice, complete or not at all.

        Args:
            number: number of the slice.
            values: float32 (H, W), in the unit of the scan.

        Returns:
            float32 (H, W), the values as the file has them: rounded, clipped, with its padding.
        """

    def finish(self) -> list[Path]:
        """Complete the output once all slices are written, and return its files."""


class Scan(Protocol):
    """A scan that is read slice by slice.

    Attributes:
        facts: what is known of it. Whoever runs the scan may replace them, to give it another name or modality; the writers
            that are made later follow.
        files: the files that it is read from, each once.
    """

    facts: Facts
    files: tuple[Path, ...]

    def planes(self, numbers: Sequence[int]) -> Iterator[Plane]:
        """Read slices, in the order of their numbers, one at a time.

        Raises:
            InputError: a file cannot be read. One sentence, which names it as the facts do.
        """

    def writer(self, kind: Kind, folder: Path, stamp: Stamp) -> Writer:
        """What writes an output of the scan below a folder. Slices that an earlier, interrupted run wrote there stay."""


@dataclass
class Found:
    """The scans among some files.

    Attributes:
        scans: in the order of their names.
        skipped: why a file is left out on purpose, by path relative to the root: another modality, a colour image, a report.
        problems: why a file cannot be read, by path relative to the root.
    """

    scans: list[Scan] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
