"""The record beside a noisy stack, which tells how it was made."""

import json
import os
from pathlib import Path
from typing import Any

from pydantic import Field

from fplbench.errors import InputError
from fplbench.files import write_text
from fplbench.options import Options
from fplbench.registry import parse_options


class Record(Options):
    """How a noisy stack was made from its clean one."""

    noise: str = Field(description="Name of the noise.")
    options: dict[str, Any] = Field(description="All options of the noise, with a grey window from the index.")
    seed: int = Field(description="Seed of the run.")
    axes: str = Field(description='What the random numbers depend on besides seed, noise and image, such as "lidc/train".')


def record_path(noisy: str | os.PathLike[str]) -> Path:
    """The file of the record of a noisy stack: its name with the ending .json."""
    return Path(noisy).with_suffix(".json")


def write_record(noisy: str | os.PathLike[str], record: Record) -> None:
    """Write the record of a noisy stack beside it."""
    write_text(record_path(noisy), json.dumps(record.model_dump(mode="json"), indent=2) + "\n")


def read_record(noisy: str | os.PathLike[str]) -> Record | None:
    """How a noisy stack was made.

    Args:
        noisy: the .npy file of the noisy stack.

    Returns:
        The record, or None if the stack has none: it was not made by `fplbench noise`, or before that wrote records.

    Raises:
        InputError: there is a file with the name of the record, but it is not one.
    """
    file = record_path(noisy)
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise InputError(f"{file} is not a readable record of a noise ({error}); make the noisy stack again.") from None
    return parse_options(Record, values, str(file))
