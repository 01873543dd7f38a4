"""Whether the benchmark can run here, and what a run that stopped puts on the screen."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fplbench.doctor.registry import Line, Place


def consult(configfiles: Sequence[str | os.PathLike] = ()) -> "Iterator[Line]":
    """Check the installation and the machine, one line after the other.

    Args:
        configfiles: the files of a config in YAML, of which folders, packages and weights are checked too; none: these are not.

    Yields:
        A line for each check, when it is done.
    """
    # Imported here, and in this order, because the Snakefile needs `fplbench.doctor.screen` alone.
    from fplbench.doctor import installed, machine, programs, work  # noqa: F401
    from fplbench.doctor.registry import CHECKS, examine

    yield from examine(_place(configfiles), CHECKS)


def _place(configfiles: Sequence[str | os.PathLike]) -> "Place":
    """Where a run with a config would take place; what is wrong with the config is kept for its line."""
    from fplbench.config import read_yaml
    from fplbench.doctor.registry import Place
    from fplbench.errors import InputError

    if not configfiles:
        return Place()
    try:
        config = read_yaml(*configfiles)
    except InputError as error:
        return Place(problem=str(error))
    return Place(results=Path(config.results), config=config, configfiles=[*map(Path, configfiles)])
