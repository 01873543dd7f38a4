"""Options of the small sections of the config, and what the paper has."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import Field

from fplbench.options import Options

# The paper's Table 1.
PAPER_NOISES = (
    "chemical_shift", "gaussian", "magnetic_field", "motion", "noncentral_chi", "poisson", "rician", "salt_pepper",
    "speckle", "structured", "susceptibility", "thermal", "wrap_around",
)  # fmt: skip
# Columns of Tables 2 to 4, after the unprocessed image.
PAPER_METHODS = (
    "noisy", "fpl", "dpir", "bilateral", "filter_combination", "gaussian_filter", "mean_filter", "median_filter", "nlm",
    "wavelet", "wiener",
)  # fmt: skip
PAPER_DATASETS = ("lidc", "lits", "rsna")


def by_default(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Names with no options of their own."""
    return {name: {} for name in names}


# Metrics of the tables, where they were scored.
TABLE_METRICS = (
    "psnr", "ssim", "body_psnr", "lesion_psnr", "contrast_recovery", "recovery_error", "inserted_lesion_psnr",
    "inserted_contrast_recovery", "inserted_recovery_error", "feature_error",
)  # fmt: skip


Image = Annotated[int, Field(ge=0)] | str


class TableOptions(Options):
    """What the tables show."""

    metrics: tuple[str, ...] = Field(
        TABLE_METRICS, description="Metrics of the HTML and Markdown tables, in this order, where they were scored."
    )
    latex: tuple[str, ...] = Field(("psnr", "ssim"), description="Metrics of the LaTeX tables, in this order.")
    partial: bool = Field(
        False, description="Allow tables that lack cells: a dash stands in each, and the caption says what is missing."
    )


class FigureOptions(Options):
    """What the figures show."""

    noise: str | None = Field(None, description="Noise of each data set's figures; null: gaussian, or the first noise.")
    image: Image | dict[str, Image] | None = Field(
        None,
        description="The test image: its image_id, or its position, counted from 0; for single data sets by name; null: the one "
        "with the largest lesion, or the middle one where none has any.",
    )
    methods: list[str] | None = Field(
        None,
        description="The methods that have panels, by name; null: those of the paper's figures, then those that the paper does "
        "not have.",
    )


class ExplorerOptions(Options):
    """What the explorer pages hold."""

    images: int = Field(
        2,
        ge=1,
        le=50,
        description="Test images of each data set, those with lesions first. A page has one for each noise and method: two "
        "images of 256x256 take 25 MB. Another number scores feature_error again.",
    )


class TuningOptions(Options):
    """How the options of a tuned method are chosen."""

    images: int = Field(50, ge=1, description="Training images on which each combination is tried, spread evenly.")
    criterion: Literal["psnr", "ssim"] = Field("psnr", description="The score whose mean the chosen combination maximises.")


class CalibrationOptions(Options):
    """What `snakemake calibrate` fits the levels to."""

    datasets: list[str] | None = Field(None, description="Data sets whose published scores it fits; null: all that have any.")
    images: int = Field(8, ge=1, description="Training images of each data set, spread evenly.")
    evaluations: int = Field(18, ge=1, description="Evaluations for each option that is fitted.")
    note: str = Field("", description="Sentence about the images, for the page on the published PSNR.")
