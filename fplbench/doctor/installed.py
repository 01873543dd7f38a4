"""Checks of Python, of the packages, and of what lacks without the optional ones."""

import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import fplbench
from fplbench.doctor.registry import Finding, Place, check

CONSTRAINTS = Path(fplbench.__file__).parents[1] / "envs" / "constraints.txt"
INSTALL = "Install it again: `pip install --constraint envs/constraints.txt --editable .` in the repository."
USES = {
    "fetch": "`fplbench fetch lidc` and `fplbench fetch rsna`",
    "onnx": "ONNX files of `fplbench export-model`",
    "parametric-map": "parametric maps of `fplbench apply`",
    "vif": "the metric vif",
}
"""What each extra is for, beside those that methods name; extras of tests and documentation are for development."""


def requirements(extra: str = "") -> Iterator[Requirement]:
    """The packages that this one always needs, or those that one of its extras adds."""
    for text in metadata.requires("fplbench") or ():
        needed = Requirement(text)
        wanted = needed.marker.evaluate({"extra": extra}) if needed.marker else not extra
        if wanted:
            yield needed


def version_of(name: str) -> str | None:
    """The installed version of a package, None if there is none."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def pins(path: Path) -> Mapping[str, SpecifierSet]:
    """Versions of a file of constraints, by canonical name."""
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    parsed = [Requirement(line) for line in lines if line]
    return {canonicalize_name(one.name): one.specifier for one in parsed}


@check("python")
def python(place: Place) -> Finding:
    """Whether Python is new enough."""
    version = platform.python_version()
    needed = SpecifierSet(metadata.metadata("fplbench")["Requires-Python"])
    if version not in needed:
        return Finding("error", f"Python {version}; {needed} is needed.", "Make a virtual environment with a newer Python.")
    return Finding("ok", f"Python {version}, {sys.executable}.")


@check("packages")
def packages(place: Place) -> Finding:
    """Whether every package that the benchmark needs is there, in a version that it admits."""
    needed = list(requirements())
    missing = [one.name for one in needed if version_of(one.name) is None]
    outside = [
        f"{one.name} {version} ({one.specifier} is needed)"
        for one in needed
        if (version := version_of(one.name)) and not one.specifier.contains(version, prereleases=True)
    ]
    if missing or outside:
        what = [f"Not installed: {', '.join(missing)}."] * bool(missing) + [f"Too old: {', '.join(outside)}."] * bool(outside)
        return Finding("error", " ".join(what), INSTALL)
    return Finding("ok", f"fplbench {fplbench.__version__}, and the {len(needed)} packages that it needs.")


@check("pins")
def pinned(place: Place) -> Finding:
    """Whether the packages have the versions that the tests ran with."""
    if not CONSTRAINTS.exists():
        return Finding("ok", "Not compared: envs/constraints.txt is in the repository, and the package is installed without it.")
    pairs = {name: (version, wanted) for name, wanted in pins(CONSTRAINTS).items() if (version := version_of(name))}
    other = [
        f"{name} {version} (tested: {str(wanted).removeprefix('==')})"
        for name, (version, wanted) in pairs.items()
        if not wanted.contains(version, prereleases=True)
    ]
    if other:
        more = f", and {len(other) - 5} more" if len(other) > 5 else ""
        return Finding(
            "warning",
            f"{len(other)} of {len(pairs)} packages have other versions than the tests ran with: {', '.join(other[:5])}{more}.",
            f"Results may differ from those of others. {INSTALL}",
        )
    return Finding("ok", f"{len(pairs)} packages have the versions of envs/constraints.txt.")


@check("extras")
def extras(place: Place) -> Finding:
    """What cannot be used because optional packages are missing."""
    from fplbench.denoising.registry import METHODS

    lacking: dict[str, tuple[str | None, str]] = {}
    for extra, use in USES.items():
        if missing := [one.name for one in requirements(extra) if version_of(one.name) is None]:
            lacking[use] = (extra, f"{use} (without {', '.join(missing)})")
    for name, one in METHODS.items():
        if why := one.unusable():
            absent = ", ".join(module for module in one.requires if find_spec(module) is None)
            lacking[name] = (one.extra, f"the method {name} ({f'without {absent}' if absent else why})")
    if lacking:
        wanted = ",".join(sorted({extra for extra, _ in lacking.values() if extra}))
        return Finding(
            "warning",
            f"What cannot be used: {'; '.join(what for _, what in lacking.values())}.",
            f"If you want these: `pip install --constraint envs/constraints.txt --editable '.[{wanted}]'`.",
        )
    return Finding("ok", "The optional packages of all methods and commands are there.")


@check("decoders")
def decoders(place: Place) -> Finding:
    """Whether the pixels of DICOM files in every usual compression can be decoded."""
    from pydicom.pixels import get_decoder
    from pydicom.uid import UID

    from fplbench.datasets.formats.decoding import DECODERS

    unreadable = [
        UID(uid).name for uid, names in DECODERS.items() if not set(names) & set(get_decoder(UID(uid)).available_plugins)
    ]
    if unreadable:
        advice = "Images in these are left out. `pip install pylibjpeg pylibjpeg-openjpeg pyjpegls python-gdcm`"
        return Finding("warning", f"No decoder works for {', '.join(unreadable)}.", f"{advice} installs the decoders.")
    return Finding("ok", f"DICOM images can be read in all {len(DECODERS)} compressions.")


@check("commands")
def commands(place: Place) -> Finding:
    """Whether the rules find this installation's `fplbench`, and bash."""
    if shutil.which("bash") is None:
        return Finding("error", "There is no bash, which the rules are run by.", "Install it.")
    found = shutil.which("fplbench")
    if found is None:
        folder = Path(sys.executable).parent
        return Finding("error", "The rules call `fplbench`, which is not in PATH.", f'`export PATH="{folder}:$PATH"`')
    if not Path(found).parent.samefile(Path(sys.executable).parent):
        advice = f"The rules would use that one. Activate the environment of {sys.executable}."
        return Finding("error", f"The first `fplbench` in PATH is {found}, of another environment.", advice)
    return Finding("ok", f"The rules call {found}.")


@check("snakemake")
def snakemake(place: Place) -> Finding:
    """Whether Snakemake has the plugins that the profiles name."""
    from snakemake_interface_executor_plugins.registry import ExecutorPluginRegistry  # type: ignore[import-untyped]
    from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry

    executors = sorted({"local", *ExecutorPluginRegistry().plugins} - {"dryrun", "touch"})
    found = f"Snakemake {version_of('snakemake')}, which can run jobs by {', '.join(executors)}."
    if not LoggerPluginRegistry().is_installed("rich"):
        return Finding("error", f"{found} The logger `rich` of profiles/default is missing.", INSTALL)
    if shutil.which("sbatch") and "slurm" not in executors:
        return Finding("warning", f"{found} This is a Slurm cluster.", "`pip install snakemake-executor-plugin-slurm` to use it.")
    return Finding("ok", found)
