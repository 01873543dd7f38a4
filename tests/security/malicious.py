"""Files that are made to do harm: to run code, to take all memory, or to write outside of a folder."""

import gzip
import io
import json
import pickle
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from tests.helpers.dicom_files import write_ct

GIGABYTE = 2**30


class Touch:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def npy(header: str, data: bytes = b"\0" * 24, length: int | None = None) -> bytes:
    """A .npy file of version 2 with any text as its header, which claims any length."""
    text = header.encode("latin-1")
    return b"\x93NUMPY\x02\x00" + struct.pack("<I", len(text) if length is None else length) + text + data


def array_header(shape: str = "(2, 3, 4)", kind: str = "'|u1'") -> str:
    """The header of a .npy file, with any text as the shape and the type."""
    return f"{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}, }}\n"


def arrays(touched: Path) -> dict[str, bytes]:
    """Hostile .npy files by what they try; those of a gigabyte have a hole, see `write`."""
    stream = io.BytesIO()
    np.save(stream, np.array([Touch(touched)], object), allow_pickle=True)
    archive = io.BytesIO()
    np.savez_compressed(archive, x=np.zeros(10**6, np.uint8))
    return {
        "objects": stream.getvalue(),
        "pickle": pickle.dumps(Touch(touched)),
        "header of a gigabyte": npy(array_header(), length=GIGABYTE),
        "header that claims 4 GB": npy(array_header(), length=2**32 - 1),
        "shape of 10**15": npy(array_header("(1000000000000000, 1, 1)")),
        "shape that overflows": npy(array_header("(4294967296, 4294967296, 4294967296)")),
        "negative shape": npy(array_header("(-1, 3, 4)")),
        "shape of text": npy(array_header("('a', 3, 4)")),
        "true as a length": npy(array_header("(True, 3, 4)")),
        "large items": npy(array_header(kind="'|V1000000000000'")),
        "type of a date": npy(array_header(kind="'<M8[ns]'")),
        "nested type": npy(array_header(kind="[('x', [('y', '|u1')])]")),
        "deeply nested header": npy("(" * 5000),
        "thousands of signs": npy("-" * 9000 + "1"),
        "code as a header": npy(f"__import__('pathlib').Path({str(touched)!r}).touch()"),
        "zip archive": archive.getvalue(),
    }


def safetensors(header: bytes, length: int | None = None, data: bytes = b"") -> bytes:
    """A .safetensors file with any header, which claims any length."""
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def described(config: object, architecture: object = "unet", tensors: object = None) -> bytes:
    """A .safetensors file that describes a network of fplbench."""
    text = json.dumps({"architecture": architecture, "config": config, "version": "1"})
    return with_text(text, tensors)


def with_text(text: str, tensors: object = None) -> bytes:
    """A .safetensors file with any text where the description of its network is."""
    entries = {"x": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}} if tensors is None else tensors
    return safetensors(json.dumps({"__metadata__": {"fplbench": text}, **entries}).encode(), data=b"\0")  # type: ignore[dict-item]


def weights() -> dict[str, bytes]:
    """Hostile .safetensors files by what they try."""
    return {
        "header of a gigabyte": safetensors(b"{}", GIGABYTE),
        "header of 2**63 bytes": safetensors(b"{}", 2**63),
        "header of 2**64 - 1 bytes": safetensors(b"{}", 2**64 - 1),
        "header that is nested deeply": safetensors(b"[" * 100_000),
        "description that is nested deeply": with_text("[" * 100_000),
        "tensor of 10**15 bytes": with_text("{}", {"x": {"dtype": "U8", "shape": [10**15], "data_offsets": [0, 10**15]}}),
        "shape that overflows": with_text("{}", {"x": {"dtype": "F64", "shape": [2**62, 2**62], "data_offsets": [0, 1]}}),
        "a billion layers": described({"blocks": 10**9, "width": 1}, "drunet"),
        "a billion channels": described({"width": 10**9}),
        "a config that is a list": described([1, 2]),
        "a width that is text": described({"width": "4"}),
        "a name that is a list": described({}, ["unet"]),
        "a name that is a module": described({}, "os.system"),
        "pickle": pickle.dumps({}),
    }


def write_torch_bomb(path: Path, size: int = GIGABYTE) -> None:
    """A torch file whose only tensor unpacks to a gigabyte of zeros from a megabyte."""
    import torch

    stream = io.BytesIO()
    torch.save({"m_head.weight": torch.zeros(4)}, stream)
    with zipfile.ZipFile(stream) as small, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for entry in small.infolist():
            content = small.read(entry)
            archive.writestr(entry.filename, bytes(size) if entry.filename.endswith("data/0") else content)


def write_volume_of_zeros(path: Path, shape: tuple[int, int, int], megabytes: int) -> None:
    """A .nii.gz file whose header claims a size, and which unpacks to so many megabytes of zeros."""
    import nibabel

    header = nibabel.Nifti1Header()
    header.set_data_dtype(np.int16)
    header["dim"][:4] = (3, *(np.array(shape, np.uint64) % 2**16).astype(np.uint16).view(np.int16))
    header["vox_offset"], header["sform_code"] = 352, 1
    header["srow_x"], header["srow_y"], header["srow_z"] = (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0)
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(header.binaryblock + bytes(4))
        for _ in range(megabytes):
            stream.write(bytes(2**20))


def write_huge_slice(path: Path) -> None:
    """A small DICOM file that claims 65535 x 65535 pixels of 4 bytes in 10**6 frames."""
    write_ct(path, Rows=65535, Columns=65535, BitsAllocated=32, BitsStored=32, HighBit=31, NumberOfFrames="1000000")


def tar_of(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """A tar archive with these members, as they are."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def write(path: Path, content: bytes) -> None:
    """Write a file; one whose name says that it has a gigabyte has a hole of that size behind its content."""
    path.write_bytes(content)
    if "gigabyte" in path.stem:
        with open(path, "r+b") as stream:
            stream.truncate(GIGABYTE + len(content))


@contextmanager
def resident_peak() -> Iterator[Callable[[], float]]:
    """Context that yields a function returning by how many MB the memory of this process grew at its peak (Linux)."""

    def status(name: str) -> float:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1000

    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = status("VmRSS")
    yield lambda: status("VmHWM") - before
