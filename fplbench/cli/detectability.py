"""Commands that measure how well a model observer detects known signals in denoised images."""

from pathlib import Path
from typing import Annotated

import typer

from fplbench import DEFAULT_SEED
from fplbench.cli.options import (
    ConfigFile,
    DeviceName,
    NumericsJson,
    OptionsJson,
    Seed,
    Threads,
    parse_json,
    read_numerics,
    read_options,
)
from fplbench.cli.tables import read_presentation

SignalsFolder = Annotated[Path, typer.Argument(help="Folder with absent.npy, present.npy and signals.csv.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
    app.command("insert-signals")(insert_signals)
    app.command("denoise-signals")(denoise_signals)
    app.command("observe")(observe)
    app.command("detectability")(detectability)


def insert_signals(
    clean: Annotated[Path, typer.Argument(help="Stack of clean images, .npy, with its index.")],
    out_dir: Annotated[Path, typer.Argument(help="Folder for absent.npy, present.npy and signals.csv.")],
    options: OptionsJson,
    seed: Seed = DEFAULT_SEED,
    axes: Annotated[str, typer.Option(help="Name of the data set, on which the random places are to depend.")] = "",
) -> None:
    """Insert discs of known size and contrast into copies of clean images."""
    from fplbench.lesions.signals import SignalOptions, write_signals

    write_signals(clean, out_dir, read_options(SignalOptions, options, "detectability"), seed=seed, axes=axes)


def denoise_signals(
    noisy: Annotated[Path, typer.Argument(help="Folder with the noisy stacks absent.npy and present.npy.")],
    out_dir: Annotated[Path, typer.Argument(help="Folder for the denoised stacks, absent/{name}.npy and present/{name}.npy.")],
    methods: Annotated[str, typer.Option(help="As for denoise-group; options are not chosen again.", metavar="JSON")],
    chosen: Annotated[
        list[Path] | None,
        typer.Option(help="Options and grey maps that were chosen, {name}.json and {name}_grey_map.json; once for each file."),
    ] = None,
    threads: Threads = 1,
    device: DeviceName = "auto",
    numerics: NumericsJson = "{}",
) -> None:
    """Denoise images with and without signals as the test images were denoised."""
    import tempfile

    from fplbench.denoising.grey_map import SUFFIX
    from fplbench.denoising.groups import run_group
    from fplbench.errors import InputError
    from fplbench.lesions.signals import CLASSES

    runs, computing = parse_json(methods, "--methods"), read_numerics(numerics)
    found = {path.stem: path for path in chosen or ()}

    def file_of(name: str, stem: str) -> Path:
        if stem not in found:
            raise InputError(f"{name} was fitted on training images: name the file with --chosen {stem}.json.")
        return found[stem]

    for name, run in runs.items():
        if run.pop("tune", False):
            path = file_of(name, name)
            run["options"] = {**run.get("options", {}), **parse_json(path.read_text(), str(path))}
        if run.pop("grey_map", None):
            run["grey_map_file"] = str(file_of(name, f"{name}{SUFFIX}"))
    with tempfile.TemporaryDirectory() as scratch:
        for kind in CLASSES:
            cost = Path(scratch) / "cost.csv"
            run_group(runs, noisy / f"{kind}.npy", out_dir / kind, cost, threads=threads, device=device, numerics=computing)


def observe(
    signals: SignalsFolder,
    scores: Annotated[Path, typer.Argument(help="Scores to write, .csv: a row for each method and kind of signal.")],
    spectra: Annotated[Path, typer.Argument(help="Noise power spectra and transfer functions to write, .csv.")],
    denoised: Annotated[list[Path], typer.Argument(help="Denoised stacks, absent/{method}.npy and present/{method}.npy.")],
    options: OptionsJson = "{}",
    seed: Seed = DEFAULT_SEED,
) -> None:
    """Measure how well a channelized Hotelling observer detects signals in denoised images, and the spectra of each method."""
    from fplbench.scoring.observer import ObserverOptions
    from fplbench.scoring.observer_cells import write_detection

    write_detection(signals, denoised, scores, spectra, read_options(ObserverOptions, options, "detectability"), seed)


def detectability(
    scores: Annotated[list[Path], typer.Argument(help="Scores, {dataset}/{noise}.csv, as observe writes them.")],
    out_dir: Annotated[Path, typer.Option(help="Folder for detectability.csv, detectability.md and the figures.")],
    spectra: Annotated[list[Path], typer.Option(help="Spectra, {dataset}/{noise}.csv; may be repeated.")],
    config: ConfigFile = None,
) -> None:
    """Write the table and the figures of detectability, noise power spectra and task transfer functions."""
    from fplbench.reporting.detectability import write_detectability

    shown = read_presentation(config)
    write_detectability(scores, spectra, out_dir, shown.labels, shown.note)
