"""Commands that run a method over a stack, or choose its options."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fplbench.cli.options import DeviceName, NumericsJson, OptionsJson, Threads, parse_json, read_numerics

Method = Annotated[str, typer.Argument(help="Name of the method, for instance median_filter.")]
Weights = Annotated[Path | None, typer.Option(help="Weight file, for methods that are trained networks.")]
Images = Annotated[
    int, typer.Option(min=1, help="Training images to tune and to fit grey maps on, evenly spread over the stack.")
]
Criterion = Annotated[Literal["psnr", "ssim"], typer.Option(help="The score that tuning maximises.")]
Device = Annotated[str | None, typer.Option(help="auto, cpu or cuda; for methods that are trained networks.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
    app.command("denoise")(denoise)
    app.command("denoise-group")(denoise_group)
    app.command("tune")(tune)
    app.command("methods")(methods)
    app.command("new-baseline")(new_baseline)


def denoise(
    method: Method,
    noisy: Annotated[Path, typer.Argument(help="Stack of noisy images, .npy.")],
    denoised: Annotated[Path, typer.Argument(help="Stack to write, .npy.")],
    options: OptionsJson = "{}",
    options_file: Annotated[Path | None, typer.Option(help="Options as a JSON file, such as tune writes.")] = None,
    grey_map: Annotated[Path | None, typer.Option(help="Grey map to apply to the result, .json, such as tune writes.")] = None,
    weights: Weights = None,
    numerics: NumericsJson = "{}",
    threads: Threads = 1,
    device: Device = None,
) -> None:
    """Denoise a stack with one method."""
    from fplbench.denoising.grey_map import read_grey_map
    from fplbench.methods import denoise_file

    values = _read_options_file(options_file) | parse_json(options) | _place(method, weights, device)
    _use_numerics(method, numerics)
    denoise_file(method, noisy, denoised, values, threads, None if grey_map is None else read_grey_map(grey_map))


def denoise_group(
    noisy: Annotated[Path, typer.Argument(help="Stack of noisy images, .npy.")],
    out_dir: Annotated[Path, typer.Argument(help="Folder for the denoised stacks, {name}.npy.")],
    methods: Annotated[
        str,
        typer.Option(
            help="By name of the denoised stack, an object with method, and where needed options, tune, grey_map, "
            "grey_map_file, weights, device.",
            metavar="JSON",
        ),
    ],
    cost: Annotated[Path, typer.Option(help="File for seconds, peak memory and size of each method, .csv.")],
    train_clean: Annotated[
        Path | None, typer.Option(help="Clean training images, for methods that are tuned or get a grey map.")
    ] = None,
    train_noisy: Annotated[Path | None, typer.Option(help="The same images with noise.")] = None,
    tuned_dir: Annotated[Path | None, typer.Option(help="Folder for the options and grey maps that are chosen.")] = None,
    images: Images = 50,
    criterion: Criterion = "psnr",
    inserted: Annotated[
        Path | None, typer.Option(help="Noisy stack of images with inserted lesions, for {name}_inserted.npy.")
    ] = None,
    validation: Annotated[Path | None, typer.Option(help="Noisy stack of validation images, for {name}_validation.npy.")] = None,
    numerics: NumericsJson = "{}",
    threads: Threads = 1,
    device: DeviceName = "auto",
) -> None:
    """Tune several methods where asked, and denoise a stack with each, in one process."""
    from fplbench.denoising.groups import Tuning, run_group
    from fplbench.errors import InputError

    tuning = None
    if train_clean and train_noisy and tuned_dir:
        tuning = Tuning(train_clean, train_noisy, tuned_dir, images, criterion)
    elif train_clean or train_noisy or tuned_dir:
        raise InputError("To tune, give all three of --train-clean, --train-noisy and --tuned-dir.")
    further = {name: path for name, path in (("validation", validation), ("inserted", inserted)) if path is not None}
    runs, computing = parse_json(methods, "--methods"), read_numerics(numerics)
    run_group(runs, noisy, out_dir, cost, tuning, threads, device, further, computing)


def tune(
    method: Method,
    clean: Annotated[Path, typer.Argument(help="Stack of clean training images, .npy.")],
    noisy: Annotated[Path, typer.Argument(help="The same images with noise, .npy.")],
    chosen: Annotated[Path, typer.Argument(help="File to write the chosen options to, .json.")],
    search: Annotated[Path | None, typer.Option(help="File to write every combination and its scores to, .csv.")] = None,
    grey_map: Annotated[
        Literal["monotone", "affine"] | None,
        typer.Option(help="Fit a grey map too: a look-up table that never falls, or a line."),
    ] = None,
    map_file: Annotated[Path | None, typer.Option("--map", help="File to write the grey map to, .json.")] = None,
    options: OptionsJson = "{}",
    images: Images = 50,
    criterion: Criterion = "psnr",
    weights: Weights = None,
    numerics: NumericsJson = "{}",
    threads: Threads = 1,
    device: Device = None,
) -> None:
    """Choose a method's options on training images, from the values it declares; --options are kept as given."""
    from fplbench.denoising.tuning import tune_files
    from fplbench.errors import InputError

    if (grey_map is None) != (map_file is None):
        raise InputError("To fit a grey map, give both --grey-map, its kind, and --map, the file to write.")
    settings = {"images": images, "criterion": criterion, "threads": threads, "grey_map": grey_map}
    place = _place(method, weights, device)
    _use_numerics(method, numerics)
    tune_files(method, clean, noisy, chosen, search, parse_json(options), map_file, place=place, **settings)


def methods(
    names: Annotated[list[str] | None, typer.Argument(help="Methods to describe; all if none is named.")] = None,
) -> None:
    """Print the methods with their options, defaults and the values that tuning tries."""
    from fplbench.denoising.documentation import describe_methods

    typer.echo(describe_methods(names))


def new_baseline(
    name: Annotated[str, typer.Argument(help="Name of the method: lower case, digits and underscores.")],
    root: Annotated[Path, typer.Option(help="Folder of the repository.")] = Path(),
    network: Annotated[bool, typer.Option("--network", help="A network that is trained on each noise.")] = False,
) -> None:
    """Write a new method's file and its test, or a network's file, to start from; it works at once."""
    from fplbench.denoising.scaffold import write_baseline, write_network

    for path in [write_network(name, root)] if network else write_baseline(name, root):
        typer.echo(f"Written: {path}")


def _place(method: str, weights: Path | None, device: str | None) -> dict:
    """The options that say where a network is, and where it runs."""
    from fplbench.errors import InputError
    from fplbench.methods import METHODS

    values = {"weights": str(weights)} if weights is not None else {}
    if METHODS[method].gpu:
        return values if device is None else {**values, "device": device}
    if device not in (None, "auto", "cpu", "cuda"):
        raise InputError(f"device {device!r} is not known: it is auto, cpu or cuda.")
    if device == "cuda":
        raise InputError(f"The method {method!r} runs on the CPU only: leave out --device {device}.")
    return values


def _use_numerics(method: str, numerics: str) -> None:
    """Set torch's switches, if the method is a network: others do not load torch."""
    from fplbench.methods import METHODS
    from fplbench.numerics import use_numerics

    options = read_numerics(numerics)
    if METHODS[method].gpu:
        use_numerics(options)


def _read_options_file(path: Path | None) -> dict:
    from fplbench.errors import InputError

    if path is None:
        return {}
    try:
        return parse_json(path.read_text(), str(path))
    except FileNotFoundError:
        raise InputError(f"The options file {path} does not exist.") from None
