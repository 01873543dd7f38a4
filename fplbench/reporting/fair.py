"""The table of the fair comparison: FPL, its controls, the learned methods of one budget, and the best filter of each noise."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from fplbench.config import Config
from fplbench.config.fits import SAME_SECONDS, fit_name, steps_of_seconds
from fplbench.denoising.columns import Budget
from fplbench.errors import InputError
from fplbench.reporting.captions import Presentation
from fplbench.reporting.columns import is_filter, is_trained, method_of
from fplbench.reporting.facts import Facts
from fplbench.reporting.labels import Labels
from fplbench.reporting.lesion_scores import LesionScores
from fplbench.reporting.scores import NoiseScores
from fplbench.reporting.sentences import sentences
from fplbench.reporting.tables import Table, build_table
from fplbench.reporting.validation import Means

BEST_FILTER = "best_filter"
CONTROLS = ("noisy", "noisy_grey_map", "fpl", "residual_same_steps", "residual_same_seconds")
"""The first columns: the unprocessed image, FPL, and its network without its loss."""
BUDGETS: Mapping[Budget, str] = {"steps": "FPL's number of steps", "seconds": "FPL's seconds"}


def fair_table(
    dataset: str,
    scores: Mapping[str, NoiseScores],
    shown: Presentation,
    budget: Budget = "steps",
    *,
    reference: str | None = None,
    facts: Facts | None = None,
    lesions: Mapping[str, LesionScores] | None = None,
    inserted: Mapping[str, LesionScores] | None = None,
    validation: Means | None = None,
    config: Config | None = None,
) -> Table:
    """The table of a data set over the noises of the fair comparison.

    Args:
        dataset: name of the data set.
        scores: scores by noise and column, from `read_columns`.
        shown: labels, notes, metrics and seed.
        budget: whether the learned methods are those with FPL's steps or those with FPL's seconds.
        reference: the method whose lead over the others is computed; None is fpl.
        facts: what the sampling says about the images.
        lesions: scores of annotated lesions by noise.
        inserted: scores of inserted lesions by noise.
        validation: means on validation images, by which the filter of each noise is chosen; without them it is chosen on the test
            images.
        config: the config of the run, for the steps of the networks.

    Raises:
        InputError: as for `build_table`, or no learned method with this budget was scored.
    """
    names = {name for noise in scores.values() for metric in noise.values.values() for name in metric}
    labels = Labels({**shown.labels.own, BEST_FILTER: "Best filter"})
    columns = _columns(names, budget, labels)
    labels = replace(labels, own={**labels.own, **_plain_labels(columns, labels)})
    chosen, on_test = choose_filters(scores, validation or {})
    table = build_table(
        dataset, {noise: _with_filter(found, chosen.get(noise)) for noise, found in scores.items()}, shown.seed, labels,
        shown.note, reference, shown=shown.metrics, facts=facts, lesions=_lesions(lesions, chosen),
        inserted=_lesions(inserted, chosen), validation=_validation(validation or {}, chosen, columns),
        protocol=sentences(shown.protocol, _budget_sentence(budget, columns, labels, config)), columns=columns,
    )  # fmt: skip
    details = (_filter_note(chosen, on_test, table.labels), _noisy_alone(columns, labels), _steps_note(columns, labels, config))
    title = f"{labels.dataset(dataset)}: the fair comparison, networks with {BUDGETS[budget]}"
    return replace(table, title=title, details=tuple(filter(None, details)))


def choose_filters(scores: Mapping[str, NoiseScores], validation: Means) -> tuple[dict[str, str], set[str]]:
    """The best filter of each noise, by PSNR on validation images, and the noises where it had to be chosen on test images."""
    chosen, on_test = {}, set()
    for noise, found in scores.items():
        filters = [name for name in found.values["psnr"] if is_filter(name)]
        means = {name: mean for name, mean in validation.get(noise, {}).get("psnr", {}).items() if name in filters}
        if filters and not means:
            means = {name: float(found.values["psnr"][name].mean()) for name in filters}
            on_test.add(noise)
        if means:
            chosen[noise] = max(means, key=means.__getitem__)
    return chosen, on_test


def _columns(names: set[str], budget: Budget, labels: Labels) -> list[str]:
    """The columns in order: the controls, the learned methods of the budget and columns of a config's own, DPIR, the filter."""
    others = [name for name in names - {*CONTROLS, "dpir"} if not is_filter(name)]
    learned = [name for name in others if not is_trained(name) or name.endswith(SAME_SECONDS) == (budget == "seconds")]
    if not any(is_trained(name) for name in learned):
        raise InputError(
            f"There are no scores of networks with {BUDGETS[budget]}: run `snakemake fair`, or give another --budget."
        )
    return [*(name for name in CONTROLS if name in names), *labels.methods(learned), *({"dpir"} & names), BEST_FILTER]


