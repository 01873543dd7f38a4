"""Every key of the config, checked at start; one sentence says what is wrong with it."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from fplbench import DEFAULT_SEED
from fplbench.ablation import AblationOptions, Variant, variants
from fplbench.baselines.selection import Selected, Tune, select
from fplbench.datasets import DATASETS, SamplingOptions
from fplbench.errors import InputError, nearest
from fplbench.noise import NOISES
from fplbench.options import Options
from fplbench.registry import Registry, parse_options
from fplbench.training.options import (
    CvfSidTrainingOptions,
    DenoiserOptions,
    DrunetOptions,
    ExplanationOptions,
    TrainingOptions,
    check_gradient,
)

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
PUBLISHED_DRUNET = "weights/drunet_gray.pth"
PAPER_DATASETS = ("lidc", "lits", "rsna")


class FigureOptions(Options):
    """What the figures show."""

    noise: str | None = Field(None, description="The noise of the figures of each data set; none: gaussian, or the first noise.")
    image: int | None = Field(None, ge=0, description="Position of the test image; none: the middle one.")


class TuningOptions(Options):
    """How the options of a tuned method are chosen."""

    images: int = Field(50, ge=1, description="Training images on which each combination is tried, spread evenly.")
    criterion: Literal["psnr", "ssim"] = Field("psnr", description="What the chosen combination has the highest mean of.")


class CalibrationOptions(Options):
    """What `snakemake calibrate` fits the levels to."""

    datasets: list[str] | None = Field(None, description="Data sets whose published scores it fits to; none: all that have any.")
    images: int = Field(8, ge=1, description="Training images of each data set, spread evenly.")
    evaluations: int = Field(18, ge=1, description="Evaluations for each option that is fitted.")
    note: str = Field("", description="Sentence about the images, for the page on the published PSNR.")


class Config(Options):
    """The whole config. A section that is left out has the paper's values."""

    results: str = Field("results", min_length=1, description="Folder for everything the workflow writes.")
    seed: int = Field(DEFAULT_SEED, ge=0, description="Seed of every draw: sampling, noise, weights, batches.")
    note: str = Field("", description="Sentence under every table and figure.")
    notes: dict[str, str] = Field({}, description="A further sentence for single data sets, by name.")
    keep_denoised: bool = Field(
        True,
        description="Keep the denoised stacks (14 GB for the paper); else they go when they are used, and come again with them.",
    )
    datasets: dict[str, dict[str, Any]] = Field(
        default_factory=lambda: {name: {} for name in PAPER_DATASETS},
        description="The data sets by name, with the options of their loader; `noises`: options that differ there.",
    )
    sampling: SamplingOptions = Field(SamplingOptions(), description="How many images are drawn, how large, and how split.")
    noises: dict[str, dict[str, Any]] = Field(
        default_factory=lambda: {name: {} for name in PAPER_NOISES},
        description="The noises by name, with their options.",
    )
    methods: dict[str, dict[str, Any]] = Field(
        default_factory=lambda: {name: {} for name in PAPER_METHODS},
        description="The methods by name, with their options.",
    )
    tune: Tune = Field(
        False,
        description="Choose the options of every method that declares a grid on training images; both: beside the defaults.",
    )
    tuning: TuningOptions = Field(TuningOptions(), description="How tuned options are chosen.")
    custom_rules: list[str] = Field([], description="Rule files of your own, for methods with `rule: true`.")
    explanation: ExplanationOptions = Field(ExplanationOptions(), description="How the restoration network is explained.")
    restoration: TrainingOptions = Field(TrainingOptions(), description="Training of the restoration networks.")
    denoiser: DenoiserOptions = Field(DenoiserOptions(), description="Training of the FPL denoisers.")
    drunet: DrunetOptions | None = Field(
        None, description="Training of a DRUNet for each data set, for `dpir` without published weights."
    )
    feature_error: list[str] | None = Field(
        None, description="Noises on which feature_error is scored, for every method; none: all."
    )
    cvf_sid: CvfSidTrainingOptions = Field(CvfSidTrainingOptions(), description="Training of the method `cvf_sid`.")
    ablation: AblationOptions = Field(AblationOptions(), description="What `snakemake ablation` compares.")
    generalisation: list[str] | None = Field(
        None, description="Noises that `snakemake generalisation` applies denoisers across; none: all."
    )
    calibration: CalibrationOptions = Field(CalibrationOptions(), description="What `snakemake calibrate` does.")
    figures: FigureOptions = Field(FigureOptions(), description="What the figures show.")

    def note_of(self, dataset: str) -> str:
        """The sentence under tables and figures of a data set."""
        return " ".join(part for part in (self.note, self.notes.get(dataset, "")) if part)

    def dataset_options(self, dataset: str) -> dict[str, Any]:
        """Options of a data set's loader, complete, as JSON values."""
        values = {key: value for key, value in self.datasets[dataset].items() if key != "noises"}
        return _complete(DATASETS, dataset, values, f"datasets.{dataset}")

    def noise_options(self, dataset: str, noise: str) -> dict[str, Any]:
        """Options of a noise on a data set, complete, as JSON values."""
        own = (self.datasets[dataset].get("noises") or {}).get(noise) or {}
        values = {**self.noises[noise], **own}
        return _complete(NOISES, noise, values, f"noises.{noise}")

    @cached_property
    def columns(self) -> dict[str, Selected]:
        """The columns of the tables: each method as it runs, a tuned one after its entry."""
        return select(self.methods, self.tune)

    def ablation_variants(self) -> dict[str, Variant]:
        """The variants of the ablation by name."""
        return variants(self.ablation, self.denoiser, self.explanation)

    def weights_of(self, column: Selected) -> str | None:
        """The weight file of a column that is not trained here: the one its entry names, or DRUNet's published one."""
        if column.method is None or column.method.weights is None:
            return None
        published = PUBLISHED_DRUNET if column.method.weights == "drunet" and self.drunet is None else None
        return column.place.get("weights") or published

    def check_weights(self) -> None:
        """Raise InputError where a column takes its weights from a file that does not exist."""
        for name, column in self.columns.items():
            path = self.weights_of(column)
            if path and not Path(path).exists():
                mend = (
                    f": get it with `fplbench fetch drunet {path}`, or train one: leave methods.{name}.weights out and put a "
                    "section drunet into the config."
                )
                mend = mend if column.method.weights == "drunet" else "."
                raise InputError(f"The weight file {path} of methods.{name}.weights does not exist{mend}")

    @property
    def trains_fpl(self) -> bool:
        """Whether a column needs the denoisers that are trained here."""
        return any(c.method and c.method.weights == "fpl" and not self.weights_of(c) for c in self.columns.values())

    @property
    def explains(self) -> bool:
        """Whether anything needs the restoration networks: the denoisers, or scores of features."""
        return self.trains_fpl or bool(self.feature_error)


