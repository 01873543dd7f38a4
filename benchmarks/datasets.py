"""Cost of the data stage at scale: header scan, cached scan, pixels and memory, on a made-up LIDC.

    python benchmarks/datasets.py [--slices 20000] [--threads 2] [--folder DIR]

Makes 100 series of small slices for the headers and 1,000 slices of 512x512 for the pixels, below DIR or a temporary
folder, and prints a table in Markdown. Processor seconds are those of all processes together; on a busy machine they
say more than seconds.
"""

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from fplbench.datasets import DATASETS, SamplingOptions, sample_dataset
from fplbench.datasets.lidc import LidcOptions
from fplbench.datasets.scan import scan

SERIES = 100
SIDE = 512


def make(folder: Path, slices: int, side: int, series: int = SERIES) -> Path:
    """Write CT slices as DICOM files, `slices` / `series` to a patient."""
    from pydicom.dataset import FileDataset, FileMetaDataset

    pixels = np.random.default_rng(0).integers(0, 2000, (side, side)).astype("<i2").tobytes()
    for number in range(slices):
        patient, place = number % series, number // series
        path = folder / f"LIDC-IDRI-{patient:04d}" / "1.2" / f"1.2.{patient}" / f"1-{place:04d}.dcm"
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1"
        meta.MediaStorageSOPInstanceUID = f"1.2.3.{number}"
        file = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
        file.SOPClassUID, file.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
        file.Modality, file.PatientID, file.SeriesInstanceUID = "CT", f"LIDC-IDRI-{patient:04d}", f"1.2.{patient}"
        file.ImagePositionPatient, file.ImageOrientationPatient = [0, 0, 2.5 * place], [1, 0, 0, 0, 1, 0]
        file.PixelSpacing, file.RescaleSlope, file.RescaleIntercept, file.InstanceNumber = [0.7, 0.7], 1, -1024, place
        file.Rows, file.Columns, file.SamplesPerPixel, file.PhotometricInterpretation = side, side, 1, "MONOCHROME2"
        file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 16, 16, 15, 1
        file.PixelData = pixels
        path.parent.mkdir(parents=True, exist_ok=True)
        file.save_as(path)
    return folder


@contextmanager
def memory() -> Iterator[Callable[[], float]]:
    """Context that yields a function to ask for the peak memory of this process and its descendants, MB.

    Shared pages count once (proportional set size).
    """
    peak, stop = [0], threading.Event()

    def watch() -> None:
        while not stop.wait(0.1):
            peak[0] = max(peak[0], sum(proportional_size(process) for process in family()))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield lambda: peak[0] / 1000
    finally:
        stop.set()
        watcher.join()


def family() -> list[int]:
    """This process and all that descend from it."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:  # it has ended
                continue
    members = [os.getpid()]
    for process in members:
        members += [child for child, parent in parents.items() if parent == process]
    return members


def proportional_size(process: int) -> int:
    """Proportional set size of a process, kB; 0 when it has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def processor_seconds() -> float:
    """Processor time of this process and its descendants, those that have ended included."""
    ticks = 0
    for process in family():
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime
    return ticks / os.sysconf("SC_CLK_TCK")


def timed(work: Callable[[], object]) -> tuple[float, float, float]:
    """Seconds, processor seconds and peak memory in MB of a piece of work."""
    with memory() as peak:
        started, used = time.perf_counter(), processor_seconds()
        work()
        seconds = time.perf_counter() - started
        time.sleep(0.15)
        return seconds, processor_seconds() - used, peak()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--slices", type=int, default=20000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        lidc = DATASETS["lidc"]
        print(f"{arguments.threads} threads\n")
        print("| step | files | seconds | processor seconds | the same per 1,000 files | peak MB |")
        print("|---|---|---|---|---|---|")

        def row(step: str, files: int, cost: tuple[float, float, float]) -> None:
            seconds, processor, peak = cost
            each = 1000 * processor / files
            print(f"| {step} | {files} | {seconds:.1f} | {processor:.1f} | {each:.2f} | {peak:.0f} |", flush=True)

        for count in (arguments.slices // 4, arguments.slices // 2, arguments.slices):
            options = LidcOptions(root=make(folder / f"headers-{count}", count, 32))
            cache = folder / f"headers-{count}.csv"
            row("header scan", count, timed(lambda: scan(lidc, options, arguments.threads, cache)))  # noqa: B023
            row("the same, cached", count, timed(lambda: scan(lidc, options, arguments.threads, cache)))  # noqa: B023
        options = LidcOptions(root=make(folder / "pixels", 1000, SIDE))
        for count in (250, 500, 1000):
            part = count // 10
            sampling = SamplingOptions(train=count - 2 * part, validation=part, test=part, split="random_slice")
            out = folder / f"stacks-{count}"
            scan(lidc, options, arguments.threads, out / "headers.csv")
            work = lambda: sample_dataset("lidc", options, sampling, 1, out, arguments.threads)  # noqa: B023, E731
            row(f"pixels, {SIDE}x{SIDE} to 256x256", count, timed(work))


if __name__ == "__main__":
    main()
