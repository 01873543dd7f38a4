from functools import partial

import pytest

from fplbench.files import write_csv
from tests.helpers.scores import write_long_table

COLUMNS = (
    "method", "image_id", "lesion", "lesion_id", "patient", "kind", "shape", "inserted", "pixels", "rmse", "psnr", "ssim",
    "contrast_recovery", "recovery_error", "cnr", "bias",
)  # fmt: skip


@pytest.fixture
def write_scores(tmp_path):
    """Function that writes a long table, see `write_long_table`."""
    return partial(write_long_table, tmp_path / "scores.csv")


def lesion_row(method, lesion_id, image_id, patient, recovery, inserted=0):
    """A row of the scores of lesions, a mask of 20 pixels; all scores but those of the contrast are constant."""
    error = abs(1 - recovery) if isinstance(recovery, float | int) else 0
    values = (method, image_id, 1, lesion_id, patient, "nodule", "mask", inserted, 20, 50, 25, 0.5, recovery, error, 2, -10)
    return dict(zip(COLUMNS, values, strict=True))


def write_lesion_scores(path, rows):
    """Write the scores of lesions on one noise."""
    write_csv(path, rows, COLUMNS)
