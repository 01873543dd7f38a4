"""Every key of the config, as one model."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Literal

from pydantic import Field

from fplbench import DEFAULT_SEED
from fplbench.config.ablation import AblationOptions, Variant, variants
from fplbench.config.columns import fair_columns, table_columns
from fplbench.config.detectability import DetectabilityOptions
from fplbench.config.fair import FairOptions
from fplbench.config.fits import Fit, fits, shared_budget
from fplbench.config.resolved import complete, levels, needs, resolve
from fplbench.config.sections import (
    PAPER_DATASETS,
    PAPER_METHODS,
    PAPER_NOISES,
    CalibrationOptions,
    ExplorerOptions,
    FigureOptions,
    TableOptions,
    TuningOptions,
    by_default,
)
from fplbench.datasets import Dataset, SamplingOptions, find_dataset
from fplbench.denoising.columns import Column, GreyMap, Tune
from fplbench.errors import InputError
from fplbench.explaining.options import ExplanationOptions
from fplbench.lesions.options import InsertionOptions
from fplbench.noise import NOISES
from fplbench.numerics import STRICT, NumericsOptions, Reproducible
from fplbench.options import Options
from fplbench.registry import parse_options
from fplbench.scoring.registry import DEFAULT
from fplbench.training import TRAININGS, Training
from fplbench.training.fpl import FplOptions


class Config(Options):
    """The whole config. A section that is left out has the paper's values."""

    protocol: Literal["published", "fair"] = Field(
        "published",
        description="published: every method has fixed options, as in the paper; fair: every method may use the training images "
        "of each noise, so that filters and DPIR are tuned and get a grey map, and learned methods have the budget of FPL.",
    )
    results: str = Field("results", min_length=1, description="Folder for everything the workflow writes.")
    seed: int = Field(DEFAULT_SEED, ge=0, description="Seed of every draw: sampling, noise, weights, batches.")
    repeats: int = Field(
        1, ge=1, description="Networks that are trained for each learned method and cell, each with a seed of its own."
    )
    note: str = Field("", description="Sentence under every table and figure.")
    notes: dict[str, str] = Field({}, description="A further sentence for single data sets, by name.")
    keep_denoised: bool = Field(
        True,
        description="Keep the denoised stacks (28 GB for the paper); else those of a cell are deleted once they are scored and "
        "its figures are drawn, and made again when something needs them. Filters then wait for the networks of their cell.",
    )
    datasets: dict[str, dict[str, Any]] = Field(
        default_factory=lambda: by_default(PAPER_DATASETS),
        description="The data sets by name, with the options of their loader; `loader`: how they are read, if the name does not "
        "say it; `noises`: options that differ there.",
    )
    sampling: SamplingOptions = Field(SamplingOptions(), description="How many images are drawn, how large, and how split.")
    noises: dict[str, dict[str, Any]] = Field(
        default_factory=lambda: by_default(PAPER_NOISES),
        description="The noises by name, with their options; `datasets`: the data sets that a noise is limited to.",
    )
    methods: dict[str, dict[str, Any]] = Field(
        default_factory=lambda: by_default(PAPER_METHODS),
        description="The methods by name, with their options.",
    )
    tune: Tune | None = Field(
        None,
        description="Choose the options of every method that declares a grid on training images; both: beside the defaults; "
        "null: under the fair protocol.",
    )
    grey_map: GreyMap | None = Field(
        None,
        description="Fit a look-up table of grey levels on training images and apply it after each method, but for networks that "
        "have learned the noise: monotone (true) or affine; null: monotone under the fair protocol.",
    )
    tuning: TuningOptions = Field(TuningOptions(), description="How tuned options are chosen.")
    custom_rules: list[str] = Field([], description="Rule files of your own, for methods with `rule: true`.")
    explanation: ExplanationOptions = Field(ExplanationOptions(), description="How the restoration network is explained.")
    training: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        description="The trainings by name, with their options. Those of a method's weights run where the method does; "
        "drunet only where it is named here, else `dpir` takes published weights.",
    )
    inserted: InsertionOptions = Field(
        InsertionOptions(), description="Lesions that are inserted into copies of CT slices, and the noises they are scored on."
    )
    metrics: list[str] = Field(
        list(DEFAULT), description="Scores of every image; psnr, psnr_uint8 and ssim are always among them."
    )
    feature_error: list[str] | None = Field(
        None, description="Noises on which feature_error is scored, for every method; null: all."
    )
    ablation: AblationOptions = Field(AblationOptions(), description="What `snakemake ablation` compares.")
    generalisation: list[str] | None = Field(
        None, description="Noises across which `snakemake generalisation` applies denoisers; null: all."
    )
    detectability: DetectabilityOptions = Field(DetectabilityOptions(), description="What `snakemake detectability` does.")
    fair: FairOptions = Field(FairOptions(), description="What `snakemake fair` compares.")
    numerics: NumericsOptions = Field(NumericsOptions(), description="How torch computes.")
    reproducible: Reproducible = "fast"
    gpu_share: int = Field(
        1,
        ge=1,
        description="Jobs that share a GPU at the same time, each with an equal part of its memory. A change runs nothing again.",
    )
    calibration: CalibrationOptions = Field(CalibrationOptions(), description="What `snakemake calibrate` does.")
    reference: str = Field(
        "fpl", description="The method that tables, verdicts and the report compare with every other one, if it is a column."
    )
    tables: TableOptions = Field(TableOptions(), description="What the tables show.")
    figures: FigureOptions = Field(FigureOptions(), description="What the figures show.")
    explorer: ExplorerOptions = Field(ExplorerOptions(), description="What the explorer pages hold.")

    def dataset(self, name: str) -> Dataset:
        """A data set with its loader, name and label."""
        given = self.datasets[name]
        try:
            return find_dataset(name, given.get("loader"), given.get("label"), given.get("of"))
        except InputError as error:
            raise InputError(f"datasets.{name}: {error}") from None

    def dataset_options(self, name: str) -> dict[str, Any]:
        """Options of a data set's loader, complete, as JSON values."""
        values = {key: value for key, value in self.datasets[name].items() if key not in ("noises", "loader")}
        return parse_options(self.dataset(name).options, values, f"datasets.{name}").model_dump(mode="json")

    def noise_options(self, dataset: str, noise: str) -> dict[str, Any]:
        """Options of a noise on a data set, complete, as JSON values."""
        own = (self.datasets[dataset].get("noises") or {}).get(noise) or {}
        return complete(NOISES, noise, {**levels(self.noises[noise]), **own}, f"noises.{noise}")

    def noises_of(self, dataset: str) -> list[str]:
        """The noises of a data set: all but those that are limited to others; of pairs, the one that they were acquired with."""
        paired = self.dataset(dataset).paired
        return [
            name
            for name, given in self.noises.items()
            if dataset in given.get("datasets", self.datasets) and (needs(name) == "pair") == paired
        ]

    def figure_noise(self, dataset: str) -> str:
        """The noise of a data set's figures: that of the config, or the first one where the data set does not have it."""
        noises = self.noises_of(dataset)
        return next(name for name in (self.figures.noise, *noises) if name in noises)

    @property
    def unpaired(self) -> list[str]:
        """The data sets that noises are added to."""
        return [name for name in self.datasets if not self.dataset(name).paired]

    @property
    def published(self) -> list[str]:
        """The data sets that the paper has too, read as such."""
        return [name for name in self.datasets if name in PAPER_DATASETS and self.dataset(name).loader == name]

    @property
    def compared(self) -> list[str]:
        """The data sets with the same noises, which analyses compare: those that noises are added to, if there are any."""
        return self.unpaired or list(self.datasets)

    def cells(self, noises: Iterable[str] | None = None) -> list[tuple[str, str]]:
        """Data sets and noises, all or only some of these noises."""
        wanted = set(self.noises if noises is None else noises)
        return [(dataset, noise) for dataset in self.datasets for noise in self.noises_of(dataset) if noise in wanted]

    def training_options(self, name: str) -> dict[str, Any]:
        """Options of a training, complete, as JSON values."""
        found = TRAININGS[name] if name in TRAININGS else None  # noqa: SIM401, as a registry raises InputError
        shared = shared_budget(self, name) if found else {}
        inherited = self.training.get(found.inherits, {}) if found and found.inherits else {}
        values = {**shared, **inherited, **self.training.get(name, {})}
        where = name if name in self.training or not inherited else found.inherits if found else name
        return complete(TRAININGS, name, values, f"training.{where}")

    @property
    def computing(self) -> NumericsOptions:
        """How the networks of a job compute, as `reproducible` and `numerics` say."""
        return STRICT if self.reproducible == "strict" else self.numerics

    @cached_property
    def columns(self) -> dict[str, Column]:
        """The columns of the tables: each method as it runs, a tuned one after its entry."""
        return table_columns(self)

    @cached_property
    def fair_columns(self) -> dict[str, Column]:
        """The columns of the fair comparison that are not in the tables."""
        return fair_columns(self)

    @cached_property
    def fits(self) -> dict[str, Fit]:
        """The trainings by the name of their files."""
        return fits(self)

    @property
    def repeat_names(self) -> list[str]:
        """What is added to the names of a method's files for each repeat."""
        return ["", *(f"-{number}" for number in range(2, self.repeats + 1))]

    @property
    def fpl(self) -> FplOptions:
        """Options of the FPL denoisers."""
        return FplOptions(**self.training_options("fpl"))

    def ablation_variants(self) -> dict[str, Variant]:
        """The variants of the ablation by name."""
        return variants(self)

    def weights_of(self, column: Column) -> str | None:
        """The weight file of a column that is not trained here: the one that its entry names, or the published one."""
        if column.method is None or column.method.weights is None:
            return None
        training = TRAININGS[column.method.weights]
        published = training.published if training.name not in self.training else None
        return column.place.get("weights") or published

    def training_of(self, column: Column) -> Training | None:
        """The training that a column takes its weights from, where it is one of this run."""
        if column.method is None or column.method.weights is None or self.weights_of(column):
            return None
        return TRAININGS[column.method.weights]

    def resolved(self) -> dict[str, Any]:
        """The config with the defaults of data sets, noises and trainings filled in, as JSON values; it loads again."""
        return resolve(self)

    @property
    def trains_fpl(self) -> bool:
        """Whether a column needs the denoisers that are trained here with L_FP."""
        return any(found.name == "fpl" for found in self.trainings_of(self.columns))

    @property
    def explains(self) -> bool:
        """Whether anything needs the restoration networks: a training that reads them, or scores of features."""
        needed = [found.needs(self.training_options(found.name)) for found in self.trainings_of(self.columns)]
        return any("explained" in inputs for inputs in needed) or bool(self.feature_error)

    def trainings_of(self, columns: Mapping[str, Column]) -> list[Training]:
        """The trainings whose weights some columns take."""
        return [found for found in map(self.training_of, columns.values()) if found]
