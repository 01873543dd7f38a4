"""CT of any source: DICOM series, enhanced multi-frame files and NIfTI volumes, in any folders; HU."""

from pathlib import Path

from pydantic import Field

from fplbench.datasets.loaders.general import scans
from fplbench.datasets.registry import LOADERS, DatasetOptions, Window


class CtOptions(DatasetOptions):
    """Options of CT."""

    root: Path = Field(Path("data/ct"), description="Folder with DICOM files, NIfTI volumes or both, in any layout.")
    window: Window = Field((-160, 240), description="Lowest and highest HU shown; the default is a soft tissue window.")


CT = scans("CT", CtOptions)
LOADERS.add("ct", CT)
