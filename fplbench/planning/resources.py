"""What the job of each rule asks for: cores, memory and time, as functions of the config.

Memory follows from what a stage holds: mapped stacks, images of a batch, activations of networks. The time is a limit, several
times what is expected. torch is not imported, as Snakemake asks at its start.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from fplbench.denoising.columns import grouped
from fplbench.explaining.options import at_once
from fplbench.planning.ablation import ABLATION_MEMORY, ABLATION_SECONDS
from fplbench.planning.factors import (
    LIGHT,
    PROCESSES,
    ROW,
    SAMPLING,
    SCORE,
    SCORED_AT_ONCE,
    TORCH,
    limit,
    megabytes,
)
from fplbench.planning.images import DENOISE, SIGNALS, columns_of, signals
from fplbench.planning.jobs import stack_names
from fplbench.planning.sizes import Sizes

if TYPE_CHECKING:
    pass


class JobNeeds(Sizes):
    """What jobs ask for."""

    def of(self, rule: str) -> dict[str, int]:
        """Memory and minutes of the jobs of a rule, as the keyword arguments of its resources."""
        return {"mem_mb": self.memory(rule), "runtime": self.minutes(rule)}

    def threads(self, rule: str) -> int:
        """Cores of the jobs of a rule.

        A network has one, on a CPU too: the sums of a convolution depend on the number of threads, and results must not depend on
        the cores that a machine has. Besides, two jobs of one thread take less time than one job of two.
        """
        columns = columns_of(self.config, rule)
        shared = rule in SHARED or any(column.method and column.method.processes for column in columns)
        return PROCESSES if shared else 1

    def memory(self, rule: str) -> int:
        """Megabytes (2**20 bytes) that a job of a rule may use; those of an unknown rule are those of a light one."""
        if rule in MEMORY:
            return MEMORY[rule](self)
        if rule.startswith("train_"):
            return self.of_training(self.config.fits[rule.removeprefix("train_")])
        if rule.startswith(DENOISE):
            return self.of_group(columns_of(self.config, rule))
        return megabytes(LIGHT, self.mapped_test() + ROW * self.rows())

    def minutes(self, rule: str) -> int:
        """Minutes that a job of a rule may take."""
        if rule in SECONDS:
            return limit(SECONDS[rule](self))
        if rule.startswith("train_"):
            return limit(self.training_seconds(self.config.fits[rule.removeprefix("train_")]))
        if rule.startswith(DENOISE):
            images = signals(self.config) if rule.startswith(SIGNALS) else None
            return limit(self.denoising_seconds(columns_of(self.config, rule), images))
        return limit(0.0)

    def largest(self, rules: Mapping[str, Any]) -> tuple[str, int]:
        """The rule that asks for the most memory, and how much, MB."""
        return max(((rule, self.memory(rule)) for rule in rules), key=lambda found: found[1])


SHARED = ("sample_images", "sample_hounsfield", "sample_pairs", "fit_levels")
"""Rules that share their images among processes."""
MEMORY: Mapping[str, Callable[[Sizes], int]] = {
    **dict.fromkeys(("sample_images", "sample_hounsfield", "sample_pairs"), lambda run: megabytes(SAMPLING, 2 * run.sampled())),
    "insert_lesions": lambda run: megabytes(LIGHT, 6 * run.sampled()),
    **dict.fromkeys(("synthesize_noise", "add_noise_to_inserted"), lambda run: megabytes(LIGHT, 2 * run.sampled())),
    **dict.fromkeys(("insert_signals", "synthesize_signal_noise"), lambda run: megabytes(LIGHT, 2 * run.signals())),
    "explain_clean_images": lambda run: run.explaining(min(at_once(run.pixels), run.config.sampling.train)),
    "score_features": lambda run: run.explaining(min(SCORED_AT_ONCE, run.config.sampling.test)),
    "score": lambda run: megabytes(LIGHT, 2 * run.mapped_test()),
    **dict.fromkeys(("figure", "feature_figure"), lambda run: run.explaining(len(run.config.columns) + 2)),
    "cost": lambda run: megabytes(TORCH + 300, ROW * run.rows()),
    **dict.fromkeys(
        ("apply_across_datasets", "apply_across_noises"),
        lambda run: run.of_group(grouped(run.config.columns).get("networks", [])),
    ),
    "fit_levels": lambda run: megabytes(SAMPLING, 2 * run.mapped_test()),
    "observe": lambda run: megabytes(SAMPLING, (1 + len(run.config.columns)) * run.signals()),
    **dict.fromkeys(("explorer", "report"), lambda run: megabytes(LIGHT, 6 * run.pages() + run.mapped_test())),
    **ABLATION_MEMORY,
}
"""Memory of the rules that hold more than a few images."""
SECONDS: Mapping[str, Callable[[Sizes], float]] = {
    **dict.fromkeys(("sample_images", "sample_hounsfield", "sample_pairs"), lambda run: 2.0 * run.sampled() / run.pixels),
    **dict.fromkeys(("synthesize_noise", "add_noise_to_inserted"), lambda run: run.sampled() / 1e6),
    "insert_lesions": lambda run: run.sampled() / 1e6,
    "explain_clean_images": lambda run: run.explaining_seconds(run.config.sampling.train),
    "score_features": lambda run: run.explaining_seconds(run.config.sampling.test * (len(stack_names(run.config)) + 1)),
    "score": lambda run: run.mapped_test() * SCORE / 1e6,
    **dict.fromkeys(
        ("apply_across_datasets", "apply_across_noises"),
        lambda run: (len(run.config.noises) + len(run.config.datasets)) * run.config.sampling.test * run.network_seconds(),
    ),
    "synthesize_signal_noise": lambda run: run.signals() / 1e6,
    **ABLATION_SECONDS,
}
"""Seconds of the rules that take longer than minutes at the size of the paper."""
