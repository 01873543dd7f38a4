"""Options of pairs: which images are clean and which noisy, and how they are matched."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from fplbench.datasets.loaders.ct import CtOptions
from fplbench.datasets.loaders.mr import MrOptions
from fplbench.datasets.loaders.radiograph import RadiographOptions
from fplbench.datasets.reading.pairing import Match
from fplbench.datasets.reading.patterns import check_pattern
from fplbench.options import Options

OF = "Loader that reads the images, both clean and noisy: ct, mr or radiograph."
ROOT = Field(Path("data/paired"), description="Folder that holds both the clean and the noisy images, at any depth.")


class PairOptions(Options):
    """Which images are clean and which noisy, and how they are matched."""

    clean: str = Field(
        "clean",
        description="Name of the folder with the clean images, at any depth, or a pattern such as *Full Dose* or "
        "full_dose/*/soft; everything below belongs to it.",
    )
    noisy: str = Field("noisy", description="The same for the noisy images.")
    match: Match | None = Field(
        None,
        description="uid: by SOPInstanceUID; position: the same patient and position along the body; name: the same path, apart "
        "from what `clean` and `noisy` describe, and from the suffix; null: what pairs most images, the first of these at a tie.",
    )

    @model_validator(mode="after")
    def _two_patterns(self) -> Self:
        for pattern in (self.clean, self.noisy):
            check_pattern(pattern)
        if self.clean == self.noisy:
            raise ValueError(f"clean and noisy are both {self.clean!r}; they must differ.")
        return self


class PairedCtOptions(PairOptions, CtOptions):
    """Options of pairs of CT images."""

    of: Literal["ct"] = Field("ct", description=OF)
    root: Path = ROOT


class PairedMrOptions(PairOptions, MrOptions):
    """Options of pairs of MR images."""

    of: Literal["mr"] = Field("mr", description=OF)
    root: Path = ROOT


class PairedRadiographOptions(PairOptions, RadiographOptions):
    """Options of pairs of radiographs."""

    of: Literal["radiograph"] = Field("radiograph", description=OF)
    root: Path = ROOT
