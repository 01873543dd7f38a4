"""What the job of each rule asks for: memory and time, as functions of the config.

Memory follows from what a stage holds: mapped stacks, images of a batch, activations of networks. The factors were measured on a
CPU, as peak resident memory of the demo's jobs and of single steps; on a GPU, activations are in its own memory, and the memory
of the processor has the libraries of CUDA instead, which was not measured. The time is a limit, several times what is expected.

torch is not imported, as Snakemake asks at its start.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from fplbench.config.fits import Fit, with_repeats
from fplbench.denoising.columns import Column, grouped
from fplbench.explaining.options import at_once
from fplbench.planning.images import (
    denoised,
    explained_width,
    inserted_cells,
    inserted_splits,
    repeats,
    splits,
    tuning_images,
)
from fplbench.planning.jobs import stack_names
from fplbench.planning.weights import U_NETS, weight_bytes

if TYPE_CHECKING:
    from fplbench.config import Config

# MB. A command without torch took 60 to 180 in the demo, and one with torch 290 to 380.
LIGHT, TORCH, CUDA, SAMPLING = 400, 700, 3500, 2000
# Bytes of activations, in multiples of batch * pixels * width of the network * 4 bytes.
PLAIN, WITH_FEATURES, PEER, EXPLAINED, FORWARD = 25, 60, 150, 40, 12
SCORED_AT_ONCE, DENOISED_AT_ONCE = 16, 16
"""Images that go through a network at once when features are scored, and on a GPU."""
# Operations for each pixel in multiples of the width squared: one pass of a U-Net, of a block of DRUNet, and of a peer at most.
UNET, DRUNET_BLOCK, OTHER = 300, 260, 3000
SLOW_GPU, SLOW_CPU = 5e12, 1.5e10  # operations a second that even an old device reaches
FILTER, SCORE = 1.5, 1.0  # seconds for a million pixels that the slowest filter, and all scores of an image take on one core
SAFETY, LEAST = 3, 30  # of the time; minutes


class JobNeeds:
    """What jobs ask for.

    Args:
        config: the config of the run.
        gpu: whether networks run on a GPU; else they have their activations in the memory of the processor.
    """

    def __init__(self, config: "Config", gpu: bool = True):
        self.config, self.gpu = config, gpu
        self.pixels = config.sampling.size**2
        self.width = explained_width(config)

    def of(self, rule: str) -> dict[str, int]:
        """Memory and minutes of the jobs of a rule, as the keyword arguments of its resources."""
        return {"mem_mb": self.memory(rule), "runtime": self.minutes(rule)}

    def memory(self, rule: str) -> int:
        """Megabytes (2**20 bytes) that a job of a rule may use; those of an unknown rule are those of a light one."""
        if rule.startswith("train_"):
            return self._of_training(self.config.fits[rule.removeprefix("train_")])
        if rule.startswith(DENOISE):
            return self._of_group(_columns(self.config, rule))
        found = MEMORY.get(rule)
        return found(self) if found else _megabytes(LIGHT, self._mapped_test() + 2000 * self._rows())

    def minutes(self, rule: str) -> int:
        """Minutes that a job of a rule may take."""
        if rule.startswith("train_"):
            return _minutes(self._training_seconds(self.config.fits[rule.removeprefix("train_")]))
        if rule.startswith(DENOISE):
            return _minutes(self._denoising_seconds(_columns(self.config, rule)))
        found = SECONDS.get(rule)
        return _minutes(found(self) if found else 0.0)

    def largest(self, rules: Mapping[str, Any]) -> tuple[str, int]:
        """The rule that asks for the most memory, and how much, MB."""
        return max(((rule, self.memory(rule)) for rule in rules), key=lambda found: found[1])

    @property
    def _network(self) -> int:
        """MB of a process that runs a network, without its activations."""
        return CUDA if self.gpu else TORCH

    def _activations(self, factor: float, images: int, width: int, pixels: int) -> float:
        """Bytes of activations in the memory of the processor."""
        return 0.0 if self.gpu else 4.0 * factor * images * pixels * width

    def _of_training(self, fit: Fit) -> int:
        """Stacks with all draws, features and weights; activations of a micro-batch. A mapped file counts while it is copied."""
        options, sampling = fit.options, self.config.sampling
        explains = "features" in fit.training.needs(options)
        stacks = 2 + (options.get("draws", 1) if "noisy" in fit.training.inputs else 0) + 6 * explains
        images, pixels = options.get("micro_batch") or options.get("batch", 64), self.pixels
        if options.get("patch") and not explains:
            pixels = min(options["patch"], sampling.size) ** 2
        known = fit.training.name in U_NETS or fit.training.name == "drunet"
        factor = (WITH_FEATURES if explains else PLAIN) if known else PEER
        weights = 8 * (weight_bytes(fit) if known else 0)
        validation = 2 * min(sampling.validation, options.get("validation_images", 0)) * self.pixels
        held = stacks * sampling.train * self.pixels + validation + weights
        return _megabytes(self._network, held + self._activations(factor, images, options.get("width", 64), pixels))

    def _of_group(self, columns: list[Column]) -> int:
        """Images that options are chosen on, and mapped stacks, of which a chunk is held; a network takes images one by one."""
        tuned = 24 * tuning_images(self.config) * self.pixels
        chunk = 4 * DENOISED_AT_ONCE * self.pixels
        if not any(column.method and column.method.gpu for column in columns):
            return _megabytes(LIGHT, tuned + 8 * chunk)
        width = max([64, *(options.get("width", 64) for options in self._options(columns))])
        return _megabytes(self._network + 300, tuned + chunk + self._activations(2 * FORWARD, 1, width, self.pixels))

    def _options(self, columns: list[Column]) -> list[Mapping[str, Any]]:
        return [self.config.training_options(found.name) for column in columns if (found := self.config.training_of(column))]

    def _explaining(self, images: int) -> int:
        held = 8 * images * self.pixels + self._mapped_test()
        return _megabytes(self._network, held + self._activations(EXPLAINED, images, self.width, self.pixels))

    def _mapped_test(self) -> float:
        """Bytes of the test and validation images of a cell, clean and of every method, as mapped files."""
        sampling = self.config.sampling
        images = sampling.test + sampling.validation + (self.config.inserted.test if inserted_cells(self.config) else 0)
        stacks = with_repeats([*self.config.columns.values(), *self.config.fair_columns.values()], self.config)
        return images * self.pixels * (len(stacks) + 3)

    def _rows(self) -> int:
        """Rows of scores of the whole run."""
        return len(self.config.cells()) * self.config.sampling.test * len(stack_names(self.config))

    def _sampled(self) -> float:
        """Bytes of all sampled images of a data set, or those with inserted lesions."""
        return max(sum(splits(self.config)), sum(inserted_splits(self.config))) * self.pixels

    def _pages(self) -> float:
        """Bytes of the images of an explorer page."""
        shown = len(self.config.noises) * (2 * len(self.config.columns) + 2) * self.config.explorer.images
        return shown * self.pixels

    def _training_seconds(self, fit: Fit) -> float:
        options = fit.options
        if "steps" not in options:
            return 0.0
        passes = 7 if "features" in fit.training.needs(options) else 3
        each = (
            UNET if fit.training.name in U_NETS else DRUNET_BLOCK * options["blocks"] if fit.training.name == "drunet" else OTHER
        )
        return passes * options["steps"] * options["batch"] * self.pixels * each * options.get("width", 64) ** 2 / self._speed

    @property
    def _speed(self) -> float:
        return SLOW_GPU if self.gpu else SLOW_CPU

    def _denoising_seconds(self, columns: list[Column]) -> float:
        seconds = 0.0
        for column in columns:
            assert column.method is not None
            images = repeats(self.config, column) * denoised(self.config, column, inserted=True)
            each = OTHER * 64**2 * self.pixels / self._speed if column.method.gpu else FILTER * self.pixels / 1e6
            seconds += images * each
        return seconds

    def _explaining_seconds(self, images: int) -> float:
        return images * 3 * UNET * self.width**2 * self.pixels / self._speed

    def _scoring_seconds(self) -> float:
        return self._mapped_test() * SCORE / 1e6


DENOISE = "denoise_"
MEMORY: Mapping[str, Callable[[JobNeeds], int]] = {
    **dict.fromkeys(("sample_images", "sample_hounsfield", "sample_pairs"), lambda run: _megabytes(SAMPLING, 2 * run._sampled())),
    **dict.fromkeys(("insert_lesions", "join_inserted"), lambda run: _megabytes(LIGHT, 6 * run._sampled())),
    **dict.fromkeys(
        ("synthesize_noise", "add_noise_to_inserted", "synthesize_signal_noise", "insert_signals"),
        lambda run: _megabytes(LIGHT, 2 * run._sampled()),
    ),
    "explain_clean_images": lambda run: run._explaining(min(at_once(run.pixels), run.config.sampling.train)),
    "score_features": lambda run: run._explaining(min(SCORED_AT_ONCE, run.config.sampling.test)),
    "score": lambda run: _megabytes(LIGHT, 2 * run._mapped_test()),
    **dict.fromkeys(("figure", "feature_figure"), lambda run: run._explaining(len(run.config.columns) + 2)),
    "cost": lambda run: _megabytes(TORCH + 300, 2000 * run._rows()),
    **dict.fromkeys(
        ("apply_across_datasets", "apply_across_noises"),
        lambda run: run._of_group(grouped(run.config.columns).get("networks", [])),
    ),
    **dict.fromkeys(("observe", "fit_levels"), lambda run: _megabytes(SAMPLING, 2 * run._mapped_test())),
    **dict.fromkeys(("explorer", "report"), lambda run: _megabytes(LIGHT, 6 * run._pages() + run._mapped_test())),
}
"""Memory of the rules that hold more than a few images."""
SECONDS: Mapping[str, Callable[[JobNeeds], float]] = {
    **dict.fromkeys(("sample_images", "sample_hounsfield", "sample_pairs"), lambda run: 2.0 * run._sampled() / run.pixels),
    **dict.fromkeys(("synthesize_noise", "add_noise_to_inserted"), lambda run: run._sampled() / 1e6),
    "insert_lesions": lambda run: run._sampled() / 1e6,
    "explain_clean_images": lambda run: run._explaining_seconds(run.config.sampling.train),
    "score_features": lambda run: run._explaining_seconds(run.config.sampling.test * (len(stack_names(run.config)) + 1)),
    "score": lambda run: run._scoring_seconds(),
}
"""Seconds of the rules that take longer than minutes at the size of the paper."""


def _columns(config: "Config", rule: str) -> list[Column]:
    """The columns that a rule denoise_... runs; fair_ is of the fair comparison, signals_ of detectability."""
    name = rule.removeprefix("denoise_").removeprefix("signals_").removesuffix("_inserted")
    groups = grouped(config.columns) | {f"fair_{group}": columns for group, columns in grouped(config.fair_columns).items()}
    return groups.get(name, [])


def _megabytes(base: int, held: float) -> int:
    return base + int(held / 2**20) + 1


def _minutes(seconds: float) -> int:
    return LEAST + int(SAFETY * seconds / 60)
