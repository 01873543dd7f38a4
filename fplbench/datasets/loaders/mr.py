"""MR of any source: DICOM series, enhanced multi-frame files and NIfTI volumes, in any folders; no unit."""

from pathlib import Path

from pydantic import Field

from fplbench.datasets.loaders.general import scans
from fplbench.datasets.percentiles import PercentileOptions
from fplbench.datasets.registry import LOADERS


class MrOptions(PercentileOptions):
    """Options of MR."""

    root: Path = Field(Path("data/mr"), description="Folder with DICOM files, NIfTI volumes or both, in any layout.")


MR = scans("MR", MrOptions)
LOADERS.add("mr", MR)
