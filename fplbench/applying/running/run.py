"""Denoise scans with a model, and give them back in their own format."""

import hashlib
import json
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fplbench
from fplbench import __version__
from fplbench.applying.models.denoisers import Denoiser, open_denoiser, slices_at_once
from fplbench.applying.options import WITHOUT_EFFECT, ApplyOptions
from fplbench.applying.running import suitability
from fplbench.applying.running.inputs import Inputs, check_order, check_source, find_inputs, nothing_error
from fplbench.applying.running.journal import Journal
from fplbench.applying.running.outputs import Output, full_disk_is_said
from fplbench.applying.running.progress import Progress
from fplbench.applying.running.scan_run import ScanRun
from fplbench.applying.scan import Scan
from fplbench.errors import InputError
from fplbench.files import file_hash
from fplbench.networks.card_text import NOT_CLINICAL

if TYPE_CHECKING:
    from fplbench.applying.running.feature_maps import FeatureMaps

PACKAGES = ("numpy", "opencv-python-headless", "torch", "pydicom", "nibabel")
SOURCES = (".py", ".csv", ".js", ".css", ".html")


@dataclass(frozen=True)
class Summary:
    """What a run did.

    Attributes:
        made: the files or the folder that it made, the main one first.
        denoiser: the model.
        scans: what apply.json says of each scan: name, label, window, noise, warnings, files.
        skipped: why a file or scan is left out on purpose, by path.
        unreadable: why a file or scan cannot be read, by path.
        slices: number of slices that this run denoised, without those of an interrupted one.
        speed: slices a second.
        before: number of slices of these scans that an interrupted run had denoised.
    """

    made: list[Path]
    denoiser: Denoiser
    scans: list[dict[str, Any]]
    skipped: Mapping[str, str]
    unreadable: Mapping[str, str]
    slices: int
    speed: float
    before: int = 0


def apply_model(model: str, source: Path, out: Path, options: ApplyOptions | None = None) -> Summary:
    """Denoise a scan, or all scans in a tree of folders, at their own size and depth.

    Nothing stands under the name of the output before all is finished. The same call continues an interrupted one.

    Args:
        model: a weight file, a bundle, or the name of a method.
        source: a DICOM or NIfTI file, or a folder.
        out: the file or folder to make, as the input is one.
        options: what is done and written.

    Returns:
        What was done.

    Raises:
        InputError: the model, the input or the output cannot be used; the model is not made for the scans; or there is no
            space left.
    """
    options = options or ApplyOptions()
    kept = [path for path in (Path(model), options.weights, options.restoration) if path is not None and path.is_file()]
    check_order(model, source)
    check_source(source)
    output = Output(out, source, kept, options.overwrite)
    with full_disk_is_said(output), ThreadPoolExecutor(1) as opener:
        # Other processes read headers, while this one imports torch.
        opened = opener.submit(_open, model, options)
        inputs = find_inputs(source, options.reading(output.partial), output.suffix, options.skip_unreadable)
        denoiser = opened.result()
        suitability.check_window(denoiser.card, options)
        _keep_suitable(source, inputs, denoiser, options)
        with output.claim(_key(inputs, denoiser, options)):
            return _run(model, source, inputs, denoiser, output, options)


def _open(model: str, options: ApplyOptions) -> Denoiser:
    """Open the model."""
    # Maps of features cannot be made of several slices at the same time.
    slices = 1 if options.features else slices_at_once(options.threads)
    return open_denoiser(
        model, options.options, weights=options.weights, device=options.device, threads=options.threads,
        slices=slices, runtime=options.runtime, tile=options.tile, overlap=options.overlap,
    )  # fmt: skip


def _run(model: str, source: Path, inputs: Inputs, denoiser: Denoiser, output: Output, options: ApplyOptions) -> Summary:
    """Denoise all scans, then give the output its name."""
    maps = _feature_maps(denoiser, options)
    scans, records = deque(inputs.scans), []
    inputs.scans.clear()  # a scan that is finished is let go, with its mapped files
    journals = [Journal(output.work / f"{number:06d}") for number in range(len(scans))]
    written = [len(journal.slices()) for journal in journals]
    before = 0
    alone = len(scans) == 1
    with Progress(sum(scan.facts.slices for scan in scans), sum(written)) as progress:
        for journal, done in zip(journals, written, strict=True):
            scan = scans.popleft()
            progress.scan(scan.facts.label)
            try:
                page = "quality.html" if alone else f"quality/{scan.facts.name}.html"
                run = ScanRun(scan, inputs.root, denoiser, maps, options, output.files, journal, progress, page)
                record = run.record()
            except InputError as error:
                if not options.skip_unreadable:
                    raise
                inputs.unreadable[scan.facts.label] = str(error).removesuffix(".")
                journal.discard()
            else:
                if record["left_out"]:
                    inputs.skipped[scan.facts.label] = record["left_out"]
                else:
                    records.append(record)
                    before += done
    if not records:
        raise nothing_error(source, inputs.skipped, inputs.unreadable)
    made = output.finish(_record(model, denoiser, options, records, inputs))
    return Summary(made, denoiser, records, inputs.skipped, inputs.unreadable, progress.count, progress.speed, before)


