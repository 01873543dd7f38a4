"""Options of `fplbench apply`."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from fplbench.applying.models.denoisers import Runtime
from fplbench.applying.scan import ReadingOptions
from fplbench.device import Device
from fplbench.networks.tiles import OVERLAP, TILE
from fplbench.options import Options

Window = Annotated[tuple[float, float], Field(min_length=2, max_length=2)]
WITHOUT_EFFECT = {"device", "threads", "overwrite", "seconds_per_file", "skip_unreadable", "weights", "restoration"}
"""Options on which no file that is written depends, and those that name a file, whose content counts."""


class ApplyOptions(Options):
    """What is done with the scans, and what is written."""

    options: dict[str, Any] = Field({}, description="Options of the method.")
    weights: Path | None = Field(None, description="Weight file of a method that is a trained network.")
    window: Window | None = Field(
        None, description="Values that the model sees as black and white; null: those of its card, or percentiles of the scan."
    )
    modality: str | None = Field(
        None, pattern="^[A-Z]{2,16}$", description="Modality of files that do not say theirs, such as NIfTI: CT, MR, DX, ..."
    )
    residual: bool = Field(False, description="Write what was removed too: denoised minus original.")
    features: bool = Field(False, description="Write a map of the features that the restoration network sees.")
    restoration: Path | None = Field(None, description="Weight file of the restoration network, for models that hold none.")
    dtype: Literal["input", "int16", "float32"] = Field("input", description="Type of the values of NIfTI files.")
    keep_private: bool = Field(False, description="Keep the private elements of DICOM files.")
    skip_unreadable: bool = Field(False, description="Leave out what cannot be read instead of stopping.")
    force: bool = Field(False, description="Apply the model to scans that it is not made for.")
    overwrite: bool = Field(False, description="Replace an output that exists, and what another command left unfinished.")
    device: Device = Field("auto", description="Where networks run.")
    threads: int = Field(1, ge=1, description="Processor cores to use.")
    runtime: Runtime = Field("torch", description="What runs the network of a bundle.")
    tile: int = Field(TILE, ge=64, description="Largest side that a network denoises in one piece, pixels.")
    overlap: int = Field(OVERLAP, ge=0, description="Pixels that neighbouring tiles share.")
    seconds_per_file: float = Field(60, gt=0, description="Time limit for reading one file, seconds of CPU time.")

    @model_validator(mode="after")
    def _window_has_width(self) -> Self:
        if self.window is not None and not self.window[0] < self.window[1]:
            raise ValueError(f"the window {list(self.window)} is empty; its first value must be the lower one.")
        return self

    def reading(self, scratch: Path) -> ReadingOptions:
        """How scans are read and written."""
        return ReadingOptions(
            seconds_per_file=self.seconds_per_file,
            threads=self.threads,
            keep_private=self.keep_private,
            dtype=self.dtype,
            scratch=scratch,
        )
