"""One damaged byte in a header, at every place: the file is unreadable, or its fields are what they must be."""

import math

import numpy as np
import pytest

from fplbench.datasets import DATASETS
from fplbench.datasets.lidc import LidcOptions
from fplbench.datasets.registry import Slice
from fplbench.datasets.scan import read_one, scan

VALUES = (0x00, 0x41, 0xFF, None)  # None: the lowest bit alone


@pytest.fixture(params=["lidc", "rsna", "lits"])
def original(request, tmp_path, ct_file, radiograph_file, volume_file):
    """A small file of each data set and the length of its header."""
    match request.param:
        case "lidc":
            path = ct_file(tmp_path / "a.dcm", hounsfield=np.zeros((8, 8), np.int16))
            return request.param, path, path.stat().st_size - 2 * 8 * 8
        case "rsna":
            path = radiograph_file(tmp_path / "stage_2_train_images/a.dcm", np.full((16, 16), 90, np.uint8))
            return request.param, path, path.read_bytes().index(b"\xe0\x7f\x10\x00")
        case _:
            return request.param, volume_file(tmp_path / "volume-1.nii", np.zeros((4, 4, 4))), 352


@pytest.mark.filterwarnings("ignore")
def test_one_byte_never_ends_the_run(original, tmp_path):
    name, path, header = original
    dataset, options = DATASETS[name], DATASETS[name].options(root=tmp_path)
    content, images = path.read_bytes(), 0
    for place in range(header):
        damaged = bytearray(content)
        value = VALUES[place % len(VALUES)]
        damaged[place] = damaged[place] ^ 1 if value is None else value
        path.write_bytes(damaged)
        try:
            state, fields = read_one((name, str(path), options))
        except Exception:  # the worker process catches it and names the file; what comes after must not fail
            continue
        if state == "image":
            slices, _ = dataset.arrange({path.name: fields}, options)
            assert all(plausible(one) for one in slices)
            images += 1
    assert images > header / 10


def plausible(one: Slice) -> bool:
    numbers = [one.position or 0.0, *(one.spacing or (1.0, 1.0))]
    return all(math.isfinite(number) for number in numbers) and min(one.spacing or (1.0,)) > 0


@pytest.mark.parametrize("spacing", ["0.7]0.6 ", "0.7\\nan ", "0.7\\-.6 ", "0.7\\0.0 ", "7       ", "0.7\\1e999"])
def test_a_damaged_spacing_counts_as_unknown(tmp_path, ct_file, spacing):
    path = ct_file(tmp_path / "a.dcm", PixelSpacing=[0.7, "0.61234"[: len(spacing) - 4]])
    content = path.read_bytes()
    place = content.index(b"\x28\x00\x30\x00DS") + 8
    text = spacing.encode().ljust(content[place - 2])
    path.write_bytes(content[:place] + text + content[place + len(text) :])
    found = scan(DATASETS["lidc"], LidcOptions(root=tmp_path), 1)
    (one,), _ = DATASETS["lidc"].arrange(found.headers, LidcOptions())
    assert one.spacing is None and one.patient == "P1"