def _feature_maps(denoiser: Denoiser, options: ApplyOptions) -> "FeatureMaps | None":
    """What makes maps of features, if they are wanted.

    Raises:
        InputError: there is no restoration network for them.
    """
    restoration = options.restoration or denoiser.restoration
    if not options.features:
        return None
    if restoration is None:
        raise InputError("--features needs the restoration network of the model: name its weight file with --restoration.")
    from fplbench.applying.running.feature_maps import FeatureMaps

    return FeatureMaps(restoration, options.device)


def _keep_suitable(source: Path, inputs: Inputs, denoiser: Denoiser, options: ApplyOptions) -> None:
    """Complete the facts of each scan, and leave out scans of a modality that the model is not for.

    Raises:
        InputError: none is left.
    """
    suitable: list[Scan] = []
    for scan in inputs.scans:
        scan.facts = suitability.settled(scan.facts, denoiser.card, options)
        reason = "" if options.force else suitability.other_modality(scan.facts, denoiser.card)
        if reason:
            inputs.skipped[scan.facts.label] = reason
        else:
            suitable.append(scan)
        _check_size(scan, denoiser)
    if not suitable:
        label, reason = next((scan.facts.label, inputs.skipped[scan.facts.label]) for scan in inputs.scans)
        raise InputError(f"{label} has the {reason}: use another model, or add --force.")
    inputs.scans = suitable


def _check_size(scan: Scan, denoiser: Denoiser) -> None:
    """InputError if the slices of a scan are too large for the model."""
    rows, columns, largest = scan.facts.rows, scan.facts.columns, denoiser.largest
    if largest is not None and max(rows, columns) > largest:
        raise InputError(
            f"{scan.facts.label} has slices of {rows}x{columns} pixels, which the ONNX model takes in one piece only, up to "
            f"{largest} a side: use --runtime torch, or raise --tile if there is memory enough."
        )


def _key(inputs: Inputs, denoiser: Denoiser, options: ApplyOptions) -> str:
    """What a run must have in common with an interrupted one to continue it: input, model, options and software."""
    files = []
    for scan in inputs.scans:
        states = [path.stat() for path in scan.files]
        names = [path.relative_to(inputs.root).as_posix() for path in scan.files]
        files.append([scan.facts.name, [[name, at.st_size, at.st_mtime_ns] for name, at in zip(names, states, strict=True)]])
    values = options.model_dump(mode="json", exclude=WITHOUT_EFFECT)
    restoration = options.restoration or denoiser.restoration if options.features else None
    software = [_package_hash(), _versions(denoiser, options)]
    parts = [files, denoiser.digest, values, file_hash(restoration) if restoration else None, software]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@cache
def _package_hash() -> str:
    """SHA-256 of all source files of the package.

    `fplbench.code_hash` would take 0.2 s, and does not see the methods, which are imported by their names.
    """
    folder, digest = Path(fplbench.__file__).parent, hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.suffix in SOURCES):
        digest.update(f"{path.relative_to(folder).as_posix()} {file_hash(path)}\n".encode())
    return digest.hexdigest()


def _record(
    model: str, denoiser: Denoiser, options: ApplyOptions, records: list[dict[str, Any]], inputs: Inputs
) -> dict[str, Any]:
    """What apply.json says. It holds no time, so that equal runs give equal files."""
    return {
        "use": NOT_CLINICAL,
        "model": {
            "name": Path(model).name,
            "label": denoiser.label,
            "digest": denoiser.digest,
            "options": denoiser.options,
            "card": denoiser.card.model_dump(mode="json") if denoiser.card else None,
        },
        "versions": _versions(denoiser, options),
        "options": options.model_dump(mode="json", exclude=WITHOUT_EFFECT),
        "scans": [{key: value for key, value in one.items() if key != "left_out"} for one in records],
        "skipped": inputs.skipped,
        "unreadable": inputs.unreadable,
    }


def _versions(denoiser: Denoiser, options: ApplyOptions) -> dict[str, str]:
    """Versions of the packages on which the output depends."""
    modules = [*denoiser.requires, *(["highdicom"] if options.features else [])]
    names = _distributions() if modules else {}
    further = [names[module][0] for module in modules if module in names]
    return {"fplbench": __version__} | {name: version(name) for name in (*PACKAGES, *further)}


@cache
def _distributions() -> Mapping[str, list[str]]:
    """The installed packages that each module is from; looking them up takes 0.2 s."""
    return packages_distributions()
