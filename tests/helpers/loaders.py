"""Data sets that differ from a registered one, for the time of a test."""

import dataclasses
from typing import Any

import pytest

from fplbench.datasets import LOADERS


def change_loader(monkeypatch: pytest.MonkeyPatch, name: str, **changes: Any) -> None:
    """Let the data set of a loader have other attributes."""
    monkeypatch.setitem(LOADERS._entries, name, dataclasses.replace(LOADERS[name], **changes))
