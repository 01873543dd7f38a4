"""Options of inserted lesions."""

from typing import Annotated

from pydantic import AfterValidator, Field

from fplbench.options import Options


def _ordered(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError(f"the range {list(bounds)} does not ascend")
    return bounds


Finite = Annotated[float, Field(allow_inf_nan=False)]
Length = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, le=1)]
Count = Annotated[int, Field(ge=1, le=20)]
Range = Annotated[tuple[Finite, Finite], AfterValidator(_ordered)]
Lengths = Annotated[tuple[Length, Length], AfterValidator(_ordered)]
Shares = Annotated[tuple[Share, Share], AfterValidator(_ordered)]
Counts = Annotated[tuple[Count, Count], AfterValidator(_ordered)]


class InsertionOptions(Options):
    """Which lesions are inserted into copies of CT slices, and how many. Each lesion draws its own values from the ranges."""

    noises: list[str] = Field([], description="Noises for which they are scored; none if empty.")
    datasets: list[str] | None = Field(None, description="Data sets into whose images they are inserted; null: all of CT.")
    train: int = Field(
        200, ge=1, description="Training images with inserted lesions; fewer where lesions fit in too few slices for that."
    )
    validation: int = Field(20, ge=1, description="Validation images with inserted lesions, likewise.")
    test: int = Field(100, ge=1, description="Test images with inserted lesions, likewise.")
    copies: int = Field(
        6, ge=1, le=99, description="Most copies of a slice, with different lesions in each; a slice is copied again only "
        "when all others have been."
    )  # fmt: skip
    lesions_per_image: Counts = Field((1, 3), description="Lesions in an image, lowest and highest number.")
    size_mm: Lengths = Field((6, 20), description="Largest diameter, mm.")
    min_pixels: int = Field(
        9,
        ge=4,
        description="Smallest area of an ellipse, in pixels of the stack, which overrides smaller sizes in mm; its mask can be a "
        "pixel or two smaller.",
    )
    axis_ratio: Shares = Field((0.7, 1), description="Smaller diameter of the ellipse over the largest; 1 for circles.")
    softness_mm: Lengths = Field(
        (1, 2.5), description="Softness of the edge, mm: at a distance d from the edge, outwards, an ellipse has "
        "(1 - erf(d / softness)) / 2 of its contrast."
    )  # fmt: skip
    lung_contrast: Range = Field((200, 700), description="Contrast in the lungs, HU above what was there.")
    soft_tissue_contrast: Range = Field(
        (-70, -30), description="Contrast in the liver or other soft tissue, HU; lesions darker than their surroundings are "
        "negative."
    )  # fmt: skip
    moved: float = Field(
        0.25, ge=0, le=1, description="Share of the lesions in the lungs that are nodules of the same split, cut out and moved "
        "to another place, where there are any; the others are ellipses."
    )  # fmt: skip
