"""Choose the variants of an ablation that are trained, in halves: by where their loss points, then by one seed."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fplbench.errors import InputError, nearest
from fplbench.files import read_csv, write_text
from fplbench.reporting.ablation_lesions import lesion_means, read_lesion_rows
from fplbench.reporting.comparison import by_variant, difference
from fplbench.reporting.scores import read_cell

PathLike = str | os.PathLike[str]
REFERENCES = ("residual_same_seconds", "residual_same_steps")
"""What variants are screened against: the first of these that was trained."""
SCREENED = ("lesion_psnr", "psnr", "recovery_error")
TOLERANCE = 1e-9  # dB; a loss of 0.1 may be computed as slightly more

# By variant: the mean of each metric, by cell.
Screened = Mapping[str, Mapping[str, Mapping[str, float]]]


def write_aligned(
    out: PathLike, tables: Sequence[PathLike], variants: Mapping[str, str], controls: Sequence[str], least: float
) -> None:
    """Write the variants whose loss points at the clean image, {"variants": [...], "left_out": {name: mean cosine}}.

    Args:
        out: the .json file to write. The cosine of a loss without a gradient is null.
        tables: files of `fplbench align`, one for each data set and noise.
        variants: the name of the explanation of each variant; "" where features are not compared, so that it is kept.
        controls: variants that are kept whatever their cosine.
        least: the smallest mean cosine over the tables that is kept.

    Raises:
        InputError: a table is malformed, or a control is not among the variants.
    """
    for name in controls:
        if name not in variants:
            raise InputError(f"The control {name!r} is not among the variants: {nearest(name, variants)}")
    cosines = mean_cosines(tables)
    left_out = {}
    for variant, explanation in variants.items():
        cosine = cosines.get(explanation)
        if variant not in controls and explanation and (cosine is None or cosine < least):
            left_out[variant] = cosine
    _write(out, {"variants": [name for name in variants if name not in left_out], "left_out": left_out})


def mean_cosines(tables: Sequence[PathLike]) -> dict[str, float | None]:
    """The mean cosine of each explanation over tables of `fplbench align`; None where its loss has no gradient in any.

    Raises:
        InputError: a table is malformed.
    """
    found: dict[str, list[float]] = {}
    for path in tables:
        for row in read_csv(path, ("explanation", "cosine")):
            values = found.setdefault(row["explanation"], [])
            if row["cosine"]:
                values.append(_number(path, row))
    return {name: float(np.mean(values)) if values else None for name, values in found.items()}


def write_screened(
    out: PathLike,
    scores: Sequence[PathLike],
    lesion_scores: Sequence[PathLike],
    controls: Sequence[str],
    keep: int,
    largest_loss: float,
    forms: Sequence[str] | None = None,
) -> None:
    """Write the variants that gain most for lesions with one seed.

    They are ranked by the mean over data sets and noises of the gain in the PSNR of lesions, annotated and inserted ones
    together, less what they lose in the PSNR of images beyond `largest_loss`. Equal ones stay in the order of the tables.

    Args:
        out: the .json file to write: variants, the controls and those that are kept; ranking, with the mean gains of each
            variant, null where nothing was scored; reference, what they are gains over; methods and cells, what was trained and
            on what.
        scores: tables of `fplbench score`, named {dataset}/{noise}.csv, with methods named {variant}-{seed}.
        lesion_scores: those of lesions, of the same names.
        controls: variants that are kept without being ranked.
        keep: how many other variants are kept.
        largest_loss: in dB.
        forms: variants that can be kept; others are ranked for comparison. None: all can.

    Raises:
        InputError: a table is missing or malformed, tables have other methods or several seeds, no lesion was scored, a control
            is missing, or there is no training without L_FP.
    """
    methods, means = _read(scores, lesion_scores)
    for name in controls:
        if name not in means:
            raise InputError(f"The control {name!r} was not scored: {nearest(name, means)}")
    reference, ranking = _ranking(means, controls, largest_loss)
    kept = [row["variant"] for row in ranking if forms is None or row["variant"] in forms][:keep]
    cells = sorted(map(_cell, scores))
    chosen = {"variants": [*controls, *kept], "ranking": ranking, "reference": reference, "methods": methods, "cells": cells}
    _write(out, chosen)


def _ranking(means: Screened, controls: Sequence[str], largest_loss: float) -> tuple[str, list[dict[str, Any]]]:
    """What variants are compared with, and the mean gains of those that are no controls, the best first."""
    reference = next((name for name in REFERENCES if name in means), None)
    if reference is None:
        raise InputError(f"Variants are screened against {' or '.join(REFERENCES)}, and neither was scored.")
    ranking: list[dict[str, Any]] = [
        {"variant": name, **{f"{metric}_gain": _gain(own, means[reference], metric) for metric in SCREENED}}
        for name, own in means.items()
        if name not in controls
    ]
    ranking.sort(key=lambda row: -row["lesion_psnr_gain"] - min(0, row["psnr_gain"] + largest_loss + TOLERANCE))
    return reference, ranking


def _read(scores: Sequence[PathLike], lesion_scores: Sequence[PathLike]) -> tuple[list[str], Screened]:
    """The methods, and the means of each variant."""
    lesions = {_cell(path): path for path in lesion_scores}
    methods: list[str] = []
    means: dict[str, dict[str, dict[str, float]]] = {}
    for path in scores:
        cell = _cell(path)
        if cell not in lesions:
            raise InputError(f"There are no scores of lesions for {cell}: give --lesion-scores .../{cell}.csv.")
        psnr, rows = read_cell(path, Path(path).stem).values["psnr"], read_lesion_rows(lesions[cell])
        methods = methods or list(psnr)
        for other, scored in ((path, psnr), (lesions[cell], rows or psnr)):
            if set(scored) != set(methods):
                raise InputError(f"{other} and {scores[0]} have scores of different methods; score the variants again.")
        found = {"psnr": {method: float(values.mean()) for method, values in psnr.items()}, **lesion_means(lesions[cell], rows)}
        for metric, by_method in found.items():
            for variant, value in _single(by_method, path).items():
                means.setdefault(variant, {}).setdefault(metric, {})[cell] = value
    if not any("lesion_psnr" in own for own in means.values()):
        raise InputError("No lesion was scored, so that variants cannot be screened: set ablation.keep to null.")
    return methods, means


def _single(means: Mapping[str, float], path: PathLike) -> dict[str, float]:
    """The mean of each variant, of which there must be one training."""
    found = by_variant(means)
    for variant, seeds in found.items():
        if len(seeds) > 1:
            raise InputError(f"{path}: {variant!r} has the seeds {list(seeds)}, but variants are screened with one seed.")
    return {variant: next(iter(seeds.values())) for variant, seeds in found.items()}


def _gain(one: Mapping[str, Mapping[str, float]], other: Mapping[str, Mapping[str, float]], metric: str) -> float | None:
    """Mean gain over the cells with a score; None without any."""
    return float(difference(one[metric], other[metric], metric).mean()) if metric in one else None


def _cell(path: PathLike) -> str:
    return f"{Path(path).parent.name}/{Path(path).stem}"


def _number(path: PathLike, row: Mapping[str, str]) -> float:
    try:
        return float(row["cosine"])
    except ValueError:
        raise InputError(f"{path}: the cosine of {row['explanation']!r} is {row['cosine']!r}, which is not a number.") from None


def _write(path: PathLike, found: Mapping[str, Any]) -> None:
    write_text(path, json.dumps(found, indent=2) + "\n")
