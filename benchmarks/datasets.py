"""Cost of sampling a large data set: header scan, cached scan, pixels and memory, on synthetic LIDC files.

    python -m benchmarks.datasets [--slices 20000] [--threads 2] [--folder DIR] [--full]

Writes 100 series of small slices for the headers and 1,000 slices of 512x512 for the pixels, in DIR or a temporary
folder, and prints a Markdown table. With --full it also writes as many files as LIDC-IDRI has, 243,958 of 64x64 in 1,018
series (2.4 GB), and draws 5,000, 500 and 500 of them. CPU seconds are summed over all processes; on a busy machine they
are more meaningful than elapsed seconds.
"""

import argparse
import io
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fplbench.datasets import LOADERS, SamplingOptions, sample_dataset
from fplbench.datasets.loaders.lidc import LidcOptions
from fplbench.datasets.scan import scan
from tests.helpers.memory import family, peak_memory

SERIES = 100
SIDE = 512
FULL = {"slices": 243_958, "side": 64, "series": 1018}


def make(folder: Path, slices: int, side: int, series: int = SERIES) -> Path:
    """Write CT slices as DICOM files, `slices` / `series` per patient; all are copies of one file with different numbers."""
    template = slice_file(side)
    for number in range(slices):
        patient, place = number % series, number // series
        path = folder / f"LIDC-IDRI-{patient:04d}" / "1.2" / f"1.2.{patient}" / f"1-{place:04d}.dcm"
        if place == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
        content = template.replace(b"LIDC-IDRI-9999", b"LIDC-IDRI-%04d" % patient).replace(b"8.88888", b"8.1%04d" % patient)
        content = content.replace(b"7.77777777", b"7.1%07d" % number).replace(b"9999.99", b"%07.2f" % (1.25 * place))
        path.write_bytes(content)
    return folder


def slice_file(side: int) -> bytes:
    """A CT slice as a DICOM file, with placeholders for patient, series, instance and position."""
    from pydicom.dataset import FileDataset, FileMetaDataset

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1"
    meta.MediaStorageSOPInstanceUID = "1.2.7.77777777"
    file = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    file.SOPClassUID, file.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    file.Modality, file.PatientID, file.SeriesInstanceUID = "CT", "LIDC-IDRI-9999", "1.2.8.88888"
    file.ImagePositionPatient, file.ImageOrientationPatient = ["0", "0", "9999.99"], [1, 0, 0, 0, 1, 0]
    file.PixelSpacing, file.RescaleSlope, file.RescaleIntercept, file.InstanceNumber = [0.7, 0.7], 1, -1024, 1
    file.Rows, file.Columns, file.SamplesPerPixel, file.PhotometricInterpretation = side, side, 1, "MONOCHROME2"
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 16, 16, 15, 1
    file.PixelData = np.random.default_rng(0).integers(0, 2000, (side, side)).astype("<i2").tobytes()
    stream = io.BytesIO()
    file.save_as(stream)
    return stream.getvalue()


def processor_seconds() -> float:
    """CPU time of this process and its descendants, including those that have ended."""
    ticks = 0
    for process in family():
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime
    return ticks / os.sysconf("SC_CLK_TCK")


def timed(work: Callable[[], object]) -> tuple[float, float, float]:
    """Elapsed seconds, CPU seconds and peak memory in MB of a function call."""
    with peak_memory(own=True, interval=0.1) as peak:
        started, used = time.perf_counter(), processor_seconds()
        work()
        seconds = time.perf_counter() - started
        time.sleep(0.15)
        return seconds, processor_seconds() - used, peak()


def row(step: str, files: int, cost: tuple[float, float, float], images: int = 0, side: int = 0) -> None:
    """Print a row of the table; the CPU seconds are given per 1,000 images if images are drawn, else per 1,000 files."""
    seconds, processor, peak = cost
    rates = f"{images / seconds:.0f} | {images * side**2 / seconds / 1e6:.1f}" if images else " | "
    each = 1000 * processor / (images or files)
    print(f"| {step} | {files:,} | {seconds:.1f} | {processor:.1f} | {each:.2f} | {rates} | {peak:.0f} |", flush=True)


def measure_scan(folder: Path, threads: int, count: int, side: int = 32, series: int = SERIES) -> LidcOptions:
    """Print the rows of the header scan, without and with a cache."""
    options = LidcOptions(root=make(folder / f"headers-{count}", count, side, series))
    for step in ("header scan", "header scan, cached"):
        row(step, count, timed(lambda: scan(LOADERS["lidc"], options, threads, folder / f"stacks-{count}" / "headers.csv")))
    return options


def measure_draw(folder: Path, threads: int, options: LidcOptions, sampling: SamplingOptions, files: int, side: int) -> None:
    """Print the row of a draw whose headers are in the cache."""
    out = folder / f"stacks-{files}"
    count = sum(sampling.counts().values())
    cost = timed(lambda: sample_dataset("lidc", options, sampling, 1, out, threads))
    row(f"draw of {count:,}, {side}x{side} to {sampling.size}x{sampling.size}", files, cost, count, side)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--slices", type=int, default=20000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--full", action="store_true")
    arguments = parser.parse_args()
    threads = arguments.threads
    with tempfile.TemporaryDirectory(dir=arguments.folder) as temporary:
        folder = Path(temporary)
        print(f"{threads} threads, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} at the start\n")
        print("| step | files | seconds | CPU seconds | CPU seconds per 1,000 | images/s | Mpixel/s | peak MB |")
        print("|---|---|---|---|---|---|---|---|")
        for count in (arguments.slices // 4, arguments.slices // 2, arguments.slices):
            measure_scan(folder, threads, count)
        options = LidcOptions(root=make(folder / "pixels", 1000, SIDE))
        scan(LOADERS["lidc"], options, threads, folder / "stacks-1000" / "headers.csv")
        for count in (250, 500, 1000):
            tenth = count // 10
            sampling = SamplingOptions(train=count - 2 * tenth, validation=tenth, test=tenth, split="random_slice")
            measure_draw(folder, threads, options, sampling, 1000, SIDE)
        if arguments.full:
            options = measure_scan(folder, threads, FULL["slices"], FULL["side"], FULL["series"])
            measure_draw(folder, threads, options, SamplingOptions(), FULL["slices"], FULL["side"])


if __name__ == "__main__":
    main()