def load_config(values: Mapping[str, Any]) -> Config:
    """Check a config and fill in its defaults.

    Args:
        values: the config as read from YAML.

    Returns:
        The config.

    Raises:
        InputError: one sentence on the first problem: the dotted key, and the nearest valid one.
    """
    values = {key: value for key, value in values.items() if value is not None}
    for section in ("datasets", "noises", "methods"):
        if isinstance(values.get(section), Mapping):
            values[section] = {name: options or {} for name, options in values[section].items()}
    config = parse_options(Config, values, "")
    config = _with_names(config)
    for dataset in config.datasets:
        config.dataset_options(dataset)
        _check_overrides(config, dataset)
        for noise in config.noises:
            config.noise_options(dataset, noise)
    _ = config.columns
    _check_together(config)
    return config


def _with_names(config: Config) -> Config:
    """Fill in the noises and data sets that a section left out."""
    usual = "gaussian" if "gaussian" in config.noises else next(iter(config.noises), "gaussian")
    published = [name for name in config.datasets if name in PAPER_DATASETS]
    return config.model_copy(
        update={
            "feature_error": list(config.noises) if config.feature_error is None else config.feature_error,
            "generalisation": list(config.noises) if config.generalisation is None else config.generalisation,
            "figures": config.figures.model_copy(update={"noise": config.figures.noise or usual}),
            "ablation": config.ablation.model_copy(update={"noises": config.ablation.noises or [usual]}),
            "calibration": config.calibration.model_copy(update={"datasets": config.calibration.datasets or published}),
        }
    )


def _complete(registry: Registry, name: str, values: Mapping[str, Any], where: str) -> dict[str, Any]:
    return parse_options(_options_model(registry, name, where), values, where).model_dump(mode="json")


def _options_model(registry: Registry, name: str, where: str) -> type[Options]:
    try:
        return registry[name].options
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def _check_overrides(config: Config, dataset: str) -> None:
    own = config.datasets[dataset].get("noises") or {}
    for noise in own:
        if noise not in config.noises:
            raise InputError(f"datasets.{dataset}.noises.{noise} has no counterpart under noises: add {noise} there too.")


def _check_together(config: Config) -> None:
    """Raise InputError where sections do not fit each other."""
    if config.sampling.size % 16:
        raise InputError(f"sampling.size is {config.sampling.size}: the U-Net needs a multiple of 16.")
    if not (config.datasets and config.noises and config.methods):
        raise InputError("datasets, noises and methods each need at least one name.")
    if config.trains_fpl:
        check_gradient(config.denoiser, config.explanation)
    for key, names, known in (
        ("feature_error", config.feature_error, config.noises),
        ("ablation.noises", config.ablation.noises, config.noises),
        ("generalisation", config.generalisation, config.noises),
        ("calibration.datasets", config.calibration.datasets, config.datasets),
        ("notes", config.notes, config.datasets),
    ):
        for name in names:
            if name not in known:
                raise InputError(f"{key} names {name!r}, which is not in the config: {nearest(name, known)}")
    if config.figures.noise not in config.noises:
        raise InputError(f"figures.noise is {config.figures.noise!r}, which is not under noises.")
