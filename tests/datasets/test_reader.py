"""Files that are damaged, or made to do harm: each is named, none does anything else."""

import gzip
import logging
import shutil
import struct
import time

import numpy as np
import pytest

from fplbench.datasets import DATASETS, SamplingOptions, sample_dataset
from fplbench.datasets.lidc import LidcOptions
from fplbench.datasets.lits import LitsOptions
from fplbench.datasets.rsna import RsnaOptions
from fplbench.datasets.scan import report, scan
from fplbench.datasets.workers import MEMORY
from fplbench.errors import InputError
from tests.datasets.memory import peak_memory

MUTANTS = 150  # of each format


def mutate(content: bytes, random, header: int) -> bytes:
    """Cut a file short, flip bytes anywhere or in its header, or repeat a part of it."""
    match random.integers(4):
        case 0:
            return content[: random.integers(1, len(content))]
        case 1 | 2 as kind:
            damaged = bytearray(content)
            for place in random.integers(0, len(content) if kind == 1 else header, random.integers(1, 40)):
                damaged[place] = random.integers(256)
            return bytes(damaged)
        case _:
            start, stop = sorted(random.integers(0, len(content), 2))
            return content[:start] + content[start:stop] * 2 + content[start:]


def deep_sequences(depth: int) -> bytes:
    """A private sequence of undefined length within a sequence, and so on, in explicit little endian."""
    item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    return (b"\x09\x00\x10\x10SQ\x00\x00\xff\xff\xff\xff" + item) * depth


def check(name, options, mutants, caplog, tmp_path, sampling):
    """Scan and sample; every mutant is an image, or named in the log, in half a second a file and 1 GB at most."""
    started = time.monotonic()
    with caplog.at_level(logging.INFO), peak_memory() as peak:
        found = scan(DATASETS[name], options, 2, None)
        report(found, options)
        try:
            sample_dataset(name, options, sampling, 1, tmp_path / "out", 2)
        except InputError as error:
            assert "asks for" in str(error)
    assert time.monotonic() - started < 30 + len(mutants) / 2
    assert 0 < peak() < 1000
    for path in mutants:
        relative = path.relative_to(options.root).as_posix()
        assert relative in found.headers or f": {relative}: " in caplog.text
    return found


def test_mutated_dicom_files(tmp_path, ct_file, caplog):
    random, root = np.random.default_rng(1), tmp_path / "in"
    pixels = random.integers(-1024, 2000, (32, 32)).astype(np.int16)
    mutants = []
    for number in range(MUTANTS):
        good = ct_file(
            root / f"good/{number}.dcm", patient=f"P{number % 9}", series=f"1.{number % 9}", z=number, hounsfield=pixels
        )
        mutants.append(root / f"bad-{number}.dcm")
        mutants[-1].write_bytes(mutate(good.read_bytes(), random, good.stat().st_size - pixels.nbytes))
    sampling = SamplingOptions(train=60, validation=12, test=12, size=16)
    found = check("lidc", LidcOptions(root=root, max_unreadable=1), mutants, caplog, tmp_path, sampling)
    assert {f"good/{number}.dcm" for number in range(MUTANTS)} <= found.headers.keys()
    assert len(found.unreadable) > MUTANTS / 4
    assert (tmp_path / "out" / "train.npy").exists()


