"""Options of sampling: numbers of images, their size, and how patients and lesions are shared out."""

import math
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from fplbench.options import Options

SPLITS = ("train", "validation", "test")


class PatientShares(Options):
    """Shares of the patients for each split; they sum to 1."""

    train: float = Field(gt=0, description="Share of the patients for training.")
    validation: float = Field(gt=0, description="Share of the patients for validation.")
    test: float = Field(gt=0, description="Share of the patients for the test.")

    @model_validator(mode="before")
    @classmethod
    def _all_three(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and values.keys() < set(SPLITS):
            missing = " and ".join(split for split in SPLITS if split not in values)
            raise ValueError(
                f"there is no share for {missing}; give all three, such as {{train: 0.6, validation: 0.1, test: 0.3}}."
            )
        return values

    @model_validator(mode="after")
    def _sum_to_one(self) -> "PatientShares":
        total = self.train + self.validation + self.test
        if not math.isclose(total, 1, abs_tol=1e-6):
            raise ValueError(
                f"the shares {self.train:g}, {self.validation:g} and {self.test:g} sum to {total:g}; they must sum to 1."
            )
        return self


class LesionSampling(Options):
    """Which part of the images shows a lesion."""

    share: float = Field(
        0,
        ge=0,
        le=1,
        description="Smallest share of the images of each split that is drawn from slices with a lesion, where there are that "
        "many; 0: annotations have no influence on the draw.",
    )


class SamplingOptions(Options):
    """How many images are drawn, their size, and how the data set is split."""

    train: int = Field(5000, ge=1, description="Training images.")
    validation: int = Field(500, ge=1, description="Validation images.")
    test: int = Field(500, ge=1, description="Test images.")
    size: int = Field(256, ge=16, le=4096, description="Side of the square images, pixels.")
    fit: Literal["resize", "patch"] = Field(
        "resize",
        description="resize: the whole slice, padded to a square and resized; patch: a square of this size at the pixel spacing "
        "of the slice, at a random place with enough content.",
    )
    split: Literal["patient", "random_slice", "blocks"] = Field(
        "patient",
        description="patient: no patient is in two splits; random_slice: as in the paper, which leaks; "
        "blocks: for one patient, runs of neighbouring slices with gaps between the splits.",
    )
    blocks: int = Field(3, ge=1, description="With split blocks: number of runs for validation, and for test.")
    gap: int = Field(2, ge=0, description="With split blocks: slices left out between runs of different splits.")
    patients: PatientShares | None = Field(
        None,
        description="With split patient: shares of the patients, such as {train: 0.6, validation: 0.1, test: 0.3}; null: in "
        "proportion to the numbers of images.",
    )
    lesions: LesionSampling = Field(
        LesionSampling(), description="{share: 0.5} draws at least half of the images of each split from slices with a lesion."
    )

    @model_validator(mode="after")
    def _patients_are_split(self) -> "SamplingOptions":
        if self.patients is not None and self.split != "patient":
            raise ValueError(
                f"patients needs split: patient, as split: {self.split} does not share out patients; remove one of them."
            )
        return self

    def counts(self) -> dict[str, int]:
        """Number of images for each split."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    def lesion_counts(self) -> dict[str, int]:
        """Number of images for each split that are to show a lesion, where there are that many."""
        return {split: math.ceil(round(self.lesions.share * count, 6)) for split, count in self.counts().items()}
