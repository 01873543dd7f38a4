"""The noisy stacks of a run against the column of noisy images, whose stacks hold the same images."""

import numpy as np

from fplbench.errors import InputError
from fplbench.scoring.comparison import INSERTED, VALIDATION
from fplbench.stacks import open_stack
from fplbench.verification.checks import Check, counted
from fplbench.verification.results import Results

COLUMN = "noisy"
SPLITS = {"": "test", VALIDATION: "validation", INSERTED: "inserted_test"}
"""Which images a stack holds, by the ending of its name."""


def check_noisy(results: Results) -> Check:
    """Compare the noisy stacks with those that were scored as the method `noisy`, if it is a column of the run."""
    faults = []
    pairs = _pairs(results)
    for noisy, scored in pairs:
        try:
            if not _same(results, noisy, scored):
                faults.append(f"{noisy} holds other images than {scored}")
        except InputError as error:
            faults.append(str(error).removesuffix("."))
    found = f"{counted(len(pairs), 'stack')} of noisy images and those that were scored"
    return Check("noisy", found, faults, nothing=not pairs)


def _pairs(results: Results) -> list[tuple[str, str]]:
    """Each noisy stack, and the scored one of the same images."""
    column = results.config.columns.get(COLUMN)
    if column is None or column.grey_map:
        return []
    pairs = [
        (f"noisy/{dataset}/{noise}/{split}.npy", f"denoised/{dataset}/{noise}/{COLUMN}{ending}.npy")
        for dataset, noise in results.cells
        for ending, split in SPLITS.items()
    ]
    return [(noisy, scored) for noisy, scored in pairs if scored in results.files]


def _same(results: Results, noisy: str, scored: str) -> bool:
    """Whether the images are the same; their files may differ, as other programs write other headers."""
    one, other = (results.files.get(name, {}).get("sha256") for name in (noisy, scored))
    if one == other:
        return True
    if not (results.folder / scored).exists():
        return bool(results.config.custom_rules)  # not kept, and written by a program that is not known
    return np.array_equal(open_stack(results.folder / noisy), open_stack(results.folder / scored))
