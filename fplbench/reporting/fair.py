"""The table of the fair comparison: FPL, its controls, the learned methods of one budget, and the best filter of each noise."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from fplbench.config import Config
from fplbench.config.fits import fit_name, steps_of_seconds
from fplbench.denoising.columns import Budget
from fplbench.reporting.facts import Facts
from fplbench.reporting.fair_columns import BUDGETS, Kind, absent_note, columns_of, kinds, plain_labels
from fplbench.reporting.labels import Labels
from fplbench.reporting.lesion_scores import LesionScores
from fplbench.reporting.missing import expected
from fplbench.reporting.presentation import Presentation
from fplbench.reporting.scores import NoiseScores
from fplbench.reporting.sentences import sentences
from fplbench.reporting.tables import Table, build_table
from fplbench.reporting.validation import Means

BEST_FILTER = "best_filter"


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
        reference: the method whose lead over the others is computed; None is that of the config, or fpl where that is not a
            column here, as filters are not.
        facts: what the sampling says about the images.
        lesions: scores of annotated lesions by noise.
        inserted: scores of inserted lesions by noise.
        validation: means on validation images, by which the filter of each noise is chosen; without them it is chosen on the test
            images.
        config: the config of the run: what each column is, and the steps of the networks; without it, names tell.

    Raises:
        InputError: as for `build_table`, or no network with this budget was scored.
    """
    wanted = expected(config, dataset, fair=True)
    scored = {name for noise in scores.values() for metric in noise.values.values() for name in metric}
    found = kinds(scored.union(() if wanted is None else wanted.columns), config)
    labels = Labels({**shown.labels.own, BEST_FILTER: "Best filter"})
    columns = columns_of(found, budget, labels)
    labels = replace(labels, own={**labels.own, **plain_labels(columns, found, labels)})
    networks = {name: found[name] for name in columns if found[name].training}
    columns.append(BEST_FILTER)
    if reference is None and config is not None:
        reference = next((name for name in (config.reference, fit_name(config.reference, budget)) if name in columns), None)
    chosen, on_test = choose_filters(scores, validation or {}, [name for name, kind in found.items() if kind.is_filter])
    table = build_table(
        dataset, {noise: _with_filter(own, chosen.get(noise)) for noise, own in scores.items()}, shown.seed, labels,
        shown.note, reference, shown=shown.metrics, facts=facts, lesions=_lesions(lesions, chosen),
        inserted=_lesions(inserted, chosen), validation=_validation(validation or {}, chosen, columns),
        protocol=sentences(shown.protocol, _budget_sentence(budget, columns, labels, config)), columns=columns, wanted=wanted,
        partial=shown.partial,
    )  # fmt: skip
    details = [_filter_note(chosen, on_test, labels), _noisy_alone(networks, labels)]
    if config is not None:
        details += [_steps_note(networks, labels, config), absent_note(found, budget, labels, config)]
    title = f"{labels.dataset(dataset)}: the fair comparison, networks with {BUDGETS[budget]}"
    return replace(table, title=title, details=tuple(filter(None, details)))


def choose_filters(scores: Mapping[str, NoiseScores], validation: Means, names: Sequence[str]) -> tuple[dict[str, str], set[str]]:
    """The best filter of each noise, by PSNR on validation images, and the noises where it had to be chosen on test images.

    Args:
        scores: scores by noise and column.
        validation: means on validation images.
        names: the columns that are filters.
    """
    chosen, on_test = {}, set()
    for noise, found in scores.items():
        filters = [name for name in found.values["psnr"] if name in names]
        means = {name: mean for name, mean in validation.get(noise, {}).get("psnr", {}).items() if name in filters}
        if filters and not means:
            means = {name: float(found.values["psnr"][name].mean()) for name in filters}
            on_test.add(noise)
        if means:
            chosen[noise] = max(means, key=means.__getitem__)
    return chosen, on_test


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


def _noisy_alone(networks: Mapping[str, Kind], labels: Labels) -> str:
    """Which networks learn without clean images."""
    alone = [labels.method(name) for name, kind in networks.items() if kind.training and "clean" not in kind.training.inputs]
    return f"Trained on noisy images alone: {', '.join(alone)}." if alone else ""


def _steps_note(networks: Mapping[str, Kind], labels: Labels, config: Config) -> str:
    """The steps of the networks that have FPL's seconds."""
    steps = steps_of_seconds(config)
    trained = {name: kind.training.name for name, kind in networks.items() if kind.training and kind.budget == "seconds"}
    named = [f"{labels.method(name)} {steps[training]:,}" for name, training in trained.items() if training in steps]
    own = f"FPL itself {config.fpl.steps:,}"
    return f"Steps in FPL's seconds: {'; '.join([*named, own])}." if named else ""
