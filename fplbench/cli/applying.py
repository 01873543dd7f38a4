"""The command that denoises scans and gives them back in their own format."""

import math
import re
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from fplbench.cli.options import DeviceName, OptionsJson, Threads, parse_json
from fplbench.errors import InputError
from fplbench.networks.tiles import OVERLAP, TILE

if TYPE_CHECKING:
    from fplbench.applying.running.run import Summary

LONGEST = 60  # characters of a path that is shown
LISTED = 3  # files that are named for each reason; apply.json names all


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
    app.command("apply")(apply)


def apply(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="What denoises: a weight file of `fplbench train` (.safetensors), a bundle of `fplbench export-model` (.zip), "
            "or the name of a method, such as nlm.",
        ),
    ],
    source: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT", help="A DICOM or NIfTI file, the folder of a series, or a tree of many. It is only read."
        ),
    ],
    out: Annotated[
        Path,
        typer.Argument(metavar="OUTPUT", help="What is made: for a file a file of the same format, for a folder a folder."),
    ],
    options: OptionsJson = "{}",
    weights: Annotated[Path | None, typer.Option(help="Weight file, for methods that are trained networks.")] = None,
    window: Annotated[
        tuple[float, float] | None,
        typer.Option(
            help="Values that the model sees as black and white, in HU for CT; by default the window that it was trained with. "
            "Values outside it stay as they are.",
            metavar="LOW HIGH",
        ),
    ] = None,
    modality: Annotated[str | None, typer.Option(help="Modality of files that do not say theirs, as NIfTI: CT, MR, ...")] = None,
    residual: Annotated[bool, typer.Option("--residual", help="Write what was changed too: denoised minus original.")] = False,
    features: Annotated[
        bool, typer.Option("--features", help="Write a map of the features that the restoration network sees in each slice.")
    ] = False,
    restoration: Annotated[
        Path | None, typer.Option(help="Weight file of the restoration network for --features, if the model holds none.")
    ] = None,
    dtype: Annotated[
        Literal["input", "int16", "float32"], typer.Option(help="Type of the values of NIfTI files; input: as they were.")
    ] = "input",
    keep_private: Annotated[
        bool, typer.Option("--keep-private", help="Keep private elements of DICOM files, which may identify the patient.")
    ] = False,
    skip_unreadable: Annotated[
        bool, typer.Option("--skip-unreadable", help="Leave out files that cannot be read, instead of stopping.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Apply the model to another modality or window than it was trained for.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an output that exists, and what another command left unfinished.")
    ] = False,
    device: DeviceName = "auto",
    threads: Threads = 1,
    runtime: Annotated[Literal["torch", "onnx"], typer.Option(help="What runs the network of a bundle.")] = "torch",
    tile: Annotated[int, typer.Option(min=64, help="Largest side that a network denoises in one piece, pixels.")] = TILE,
    overlap: Annotated[int, typer.Option(min=0, help="Pixels that neighbouring pieces share.")] = OVERLAP,
) -> None:
    """Denoise your own scans: DICOM or NIfTI in, the same out, at their own size and in their own units.

    CT stays in HU. The output appears when all is finished; after an interruption, the same command continues. Beside it, a page
    shows what was removed, since that is what has to be judged. Not for clinical use.
    """
    _check_values(window, modality)
    values = {
        "options": parse_json(options), "weights": weights, "window": window, "modality": modality, "residual": residual,
        "features": features, "restoration": restoration, "dtype": dtype, "keep_private": keep_private,
        "skip_unreadable": skip_unreadable, "force": force, "overwrite": overwrite, "device": device, "threads": threads,
        "runtime": runtime, "tile": tile, "overlap": overlap,
    }  # fmt: skip
    with _stopped_by_hand():
        from fplbench.applying.options import ApplyOptions
        from fplbench.applying.running.run import apply_model
        from fplbench.registry import parse_options

        _report(apply_model(model, source, out, parse_options(ApplyOptions, values, "")))


@contextmanager
def _stopped_by_hand() -> Iterator[None]:
    """Context that turns Ctrl-C into a sentence, and the exit code that shells expect."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("Stopped: the same command continues.", err=True)
        raise typer.Exit(128 + signal.SIGINT) from None


def _check_values(window: tuple[float, float] | None, modality: str | None) -> None:
    """InputError if an option cannot be meant."""
    if window is not None and not all(map(math.isfinite, window)):
        raise InputError(f"--window is {window[0]:g} {window[1]:g}, but takes two finite numbers, such as --window -160 240.")
    if modality is not None and not re.fullmatch("[A-Z]{2,16}", modality):
        raise InputError(f"--modality is {modality!r}, but takes an upper-case code such as CT or MR.")


def _report(summary: "Summary") -> None:
    """Say where things are, and what to keep in mind."""
    from fplbench.networks.card_text import NOT_CLINICAL

    for scan in summary.scans:
        typer.echo(f"{scan['label']}: {_counted(scan['slices'])}. {scan['about_noise']}")
        for warning in scan["warnings"]:
            typer.echo(f"  Warning: {warning}")
    for what, reasons in (("Left out", summary.skipped), ("Unreadable", summary.unreadable)):
        for reason, count in Counter(reasons.values()).most_common():
            names = [_short(name) for name, why in reasons.items() if why == reason]
            shown = ", ".join(names[:LISTED]) + (", ..." if count > LISTED else "")
            typer.echo(f"{what}, {count}: {reason}: {shown}")
    for made in summary.made:
        typer.echo(f"Written: {made}")
    typer.echo(f"{summary.denoiser.label}: {_done(summary)}")
    typer.echo(NOT_CLINICAL)


def _done(summary: "Summary") -> str:
    """What is denoised, how much of it by an interrupted run, which may have left nothing to do, and how fast."""
    slices = sum(scan["slices"] for scan in summary.scans)
    if summary.slices and summary.before:
        before = f"{summary.before} {'was' if summary.before == 1 else 'were'} done before"
        return f"{_counted(slices)}, {before}; {summary.speed:.2f} a second."
    if summary.slices:
        return f"{_counted(summary.slices)}, {summary.speed:.2f} a second."
    return f"an earlier run had finished all {slices} slices." if slices > 1 else "an earlier run had finished the only slice."


def _counted(slices: int) -> str:
    return "1 slice" if slices == 1 else f"{slices} slices"


def _short(path: str) -> str:
    """The end of a path, from the first folder on with which it fits a line; names in DICOM trees are often long numbers."""
    parts = path.split("/")
    while len("/".join(parts)) > LONGEST and len(parts) > 1:
        parts.pop(0)
    return "/".join(parts if len(parts) == path.count("/") + 1 else ["...", *parts])
