import csv

import pytest

COLUMNS = ("dataset", "noise", "method", "image_id", "patient", "psnr", "psnr_uint8", "ssim")


@pytest.fixture
def write_scores(tmp_path):
    """Write a long table from psnr values by (dataset, noise, method); ssim is psnr / 100, wrapped psnr is 30."""

    def write(cells, patients=None, name="scores.csv"):
        path = tmp_path / name
        with open(path, "w", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(COLUMNS)
            for names, values in cells.items():
                for i, value in enumerate(values):
                    patient = patients[i] if patients else f"p{i}"
                    writer.writerow([*names, f"i{i}", patient, value, 30, min(float(value) / 100, 1)])
        return path

    return write