def test_mutated_jpeg_files(tmp_path, radiograph_file, caplog):
    random, root = np.random.default_rng(3), tmp_path / "in"
    y, x = np.mgrid[:32, :32]
    mutants = []
    for number in range(MUTANTS):
        good = radiograph_file(root / f"stage_2_train_images/{number}.dcm", ((x * y + number) % 256).astype(np.uint8))
        content = good.read_bytes()
        # Every second one in its header, the others anywhere, which is mostly in the compressed pixels.
        header = content.index(b"\xe0\x7f\x10\x00") if number % 2 else len(content)
        mutants.append(root / f"stage_2_train_images/bad-{number}.dcm")
        mutants[-1].write_bytes(mutate(content, random, header))
    for side in (9000, 60000):  # the size that the JPEG claims is not that of the header
        place = content.index(b"\xff\xc0") + 5
        mutants.append(root / f"stage_2_train_images/claim-{side}.dcm")
        mutants[-1].write_bytes(content[:place] + struct.pack(">HH", side, side) + content[place + 4 :])
    sampling = SamplingOptions(train=90, validation=9, test=9, size=16)
    check("rsna", RsnaOptions(root=root, max_unreadable=1), mutants, caplog, tmp_path, sampling)
    assert (tmp_path / "out" / "train.npy").exists()


def test_mutated_nifti_files(tmp_path, volume_file, caplog):
    random, root = np.random.default_rng(2), tmp_path / "in"
    volume = random.integers(-1024, 2000, (24, 24, 6))
    mutants = []
    for number in range(MUTANTS):
        suffix = ".nii.gz" if number % 3 == 0 else ".nii"
        good = volume_file(tmp_path / f"good{suffix}", volume)
        mutants.append(root / f"volume-{number}{suffix}")
        mutants[-1].parent.mkdir(exist_ok=True)
        mutants[-1].write_bytes(mutate(good.read_bytes(), random, 352))
    for number in range(200, 209):
        volume_file(root / f"volume-{number}.nii", volume)
    sampling = SamplingOptions(train=60, validation=12, test=12, size=16)
    check("lits", LitsOptions(root=root, max_unreadable=1), mutants, caplog, tmp_path, sampling)


def test_deep_sequences_and_endless_lengths(tmp_path, ct_file, caplog):
    root = tmp_path / "in"
    content = ct_file(root / "good.dcm").read_bytes()
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
def test_volumes_that_claim_an_absurd_size(tmp_path, volume_file, caplog, shape, suffix):
    root = tmp_path / "in"
    content = bytearray(volume_file(root / "volume-1.nii", np.zeros((8, 8, 8))).read_bytes())
    content[42:48] = struct.pack("<3h", *shape)
    (root / "volume-1.nii").unlink()
    path = root / f"volume-2{suffix}"
    path.write_bytes(gzip.compress(bytes(content)) if suffix == ".nii.gz" else bytes(content))
    sampling = SamplingOptions(train=1, validation=1, test=1, size=16, split="random_slice")
    with caplog.at_level(logging.INFO), pytest.raises(InputError):
        sample_dataset("lits", LitsOptions(root=root, max_unreadable=1), sampling, 1, tmp_path / "out", 1)
    assert f": volume-2{suffix}: " in caplog.text


def test_large_images_share_the_memory(tmp_path, radiograph_file):
    """Of the largest images that are read eight at a time; each needs more than an eighth of the memory.

    Without shares they take 1.6 GB; what counts beside MEMORY is what the libraries take in nine processes.
    """
    y, x = np.mgrid[:4096, :4096]
    first = radiograph_file(tmp_path / "in/stage_2_train_images/0.dcm", ((x // 16 + y // 16) % 256).astype(np.uint8), quality=50)
    for number in range(1, 10):
        shutil.copy(first, first.with_name(f"{number}.dcm"))
    sampling = SamplingOptions(train=8, validation=1, test=1, size=16)
    with peak_memory() as peak:
        sample_dataset("rsna", RsnaOptions(root=tmp_path / "in"), sampling, 1, tmp_path / "out", 8)
    assert 100 < peak() < MEMORY / 1e6 + 240


def test_a_compression_bomb_is_read_plane_by_plane(tmp_path, volume_file, caplog):
    """400 MB of air in one is read to its end without being held, and found to be empty."""
    root = tmp_path / "in"
    header = bytearray(volume_file(tmp_path / "small.nii", np.zeros((8, 8, 8))).read_bytes()[:352])
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
