"""The table of alignments: one row for each explanation."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fplbench.explaining.alignment import PLACES, RESIDUAL, Alignment
from fplbench.explaining.options import ExplanationOptions

NO_GRADIENT = "no gradient"
COLUMNS = {
    "explanation": f"name of the explanation; {RESIDUAL} is the residual loss itself, as a control",
    "network": "the explained network",
    "feature": "what is found in the images",
    "images": "number of images",
    "cosine": "between minus the gradient of L_FP at the denoised image and clean - denoised; mean over images",
    "cosine_sd": "its standard deviation over images",
    "gradient_ratio": "norm of the gradient of L_FP over that of L_res, both with weight 1, over all images together",
    **{
        f"loss_{100 * place:.0f}": f"L_FP after {100 * place:.0f} % of the line from denoised to clean, relative to its start"
        for place in PLACES
    },
    "seconds": "time for all images",
    "note": f'"{NO_GRADIENT}" where L_FP has none, so that nothing can be learned from it',
}
"""Columns of the table of alignments, with their meaning."""


def alignment_rows(found: Mapping[str, Alignment], explanations: Mapping[str, ExplanationOptions]) -> list[dict[str, Any]]:
    """The table of alignments, a mapping with the keys of `COLUMNS` for each; values that are not defined are ""."""
    rows = []
    for name, each in found.items():
        options = explanations.get(name)
        cosines = each.cosines[np.isfinite(each.cosines)]
        fall = each.losses[np.isfinite(each.losses).all(axis=1)]
        means = fall.mean(axis=0) if len(fall) else np.full(len(PLACES), np.nan)
        row: dict[str, Any] = {
            "explanation": name,
            "network": options.network if options and options.needs_network else "",
            "feature": options.feature if options else "image",
            "images": len(each.cosines),
            "cosine": cosines.mean() if len(cosines) else np.nan,
            "cosine_sd": cosines.std(ddof=1) if len(cosines) > 1 else np.nan,
            "gradient_ratio": each.ratio,
            **{f"loss_{100 * place:.0f}": mean for place, mean in zip(PLACES, means, strict=True)},
            "seconds": each.seconds,
            "note": "" if each.has_gradient else NO_GRADIENT,
        }
        rows.append({key: "" if isinstance(value, float) and np.isnan(value) else value for key, value in row.items()})
    return rows
