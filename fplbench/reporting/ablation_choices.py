"""How the variants of an ablation were chosen: by alignment, then by screening; and how many trainings that took."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fplbench.errors import InputError
from fplbench.explaining.alignment import RESIDUAL
from fplbench.reporting.ablation_roles import Roles
from fplbench.reporting.ablation_scores import StageScores
from fplbench.reporting.ablation_words import signed
from fplbench.reporting.labels import Labels
from fplbench.reporting.markdown import aligned
from fplbench.reporting.screening import mean_cosines
from fplbench.reporting.sentences import sentences

PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class Choices:
    """How variants were chosen.

    Attributes:
        trainings: how many trainings there were, in a sentence.
        screened: what `write_screened` wrote; empty without screening.
        left_out: the mean cosine of each variant that was left out for it; None where its loss has no gradient.
        tables: files of `fplbench align`, in order.
    """

    trainings: str = ""
    screened: Mapping[str, Any] = field(default_factory=dict)
    left_out: Mapping[str, float | None] = field(default_factory=dict)
    tables: Sequence[Path] = ()


def read_choices(folder: PathLike, test: StageScores) -> Choices:
    """Read screened.json, aligned.json and alignment/{dataset}/{noise}.csv of a folder, where they exist.

    Raises:
        InputError: a file is not what the ablation writes.
    """
    folder = Path(folder)
    screened, chosen = _read(folder / "screened.json", "ranking", "methods", "cells"), _read(folder / "aligned.json", "left_out")
    tables = sorted(folder.glob("alignment/*/*.csv"))
    return Choices(_trainings(test, screened), screened, chosen.get("left_out", {}), tables)


def screening_section(choices: Choices) -> Iterator[str]:
    """The ranking of the variants that were screened; nothing without screening."""
    if not choices.screened:
        return
    found = choices.screened
    yield "## Screening"
    yield sentences(
        f"Trained with one seed and scored on validation images; mean gains over `{found.get('reference', '')}` on "
        f"{', '.join(found['cells'])}",
        "Ranked by lesion PSNR, annotated and inserted lesions together, less the loss of PSNR beyond "
        "`ablation.largest_loss`. The controls are kept without a rank",
    )
    rows = [["Rank", "Variant", "Lesion PSNR, dB", "|1 − recovery|", "PSNR, dB", "Kept"]]
    for rank, row in enumerate(found["ranking"], start=1):
        gains = [_gain(row, metric) for metric in ("lesion_psnr", "recovery_error", "psnr")]
        rows.append([str(rank), row["variant"], *gains, "yes" if row["variant"] in found["variants"] else ""])
    yield aligned(rows, 2)


def alignment_section(choices: Choices, roles: Roles, labels: Labels) -> Iterator[str]:
    """The cosine of every explanation on every data set and noise; nothing without alignment."""
    if not choices.tables:
        return
    yield "## Alignment"
    yield sentences(
        "Cosine between the descent direction of each loss and clean − denoised, at the output of a denoiser trained without it: "
        f"1 is the direction of the residual loss (`{RESIDUAL}`), and near 0 the loss teaches nothing about the error",
        *_left_out(choices, roles),
    )
    cosines = [mean_cosines([path]) for path in choices.tables]
    means = mean_cosines(choices.tables)
    names = [f"{labels.dataset(path.parent.name)}, {labels.noise(path.stem)}" for path in choices.tables]
    rows = [["Explanation", *names, "Mean", "Variants"]]
    for name, mean in sorted(means.items(), key=lambda item: -2 if item[1] is None else item[1], reverse=True):
        users = [variant for variant, explanation in roles.explanations.items() if explanation == name]
        rows.append([name, *(_cosine(table.get(name)) for table in cosines), _cosine(mean), ", ".join(users)])
    yield aligned(rows, 1)


def _left_out(choices: Choices, roles: Roles) -> Iterator[str]:
    flat = [f"`{name}`" for name, cosine in choices.left_out.items() if cosine is None]
    weak = [f"`{name}` ({_cosine(cosine)})" for name, cosine in choices.left_out.items() if cosine is not None]
    if weak:
        yield f"Not trained, for their mean cosine: {', '.join(weak)}"
    if flat:
        yield f"Not trained, since their loss has no gradient, so that training equals `residual_same_steps`: {', '.join(flat)}"


def _cosine(value: float | None) -> str:
    return "no gradient" if value is None else f"{round(value, 3) + 0.0:.3f}"


def _gain(row: Mapping[str, Any], metric: str) -> str:
    value = row[f"{metric}_gain"]
    return "–" if value is None else signed(value, metric)


def _trainings(test: StageScores, screened: Mapping[str, Any]) -> str:
    """How many denoisers were trained, those that were screened included."""
    final = {(*cell, method) for cell, means in test.cells.items() for method in means["psnr"]}
    early = {(*cell.split("/"), method) for cell in screened.get("cells", ()) for method in screened["methods"]}
    text = f"{len(final | early)} trainings of denoisers in all"
    return f"{text}, {len(early - final)} of them for the screening alone." if early else f"{text}."


def _read(path: Path, *keys: str) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is not a JSON file: {error}.") from None
    if not isinstance(found, dict) or any(key not in found for key in keys):
        raise InputError(f"{path} does not hold {', '.join(keys)}: run `snakemake ablation` again.")
    return found
