"""The folder of a data set: whether it is there, and how to get the data if it is not."""

import os
from pathlib import Path

from fplbench.datasets.registry import Dataset
from fplbench.errors import InputError

NOTICE = "DATA_LICENCE.md"  # `fplbench fetch` writes it to the data folder


def check_root(dataset: Dataset, root: str | os.PathLike) -> None:
    """Check that the data folder of a data set exists and is not empty.

    Args:
        dataset: the data set.
        root: the folder.

    Raises:
        InputError: there is no such folder, or it is empty. The message names the folder, the key of the config, and how
            to get the data.
    """
    root = Path(root)
    try:
        # An interrupted download leaves the licence alone.
        if root.is_dir() and any(item.name != NOTICE for item in root.iterdir()):
            return
        state = "is empty" if root.is_dir() else "is not a folder" if root.exists() else "does not exist"
    except OSError as error:
        state = f"cannot be opened ({error.strerror})"
    raise InputError(f"The folder {root} {state}: {how_to_get(dataset, root)}")


def how_to_get(dataset: Dataset, root: Path) -> str:
    """The end of an error message: which key names the folder, and how to get the data."""
    key = f"set datasets.{dataset.name}.root to the folder with {dataset.contents}"
    if root.parent.name == "sample":  # where config/demo.yaml and config/sample.yaml have one CT as three small data sets
        return f"download the sample with `fplbench fetch sample {root.parent}`, or {key}."
    if not dataset.page:
        return f"{key}."
    return f"{key}, or download them with `fplbench fetch {dataset.loader or dataset.name} {root}` ({dataset.page})."
