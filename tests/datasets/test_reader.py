"""Damaged and hostile files: each one is reported, and none has any other effect."""

import gzip
import logging
import math
import shutil
import struct

import numpy as np
import pytest

from fplbench.datasets import LOADERS, SamplingOptions, sample_dataset
from fplbench.datasets.loaders.lidc import LidcOptions
from fplbench.datasets.loaders.lits import LitsOptions
from fplbench.datasets.loaders.rsna import RsnaOptions
from fplbench.datasets.registry import Slice
from fplbench.datasets.scan import read_one, scan
from fplbench.datasets.workers import MEMORY
from fplbench.errors import InputError
from tests.helpers.damage import check, mutate
from tests.helpers.dicom_files import write_ct, write_radiograph
from tests.helpers.memory import peak_memory
from tests.helpers.nifti_files import write_volume

MUTANTS = 150  # of each format
VALUES = (0x00, 0x41, 0xFF, None)  # None: the lowest bit alone


def deep_sequences(depth: int) -> bytes:
    """A private sequence of undefined length within a sequence, and so on, in explicit little endian."""
    item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    return (b"\x09\x00\x10\x10SQ\x00\x00\xff\xff\xff\xff" + item) * depth


@pytest.mark.slow
def test_mutated_dicom_files(tmp_path, caplog):
    random, root = np.random.default_rng(1), tmp_path / "in"
    pixels = random.integers(-1024, 2000, (32, 32)).astype(np.int16)
    mutants = []
    for number in range(MUTANTS):
        good = write_ct(
            root / f"good/{number}.dcm", patient=f"P{number % 9}", series=f"1.{number % 9}", z=number, hounsfield=pixels
        )
        mutants.append(root / f"bad-{number}.dcm")
        mutants[-1].write_bytes(mutate(good.read_bytes(), random, good.stat().st_size - pixels.nbytes))
    sampling = SamplingOptions(train=60, validation=12, test=12, size=16)
    found = check("lidc", LidcOptions(root=root, max_unreadable=1), mutants, caplog, tmp_path, sampling)
    assert {f"good/{number}.dcm" for number in range(MUTANTS)} <= found.headers.keys()
    assert len(found.unreadable) > MUTANTS / 4
    assert (tmp_path / "out" / "train.npy").exists()


@pytest.mark.slow
def test_mutated_jpeg_files(tmp_path, caplog):
    random, root = np.random.default_rng(3), tmp_path / "in"
    y, x = np.mgrid[:32, :32]
    mutants = []
    for number in range(MUTANTS):
        good = write_radiograph(root / f"stage_2_train_images/{number}.dcm", ((x * y + number) % 256).astype(np.uint8))
        content = good.read_bytes()
        # Half of them in the header, the others anywhere, which is mostly in the compressed pixels.
        header = content.index(b"\xe0\x7f\x10\x00") if number % 2 else len(content)
        mutants.append(root / f"stage_2_train_images/bad-{number}.dcm")
        mutants[-1].write_bytes(mutate(content, random, header))
    for side in (9000, 60000):  # the JPEG claims another size than the header
        place = content.index(b"\xff\xc0") + 5
        mutants.append(root / f"stage_2_train_images/claim-{side}.dcm")
        mutants[-1].write_bytes(content[:place] + struct.pack(">HH", side, side) + content[place + 4 :])
    sampling = SamplingOptions(train=90, validation=9, test=9, size=16)
    check("rsna", RsnaOptions(root=root, max_unreadable=1), mutants, caplog, tmp_path, sampling)
    assert (tmp_path / "out" / "train.npy").exists()


@pytest.mark.slow
def test_mutated_nifti_files(tmp_path, caplog):
    random, root = np.random.default_rng(2), tmp_path / "in"
    volume = random.integers(-1024, 2000, (24, 24, 6))
    mutants = []
    for number in range(MUTANTS):
        suffix = ".nii.gz" if number % 3 == 0 else ".nii"
        good = write_volume(tmp_path / f"good{suffix}", volume)
        mutants.append(root / f"volume-{number}{suffix}")
        mutants[-1].parent.mkdir(exist_ok=True)
        mutants[-1].write_bytes(mutate(good.read_bytes(), random, 352))
    for number in range(200, 209):
        write_volume(root / f"volume-{number}.nii", volume)
    sampling = SamplingOptions(train=60, validation=12, test=12, size=16)
    check("lits", LitsOptions(root=root, max_unreadable=1), mutants, caplog, tmp_path, sampling)


def test_deep_sequences_and_endless_lengths(tmp_path, caplog):
    root = tmp_path / "in"
    content = write_ct(root / "good.dcm").read_bytes()
    place = content.index(b"\x10\x00\x20\x00LO")  # before the patient's identifier
    for depth in (3, 900, 100_000):
        (root / f"deep-{depth}.dcm").write_bytes(content[:place] + deep_sequences(depth) + content[place:])
    endless = b"\x09\x00\x10\x10OB\x00\x00" + struct.pack("<I", 0xFFFFFFFE)
    (root / "endless.dcm").write_bytes(content[:place] + endless + content[place:])
    mutants = sorted(set(root.iterdir()) - {root / "good.dcm"})
    sampling = SamplingOptions(train=1, validation=1, test=1, size=16)
    found = check("lidc", LidcOptions(root=root, max_unreadable=1), mutants, caplog, tmp_path, sampling)
    assert "good.dcm" in found.headers


