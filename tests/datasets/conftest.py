"""Fixtures for the tests of data sets."""

from pathlib import Path

import pytest

from tests.helpers.dicom_files import write_lidc


@pytest.fixture
def lidc_root(tmp_path: Path) -> Path:
    """Folder with six patients of twelve slices."""
    return write_lidc(tmp_path / "lidc")
