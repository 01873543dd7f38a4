"""What is to be denoised: a file, a series, or all scans in a tree of folders."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from fplbench.applying.nifti.scan import NiftiScan, find_nifti_scans
from fplbench.applying.nifti.volume import SUFFIXES
from fplbench.applying.scan import ReadingOptions, Scan
from fplbench.datasets.files import walk
from fplbench.datasets.loaders.general import PAIR, PAIR_LEFT_OUT
from fplbench.denoising.registry import METHODS
from fplbench.errors import InputError

LISTED = 20  # files that a message names at most
MODELS = (".safetensors", ".zip")
NOT_DICOM = "not a DICOM file"
ADVICE = {
    "a colour image": "models are for grey images, so convert it to one",
    "a colour volume": "models are for grey images, so convert it to one volume of grey values",
    "volumes in one file": "split it into files of one volume each, such as with nibabel.four_to_three",
}
"""What to do about a reason, which contains the key."""


@dataclass
class Inputs:
    """The scans below a root, and what else was there.

    Attributes:
        root: the folder that paths are relative to.
        scans: in the order of their names, no two of which are equal.
        skipped: why a file is left out on purpose, by path.
        unreadable: why a file cannot be read, by path.
    """

    root: Path
    scans: list[Scan] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)


def check_order(model: str, source: Path) -> None:
    """InputError if the arguments are swapped: the source is named like a model, and the model is not."""
    named = source.suffix.lower() in MODELS or (str(source) in METHODS and not source.exists())
    if named and Path(model).suffix.lower() not in MODELS and model not in METHODS:
        raise InputError(f"{source} is a model, and the model comes first: fplbench apply {source} {model} OUTPUT.")


def check_source(path: Path) -> None:
    """InputError unless a path is that of a file or folder."""
    if not path.is_file() and not path.is_dir():
        state = "is neither a file nor a folder" if path.exists() else "does not exist"
        raise InputError(f"{path} {state}: name a DICOM or NIfTI file, or a folder.")


def find_inputs(path: Path, options: ReadingOptions, suffix: str = ".nii.gz", skip_unreadable: bool = False) -> Inputs:
    """Find the scans in a file or below a folder, from headers alone.

    Args:
        path: the file or folder.
        options: how files are read.
        suffix: of the NIfTI files that are written, .nii or .nii.gz.
        skip_unreadable: whether files that cannot be read are left out.

    Raises:
        InputError: a file cannot be read, or there is nothing to denoise.
    """
    single = path.is_file()
    inputs = Inputs(path.parent if single else path)
    names = [path.name] if single else _files(path, inputs)
    volumes = [name for name in names if name.lower().endswith(SUFFIXES)]
    others = [name for name in names if not name.lower().endswith(SUFFIXES)]
    found = [find_nifti_scans(inputs.root, volumes, options, suffix)] if volumes else []
    if others:
        from fplbench.applying.dicom.scan import find_dicom_scans

        found.append(find_dicom_scans(inputs.root, others, options))
    for part in found:
        inputs.scans += part.scans
        inputs.skipped |= part.skipped
        inputs.unreadable |= part.problems
    inputs.skipped |= {name: PAIR_LEFT_OUT for name, why in inputs.skipped.items() if why == NOT_DICOM and PAIR.search(name)}
    _name_scans(inputs, path)
    if inputs.unreadable and not skip_unreadable:
        raise unreadable_error(inputs.unreadable, bool(inputs.scans))
    if not inputs.scans:
        raise nothing_error(path, inputs.skipped, inputs.unreadable)
    return inputs


def unreadable_error(unreadable: Mapping[str, str], others: bool) -> InputError:
    """The error that names the files that cannot be read; where there are other scans, they can be denoised without them."""
    if len(unreadable) == 1:
        ((path, reason),) = unreadable.items()
        return InputError(f"{path} cannot be read: {reason}{'; --skip-unreadable leaves it out' if others else ''}.")
    end = "; --skip-unreadable leaves them out" if others else ""
    return InputError(f"{len(unreadable)} files cannot be read: {_listed(unreadable)}{end}.")


def nothing_error(path: Path, skipped: Mapping[str, str], unreadable: Mapping[str, str]) -> InputError:
    """The error for an input in which nothing can be denoised."""
    reasons = {**skipped, **{name: f"unreadable, {reason}" for name, reason in unreadable.items()}}
    advice = "".join(f"; {what}" for key, what in ADVICE.items() if any(key in reason for reason in reasons.values()))
    if path.name in reasons and len(reasons) == 1:
        return InputError(f"{path} cannot be denoised: {reasons[path.name]}{advice}.")
    why = f": {_listed(reasons)}" if reasons else ", as the folder has no file"
    return InputError(f"{path} holds no scan that can be denoised{why}{advice}.")


def _files(root: Path, inputs: Inputs) -> list[str]:
    """Files below a folder that may be opened; the others are noted with the reason."""
    names = []
    for file in walk(root):
        if file.fault:
            inputs.unreadable[file.path] = file.fault
        elif file.refused:
            inputs.skipped[file.path] = file.refused
        else:
            names.append(file.path)
    return names


def _name_scans(inputs: Inputs, source: Path) -> None:
    """Give each scan a short name and label of its own, and sort them by name.

    Names and labels are relative to the deepest folder that holds all scans. A single DICOM scan is named ".", so that its files
    lie directly in the folder of their kind, and is called like the input.
    """
    if not inputs.scans:
        return
    folder = Path(os.path.commonpath([path.parent for scan in inputs.scans for path in scan.files]))
    below = folder.relative_to(inputs.root)
    taken: set[str] = set()
    for scan in inputs.scans:
        name, label = (PurePosixPath(path).relative_to(below).as_posix() for path in (scan.facts.name, scan.facts.label))
        if len(inputs.scans) == 1:
            volume = isinstance(scan, NiftiScan)
            scan.facts = replace(scan.facts, name=name if volume else ".", label=label if volume else source.resolve().name)
            return
        first = name = name if name != "." else folder.resolve().name
        count = 1
        while name.lower() in taken:
            count += 1
            name = f"{first}_{count}"
        taken.add(name.lower())
        scan.facts = replace(scan.facts, name=name, label=label if label != "." else name)
    inputs.scans.sort(key=lambda scan: scan.facts.name)


def _listed(reasons: Mapping[str, str]) -> str:
    """Files with their reasons, as part of a sentence."""
    shown = [f"{name} ({reason})" for name, reason in list(reasons.items())[:LISTED]]
    more = len(reasons) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