@pytest.mark.parametrize("shape", [(32767, 32767, 1), (1, 1, 32767), (16384, 16384, 8), (-5, 4, 4), (0, 4, 4)])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_volumes_that_claim_an_implausible_size(tmp_path, caplog, shape, suffix):
    root = tmp_path / "in"
    content = bytearray(write_volume(root / "volume-1.nii", np.zeros((8, 8, 8))).read_bytes())
    content[42:48] = struct.pack("<3h", *shape)
    (root / "volume-1.nii").unlink()
    path = root / f"volume-2{suffix}"
    path.write_bytes(gzip.compress(bytes(content)) if suffix == ".nii.gz" else bytes(content))
    sampling = SamplingOptions(train=1, validation=1, test=1, size=16, split="random_slice")
    with caplog.at_level(logging.INFO), pytest.raises(InputError):
        sample_dataset("lits", LitsOptions(root=root, max_unreadable=1), sampling, 1, tmp_path / "out", 1)
    assert f": volume-2{suffix}: " in caplog.text


@pytest.mark.slow
def test_large_images_share_the_memory(tmp_path):
    """Eight of the largest images are read at the same time; each needs more than an eighth of the memory.

    Without shares they would take 1.6 GB. The limit allows for the libraries of nine processes in addition to MEMORY.
    """
    y, x = np.mgrid[:4096, :4096]
    first = write_radiograph(tmp_path / "in/stage_2_train_images/0.dcm", ((x // 16 + y // 16) % 256).astype(np.uint8), quality=50)
    for number in range(1, 10):
        shutil.copy(first, first.with_name(f"{number}.dcm"))
    sampling = SamplingOptions(train=8, validation=1, test=1, size=16)
    with peak_memory() as peak:
        sample_dataset("rsna", RsnaOptions(root=tmp_path / "in"), sampling, 1, tmp_path / "out", 8)
    assert 100 < peak() < MEMORY / 1e6 + 240


@pytest.mark.slow
def test_a_compression_bomb_is_read_plane_by_plane(tmp_path, caplog):
    """A volume of 400 MB of air is read to its end without being held in memory, and found to be near-empty."""
    root = tmp_path / "in"
    header = bytearray(write_volume(tmp_path / "small.nii", np.zeros((8, 8, 8))).read_bytes()[:352])
    header[42:48] = struct.pack("<3h", 2048, 2048, 48)
    root.mkdir()
    with gzip.open(root / "volume-0.nii.gz", "wb", compresslevel=1) as file:
        file.write(bytes(header))
        for _ in range(48):
            file.write(b"\0\xfc" * 2048**2)  # -1024 HU
    options = LitsOptions(root=root, max_unreadable=1, seconds_per_file=60)
    sampling = SamplingOptions(train=30, validation=5, test=5, size=16, split="random_slice")
    with caplog.at_level(logging.INFO), pytest.raises(InputError, match=r"30 are near-empty .* 0 files are unreadable"):
        sample_dataset("lits", options, sampling, 1, tmp_path / "out", 1)


@pytest.fixture(params=["lidc", "rsna", "lits"])
def original(request, tmp_path):
    """A small file of each data set and the length of its header."""
    match request.param:
        case "lidc":
            path = write_ct(tmp_path / "a.dcm", hounsfield=np.zeros((8, 8), np.int16))
            return request.param, path, path.stat().st_size - 2 * 8 * 8
        case "rsna":
            path = write_radiograph(tmp_path / "stage_2_train_images/a.dcm", np.full((16, 16), 90, np.uint8))
            return request.param, path, path.read_bytes().index(b"\xe0\x7f\x10\x00")
        case _:
            return request.param, write_volume(tmp_path / "volume-1.nii", np.zeros((4, 4, 4))), 352


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_one_byte_never_ends_the_run(original, tmp_path):
    name, path, header = original
    dataset, options = LOADERS[name], LOADERS[name].options(root=tmp_path)
    content, images = path.read_bytes(), 0
    for place in range(header):
        damaged = bytearray(content)
        value = VALUES[place % len(VALUES)]
        damaged[place] = damaged[place] ^ 1 if value is None else value
        path.write_bytes(damaged)
        try:
            state, fields = read_one((name, str(path), options))
        except Exception:  # the worker process catches it and reports the file; the code after it must not fail
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
def test_a_damaged_spacing_counts_as_unknown(tmp_path, spacing):
    path = write_ct(tmp_path / "a.dcm", PixelSpacing=[0.7, "0.61234"[: len(spacing) - 4]])
    content = path.read_bytes()
    place = content.index(b"\x28\x00\x30\x00DS") + 8
    text = spacing.encode().ljust(content[place - 2])
    path.write_bytes(content[:place] + text + content[place + len(text) :])
    found = scan(LOADERS["lidc"], LidcOptions(root=tmp_path), 1)
    (one,), _ = LOADERS["lidc"].arrange(found.headers, LidcOptions())
    assert one.spacing is None and one.patient == "P1"
