"""What the rules of `snakemake ablation` ask for. Images are joined with copies that have lesions, and drawn again."""

from collections.abc import Callable, Mapping

from fplbench.config.ablation import Variant
from fplbench.config.fits import Fit
from fplbench.explaining.alignment import PLACES
from fplbench.explaining.options import ExplanationOptions, at_once
from fplbench.planning.factors import FORWARD, LIGHT, ROW, SAMPLING, SCORE, SCORED_AT_ONCE, WITH_FEATURES, megabytes
from fplbench.planning.images import explained_channels, explained_width, joined_splits, splits
from fplbench.planning.sizes import Sizes
from fplbench.training import TRAININGS

STACKS = 4
"""Arrays of the size of a stack that are held while stacks are joined or drawn again."""
COMPARED = 16
"""Images on which explanations are compared."""


def fit_of(variant: Variant) -> Fit:
    """The training of a variant."""
    return Fit("fpl", TRAININGS["fpl"], variant.fpl)


def runs(run: Sizes) -> int:
    """The most networks of a data set and noise."""
    return len(run.config.ablation_variants()) * len(run.config.ablation.seeds)


def _explanations(run: Sizes) -> list[ExplanationOptions]:
    found = run.config.ablation_variants().values()
    return [ExplanationOptions(**variant.explanation) for variant in found if variant.explanation]


def _width(run: Sizes) -> int:
    """That of the widest explained network."""
    return max([run.width, *(explained_width(run.config, each.network) for each in _explanations(run) if each.needs_network)])


def _channels(run: Sizes) -> float:
    return max([1.0, *(explained_channels(run.config, each) for each in _explanations(run))])


def _training(run: Sizes) -> int:
    found = run.config.ablation_variants().values()
    channels = {
        id(variant): explained_channels(run.config, ExplanationOptions(**variant.explanation)) if variant.explanation else 1.0
        for variant in found
    }
    return max(run.of_training(fit_of(variant), channels[id(variant)]) for variant in found)


def _scored(run: Sizes) -> float:
    """Bytes of the images of a stage, in all draws, with their lesions inserted."""
    return run.config.ablation.draws * max(joined_splits(run.config)[1:]) * run.pixels


def _aligning(run: Sizes) -> int:
    """One image at all places of a line, with what the gradient of a comparison of features needs."""
    return megabytes(run.network, run.activations(WITH_FEATURES, len(PLACES), _width(run), run.pixels))


def _applying(run: Sizes) -> float:
    """Bytes of a network's activations, which takes images one by one."""
    return run.activations(2 * FORWARD, 1, run.config.fpl.width, run.pixels)


def _scoring(run: Sizes) -> int:
    """The stacks of all networks, mapped; or images in the explained network."""
    return max(
        megabytes(LIGHT, 2 * (runs(run) + 2) * _scored(run)),
        run.explaining(SCORED_AT_ONCE) + megabytes(0, (runs(run) + 2) * _scored(run)),
    )


def _rows(run: Sizes) -> int:
    images = run.config.ablation.draws * sum(splits(run.config)[1:])
    return runs(run) * images * len(run.config.ablation.noises or ()) * len(run.config.ablation.datasets or ())


ABLATION_MEMORY: Mapping[str, Callable[[Sizes], int]] = {
    "join_inserted": lambda run: megabytes(LIGHT, STACKS * sum(joined_splits(run.config)) * run.pixels),
    "add_noise_to_joined": lambda run: megabytes(LIGHT, 2 * sum(joined_splits(run.config)) * run.pixels),
    **dict.fromkeys(("draw_again", "repeat_clean_images"), lambda run: megabytes(LIGHT, STACKS * _scored(run))),
    "explain_for_ablation": lambda run: run.explaining(at_once(run.pixels), _width(run), _channels(run)),
    "train_ablation": _training,
    "align_cell": _aligning,
    "apply_ablation": lambda run: megabytes(run.network + 300, 4 * _scored(run) + _applying(run)),
    "score_ablation": _scoring,
    "observe_ablation": lambda run: megabytes(max(SAMPLING, run.network), (runs(run) + 1) * run.signals() + _applying(run)),
    "compare_explanations": lambda run: run.explaining(COMPARED, _width(run)),
    "ablation_feature_figure": lambda run: run.explaining(len(run.config.ablation_variants()) + 2, _width(run)),
    **dict.fromkeys(("ablation_table", "align_variants", "screen_variants"), lambda run: megabytes(LIGHT, ROW * _rows(run))),
}
"""Memory of the rules of the ablation."""
ABLATION_SECONDS: Mapping[str, Callable[[Sizes], float]] = {
    "add_noise_to_joined": lambda run: sum(joined_splits(run.config)) * run.pixels / 1e6,
    "draw_again": lambda run: _scored(run) / 1e6,
    "explain_for_ablation": lambda run: run.explaining_seconds(joined_splits(run.config)[0]) * (_width(run) / run.width) ** 2,
    "train_ablation": lambda run: max(
        run.training_seconds(fit_of(variant)) for variant in run.config.ablation_variants().values()
    ),
    "apply_ablation": lambda run: runs(run) * _scored(run) / run.pixels * run.network_seconds(),
    "score_ablation": lambda run: runs(run) * _scored(run) * (SCORE / 1e6 + run.explaining_seconds(1) / run.pixels),
    "observe_ablation": lambda run: runs(run) * run.signals() / run.pixels * run.network_seconds(),
}
"""Seconds of those that take longer than minutes at the size of the paper."""
