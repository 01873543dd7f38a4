"""The page of the ablation: the verdict, a table for each data set and noise, and how the variants were chosen."""

from collections.abc import Iterator, Mapping, Sequence

from fplbench.reporting.ablation_choices import Choices, alignment_section, screening_section
from fplbench.reporting.ablation_roles import Roles
from fplbench.reporting.ablation_scores import StageScores
from fplbench.reporting.ablation_verdict import verdict
from fplbench.reporting.ablation_words import MARK, digits, number
from fplbench.reporting.comparison import COMPARED, Compared
from fplbench.reporting.facts import Facts
from fplbench.reporting.labels import Labels
from fplbench.reporting.lesion_scores import INSERTED
from fplbench.reporting.markdown import aligned, plain
from fplbench.reporting.sentences import sentences
from fplbench.reporting.statistics import MINIMUM_SEEDS

COLUMNS = (
    "psnr", "lesion_psnr", "contrast_recovery", f"{INSERTED}lesion_psnr", f"{INSERTED}contrast_recovery", "dprime",
    "gradient_error", "feature_error",
)  # fmt: skip
"""Metrics of the tables; what a contrast recovery gains is that of |1 - recovery|."""


def page(
    rows: Sequence[Compared], test: StageScores, control: str, roles: Roles, choices: Choices, labels: Labels,
    facts: Mapping[str, Facts],
) -> str:  # fmt: skip
    """The page as Markdown.

    Args:
        rows: comparisons on test images.
        test: the scores that they were made from.
        control: the variant that the others are compared with.
        roles: what the variants are.
        choices: how the variants were chosen, and how many trainings there were.
        labels: labels of data sets and noises.
        facts: facts of the data sets.
    """
    parts = [
        "# What the feature preserving loss buys",
        _paragraphs(verdict(rows, roles, control, labels)),
        plain(f"{_whose(test, labels, facts)} {_intervals(rows, control)}"),
        choices.trainings,
        "## Test images",
        _legend(rows),
        *_tables(rows, control, labels),
        *screening_section(choices),
        *alignment_section(choices, roles, labels),
    ]
    return "\n\n".join(parts) + "\n"


def _paragraphs(parts: Sequence[str]) -> str:
    """Paragraphs, with the items of a list in lines below each other."""
    text = ""
    for before, part in zip(("", *parts), parts, strict=False):
        text += ("" if not text else "\n" if part.startswith("- ") and before.startswith("- ") else "\n\n") + plain(part)
    return text


def _whose(test: StageScores, labels: Labels, facts: Mapping[str, Facts]) -> str:
    """How many images the scores are means over, and of how many patients."""
    images = []
    for dataset, number_of_images in test.images.items():
        metrics = {metric for (name, _), means in test.cells.items() if name == dataset for metric in means}
        copies = " and copies with inserted lesions" if any(name.startswith(INSERTED) for name in metrics) else ""
        draws = f" (each in {test.draws[dataset]} draws of the noise)" if test.draws[dataset] > 1 else ""
        whose = facts.get(dataset, Facts()).whose(test.patients[dataset])
        images.append(f"{labels.dataset(dataset)}: {number_of_images} images{copies}{draws}{whose}")
    return sentences("; ".join(images))


def _intervals(rows: Sequence[Compared], control: str) -> str:
    """What gains and intervals are over."""
    seeds = max(len(row.seeds) for row in rows)
    paired = f"Gains are mean differences from `{control}` over trainings with the same seed"
    if seeds < MINIMUM_SEEDS:
        return f"{paired}, {seeds} in number; intervals take at least {MINIMUM_SEEDS}."
    return (
        f"{paired}. The intervals in square brackets (95 %, Student's) are over {seeds} training seeds alone, on the same "
        "images, and say nothing about other patients."
    )


def _legend(rows: Sequence[Compared]) -> str:
    metrics = {row.metric for row in rows}
    return sentences(
        "The mean of each variant, and in parentheses by how much it is better than the control: positive is better, for errors "
        "too",
        "Contrast recovery is best at 1; behind it stands by how much |1 − recovery|, the mean over lesions, is smaller",
        "d' is the mean over the kinds of signals of the observer" if "dprime" in metrics else "",
        "Feature error is judged by a restoration network of another seed than those that were trained with"
        if "feature_error" in metrics
        else "",
        f"{MARK}: p below 0.05, adjusted for the variants and noises of the data set and metric (Holm)"
        if any(row.p is not None for row in rows)
        else "",
    )


def _tables(rows: Sequence[Compared], control: str, labels: Labels) -> Iterator[str]:
    """A heading and a table for each data set and noise."""
    cells = {(row.dataset, row.noise, row.variant, row.metric): row for row in rows}
    for dataset in dict.fromkeys(row.dataset for row in rows):
        for noise in labels.noises({row.noise for row in rows if row.dataset == dataset}):
            own = [row for row in rows if (row.dataset, row.noise) == (dataset, noise)]
            shown = [metric for metric in COLUMNS if any(row.metric == metric for row in own)]
            yield plain(f"### {labels.dataset(dataset)}, {labels.noise_title(noise)}")
            body = []
            for variant in dict.fromkeys(row.variant for row in own):
                found = {metric: cells[dataset, noise, variant, metric] for metric in {row.metric for row in own}}
                body.append([variant, *(_cell(found, metric, control) for metric in shown)])
            yield aligned([["Variant", *(_heading(metric, shown) for metric in shown)], *body], 1)


def _heading(metric: str, shown: Sequence[str]) -> str:
    """Heading of a column, which says which lesions it is of where both kinds have one."""
    entry = COMPARED[metric]
    both = f"{INSERTED}{metric}" in shown
    return f"{entry.label}{' (annotated)' if both else ''}{f', {entry.unit}' if entry.unit else ''}"


def _cell(found: Mapping[str, Compared], metric: str, control: str) -> str:
    row = found[metric]
    if row.variant == control:
        return f"{row.mean:.{digits(metric)}f}"
    error = found.get(metric.replace("contrast_recovery", "recovery_error"), row)
    return number(row) if error is row else f"{row.mean:.{digits(metric)}f} ({number(error, signs=True)})"
