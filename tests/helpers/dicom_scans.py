"""Running DICOM scans through a stand-in for a model, as `fplbench apply` does."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fplbench.applying.dicom.scan import DicomScan, find_dicom_scans
from fplbench.applying.scan import Found, ReadingOptions, Stamp
from fplbench.datasets import reader
from fplbench.datasets.files import walk

STAMP = Stamp("FPL, Gaussian", "ab" * 32, "Denoised with FPL, Gaussian. Not for clinical use.")


@pytest.fixture
def in_process(monkeypatch):
    """Read in this process, which takes less time than to start others."""
    from pydicom import config

    def run(function: Any, tasks: Any, *_: Any, **__: Any) -> Iterator[tuple[int, Any]]:
        yield from ((number, reader._answer(function, task)) for number, task in enumerate(tasks))

    monkeypatch.setattr("fplbench.applying.dicom.scan.run_guarded", run)
    monkeypatch.setattr("fplbench.applying.dicom.reading.run_guarded", run)
    monkeypatch.setattr(config.settings, "reading_validation_mode", config.settings.reading_validation_mode)


def find(root: Path, **options: Any) -> Found:
    """The scans below a folder."""
    return find_dicom_scans(root, [file.path for file in walk(root)], ReadingOptions(**options))


def find_one(root: Path, **options: Any) -> DicomScan:
    """The only scan below a folder."""
    found = find(root, **options)
    assert (len(found.scans), found.problems) == (1, {})
    return found.scans[0]


def mean(values: np.ndarray) -> np.ndarray:
    """Mean over 3x3 pixels, a stand-in for a model."""
    import cv2

    return cv2.blur(values, (3, 3))


def apply(scan: DicomScan, folder: Path, model: Any = mean, stamp: Stamp = STAMP) -> dict[str, list[np.ndarray]]:
    """Denoise a scan into `folder`/denoised and `folder`/residual, and return the values that were written."""
    writers = {kind: scan.writer(kind, folder / kind, stamp) for kind in ("denoised", "residual")}
    written: dict[str, list[np.ndarray]] = {kind: [] for kind in writers}
    for plane in scan.planes(range(scan.facts.slices)):
        after = model(plane.values)
        if plane.valid is not None:
            after = np.where(plane.valid, after, plane.values)
        written["denoised"].append(writers["denoised"].write(plane.number, after))
        written["residual"].append(writers["residual"].write(plane.number, written["denoised"][-1] - plane.values))
    for writer in writers.values():
        writer.finish()
    return written


def only_file(folder: Path) -> Path:
    """The only file below a folder."""
    (path,) = (path for path in folder.rglob("*") if path.is_file())
    return path
