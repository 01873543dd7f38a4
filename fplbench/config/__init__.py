"""The config of a run: its keys, their checks, and its description."""

from fplbench.config.loading import load_config, read_config, read_yaml
from fplbench.config.models import Config

__all__ = ["Config", "load_config", "read_config", "read_yaml"]
