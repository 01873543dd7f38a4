"""Jobs of the configs of the repository, which Snakemake is asked for once."""

from functools import cache

import yaml

from fplbench.config import load_config
from fplbench.planning.jobs import planned
from tests.helpers.workflow import ROOT


@cache
def jobs_of(target, *names):
    """All jobs of a target with configs of the repository, such as "demo"."""
    paths = [ROOT / "config" / f"{name}.yaml" for name in names]
    return planned(read(*names), [target], paths, ROOT / "Snakefile")


def read(*names, **changes):
    """The config that some files of the repository make together, with some sections replaced."""
    files = [yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text()) for name in names]
    return load_config({key: value for file in [*files, changes] for key, value in file.items()})