def _plain_labels(columns: Iterable[str], labels: Labels) -> dict[str, str]:
    """Labels of the learned methods with FPL's seconds: those of the methods, as the caption has the budget."""
    peers = [name for name in columns if name.endswith(SAME_SECONDS) and name not in CONTROLS]
    return {name: labels.method(name.removesuffix(SAME_SECONDS)) for name in peers}


def _with_filter(scores: NoiseScores, chosen: str | None) -> NoiseScores:
    """The scores with a further column, which has those of the filter that was chosen."""
    if chosen is None:
        return scores
    values = {
        metric: {**found, **({BEST_FILTER: found[chosen]} if chosen in found else {})} for metric, found in scores.values.items()
    }
    return replace(scores, values=values)


def _lesions(scores: Mapping[str, LesionScores] | None, chosen: Mapping[str, str]) -> dict[str, LesionScores]:
    return {
        noise: replace(found, blocks={metric: _with_filter(block, chosen.get(noise)) for metric, block in found.blocks.items()})
        for noise, found in (scores or {}).items()
    }


def _validation(means: Means, chosen: Mapping[str, str], columns: Sequence[str]) -> Means:
    """The means of the columns of the table, that of the filter included."""
    return {
        noise: {
            metric: {
                name: found[source]
                for name in columns
                if (source := chosen.get(noise, "") if name == BEST_FILTER else name) in found
            }
            for metric, found in metrics.items()
        }
        for noise, metrics in means.items()
    }


def _budget_sentence(budget: Budget, columns: Sequence[str], labels: Labels, config: Config | None) -> str:
    other, instead = ("residual_same_seconds", "seconds") if budget == "steps" else ("residual_same_steps", "steps")
    if budget == "steps":
        steps = f" ({config.fpl.steps:,})" if config is not None else ""
        text = f"Each network that learns the noise has as many optimiser steps as FPL{steps}"
    else:
        speeds = f" at the speeds measured on {config.fair.device}" if config is not None and config.fair.device else ""
        text = f"Each network that learns the noise has as many seconds of training as FPL, turned into steps{speeds}"
    return f"{text}; {labels.method(other)!r} has as many {instead}" if other in columns else text


def _filter_note(chosen: Mapping[str, str], on_test: set[str], labels: Labels) -> str:
    """Which filter is the best of each noise."""

    def names(noises: Iterable[str]) -> str:
        return "; ".join(f"{labels.method(chosen[noise])} for {labels.noise_title(noise)}" for noise in noises)

    validated = [noise for noise in labels.noises(chosen) if noise not in on_test]
    return sentences(
        f"Best filter, by PSNR on validation images: {names(validated)}" if validated else "",
        f"Best filter, by PSNR on the test images themselves, which favours it: {names(labels.noises(on_test))}"
        if on_test
        else "",
    )


def _noisy_alone(columns: Iterable[str], labels: Labels) -> str:
    """Which networks learn without clean images."""
    from fplbench.training import TRAININGS

    trained = {name: method.weights for name in columns if (method := method_of(name)) and method.weights in TRAININGS}
    alone = [labels.method(name) for name, training in trained.items() if "clean" not in TRAININGS[training or ""].inputs]
    return f"Trained on noisy images alone: {', '.join(alone)}." if alone else ""


def _steps_note(columns: Iterable[str], labels: Labels, config: Config | None) -> str:
    """The steps of the networks that have FPL's seconds."""
    if config is None:
        return ""
    steps = {fit_name(training, "seconds"): number for training, number in steps_of_seconds(config).items()}
    named = [f"{labels.method(name)} {steps[name]:,}" for name in columns if name in steps]
    own = f"FPL itself {config.fpl.steps:,}"
    return f"Steps in FPL's seconds: {'; '.join([*named, own])}." if named else ""
