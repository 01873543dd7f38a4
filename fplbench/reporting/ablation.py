"""The ablation: variants of one method, each trained with several seeds, compared with a control on lesions and images."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from fplbench.files import write_csv, write_text
from fplbench.reporting.ablation_choices import read_choices
from fplbench.reporting.ablation_figure import figure
from fplbench.reporting.ablation_roles import Roles
from fplbench.reporting.ablation_scores import read_stage
from fplbench.reporting.ablation_text import page
from fplbench.reporting.comparison import Compared, compare
from fplbench.reporting.facts import read_all_facts
from fplbench.reporting.labels import Labels
from fplbench.reporting.panels import save

STAGES = ("validation", "test")
WRITTEN = ("dataset", "noise", "metric", "variant", "mean", "gain", "low", "high", "p")


def csv_rows(stages: Mapping[str, Sequence[Compared]]) -> Iterator[dict[str, str | int | float]]:
    """One row for each stage, data set, noise, metric and variant, unrounded.

    Columns: the mean, the gain over the control with its interval and adjusted p; the number of seeds, and the score of each.
    What there is not is empty.
    """
    numbers = sorted({seed for rows in stages.values() for row in rows for seed in row.seeds})
    for stage, rows in stages.items():
        for row in rows:
            values = {name: getattr(row, name) for name in WRITTEN}
            yield {
                "stage": stage,
                **{name: "" if value is None else value for name, value in values.items()},
                "seeds": len(row.seeds),
                **{f"seed_{number}": row.seeds.get(number, "") for number in numbers},
            }


def write_ablation(
    folder: str | os.PathLike[str],
    control: str,
    roles: Roles,
    labels: Labels | None = None,
    data: str | os.PathLike[str] | None = None,
) -> None:
    """Write ablation.csv, ablation.md and ablation_{dataset}.png into the folder of an ablation.

    Args:
        folder: with validation and test, see `read_stage`, of methods named {variant}-{seed}; and, where they exist,
            alignment/{dataset}/{noise}.csv, aligned.json and screened.json.
        control: the variant that the others are compared with.
        roles: what the variants are.
        labels: labels of data sets and noises.
        data: folder with {dataset}/sampling.json, which says whether persons are known; None assumes that they are.

    Raises:
        InputError: as for `read_stage`, `compare` and `read_choices`.
    """
    labels = labels or Labels()
    folder = Path(folder)
    scores = {stage: read_stage(folder / stage) for stage in STAGES}
    stages = {stage: compare(found.cells, control) for stage, found in scores.items()}
    rows, test = stages["test"], scores["test"]
    facts = read_all_facts(data, test.images)
    write_csv(folder / "ablation.csv", csv_rows(stages))
    write_text(folder / "ablation.md", page(rows, test, control, roles, read_choices(folder, test), labels, facts))
    for dataset in test.images:
        save(figure([row for row in rows if row.dataset == dataset], roles, control, labels), folder / f"ablation_{dataset}.png")
