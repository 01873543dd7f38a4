"""What the jobs of a run hold and how long they take: stacks, batches, activations of networks."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fplbench.config.fits import Fit, with_repeats
from fplbench.denoising.columns import Column
from fplbench.planning.factors import (
    COMPILER,
    COMPILING,
    CUDA,
    DENOISED_AT_ONCE,
    DRUNET_BLOCK,
    EXPLAINED,
    FILTER,
    FORWARD,
    LIGHT,
    OTHER,
    PEER,
    PLAIN,
    PROCESS,
    PROCESSES,
    SLOW_CPU,
    SLOW_GPU,
    TORCH,
    UNET,
    WITH_FEATURES,
    megabytes,
)
from fplbench.planning.images import (
    denoised,
    explained_channels,
    explained_width,
    inserted_cells,
    inserted_splits,
    joined_splits,
    repeats,
    signals,
    splits,
    tuning_images,
)
from fplbench.planning.jobs import stack_names
from fplbench.planning.weights import U_NETS, weight_bytes

if TYPE_CHECKING:
    from fplbench.config import Config


class Sizes:
    """What the jobs of a run hold, in bytes unless a method says MB, and the seconds that they take.

    Args:
        config: the config of the run.
        gpu: whether networks run on a GPU; else they have their activations in the memory of the processor.
    """

    def __init__(self, config: "Config", gpu: bool = True):
        self.config: Config = config
        self.gpu = gpu
        self.pixels: int = config.sampling.size**2
        self.width = explained_width(config)

    @property
    def network(self) -> int:
        """MB of a process that runs a network, without its activations."""
        return CUDA if self.gpu else TORCH

    def activations(self, factor: float, images: int, width: int, pixels: int) -> float:
        """Bytes of activations in the memory of the processor."""
        return 0.0 if self.gpu else 4.0 * factor * images * pixels * width

    def of_training(self, fit: Fit, channels: float | None = None) -> int:
        """Stacks with all draws, features and weights; activations of a micro-batch. A mapped file counts while it is copied.

        Args:
            fit: the training.
            channels: of the features that the ablation compares, whose images are joined ones; None outside of it.
        """
        options, sampling = fit.options, self.config.sampling
        explains = "features" in fit.training.needs(options)
        of_features = explained_channels(self.config) if channels is None else channels
        stacks = 2 + (options.get("draws", 1) if "noisy" in fit.training.inputs else 0) + 6 * explains * of_features
        joined = channels is not None or "lesions" in fit.training.inputs
        images, pixels = options.get("micro_batch") or options.get("batch", 64), self.pixels
        if options.get("patch") and not explains:
            pixels = min(options["patch"], sampling.size) ** 2
        known = fit.training.name in U_NETS or fit.training.name == "drunet"
        factor = (WITH_FEATURES if explains else PLAIN) if known else PEER
        weights = 8 * (weight_bytes(fit) if known else 0)
        validation = 2 * min(sampling.validation, options.get("validation_images", 0)) * self.pixels
        train = joined_splits(self.config)[0] if joined else sampling.train
        held = stacks * train * self.pixels + validation + weights
        programs = self.network + COMPILER * self.config.numerics.compile
        return megabytes(programs, held + self.activations(factor, images, options.get("width", 64), pixels))

    def of_group(self, columns: list[Column]) -> int:
        """Images that options are chosen on, and mapped stacks, of which a chunk is held; a network takes images one by one."""
        tuned = 24 * tuning_images(self.config) * self.pixels
        chunk = 4 * DENOISED_AT_ONCE * self.pixels
        if not any(column.method and column.method.gpu for column in columns):
            processes = PROCESSES if any(column.method and column.method.processes for column in columns) else 0
            return megabytes(LIGHT + processes * PROCESS, tuned + 8 * chunk)
        width = max([64, *(options.get("width", 64) for options in self._options(columns))])
        return megabytes(self.network + 300, tuned + chunk + self.activations(2 * FORWARD, 1, width, self.pixels))

    def _options(self, columns: list[Column]) -> list[Mapping[str, Any]]:
        return [self.config.training_options(found.name) for column in columns if (found := self.config.training_of(column))]

    def explaining(self, images: int, width: int | None = None, channels: float = 1) -> int:
        """Images that go through an explained network at once, their maps, and mapped test images."""
        held = 8 * images * self.pixels * channels + self.mapped_test()
        return megabytes(self.network, held + self.activations(EXPLAINED, images, width or self.width, self.pixels))

    def mapped_test(self) -> float:
        """Bytes of the test and validation images of a cell, clean and of every method, as mapped files."""
        sampling = self.config.sampling
        images = sampling.test + sampling.validation + (self.config.inserted.test if inserted_cells(self.config) else 0)
        stacks = with_repeats([*self.config.columns.values(), *self.config.fair_columns.values()], self.config)
        return images * self.pixels * (len(stacks) + 3)

    def rows(self) -> int:
        """Rows of scores of the whole run."""
        return len(self.config.cells()) * self.config.sampling.test * len(stack_names(self.config))

    def sampled(self) -> float:
        """Bytes of all sampled images of a data set, or those with inserted lesions."""
        return max(sum(splits(self.config)), sum(inserted_splits(self.config))) * self.pixels

    def signals(self) -> float:
        """Bytes of the images with and without signals of a data set."""
        return signals(self.config) * self.pixels

    def pages(self) -> float:
        """Bytes of the images of an explorer page."""
        shown = len(self.config.noises) * (2 * len(self.config.columns) + 2) * self.config.explorer.images
        return shown * self.pixels

    def training_seconds(self, fit: Fit) -> float:
        """Of the steps of a training."""
        options = fit.options
        if "steps" not in options:
            return 0.0
        passes = 7 if "features" in fit.training.needs(options) else 3
        each = (
            UNET if fit.training.name in U_NETS else DRUNET_BLOCK * options["blocks"] if fit.training.name == "drunet" else OTHER
        )
        operations = passes * options["steps"] * options["batch"] * self.pixels * each * options.get("width", 64) ** 2
        return operations / self.speed + COMPILING * self.config.numerics.compile

    @property
    def speed(self) -> float:
        """Operations a second."""
        return SLOW_GPU if self.gpu else SLOW_CPU

    def denoising_seconds(self, columns: list[Column], images: int | None = None) -> float:
        """Of so many images, or of all that some columns denoise in a cell."""
        seconds = 0.0
        for column in columns:
            assert column.method is not None
            own = repeats(self.config, column) * denoised(self.config, column, inserted=True) if images is None else images
            seconds += own * (self.network_seconds() if column.method.gpu else FILTER * self.pixels / 1e6)
        return seconds

    def network_seconds(self) -> float:
        """Of an image in any network."""
        return OTHER * 64**2 * self.pixels / self.speed

    def explaining_seconds(self, images: int) -> float:
        """Of the features of some images."""
        return images * 3 * UNET * self.width**2 * self.pixels / self.speed
