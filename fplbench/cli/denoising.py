"""Commands that run a method over a stack, or choose its options."""

from pathlib import Path
from typing import Annotated

import typer

from fplbench import DEFAULT_SEED
from fplbench.cli import datasets
from fplbench.cli.options import DeviceName, OptionsJson, Seed, Threads, parse_json, read_options

Method = Annotated[str, typer.Argument(help="Name of the method, for instance median_filter.")]
Weights = Annotated[Path | None, typer.Option(help="Weight file, for methods that are trained networks.")]
Device = Annotated[str | None, typer.Option(help="auto, cpu or cuda; for methods that are trained networks.")]


def register(app: typer.Typer) -> None:
    """Add this part's commands."""
    app.command("denoise")(denoise)
    app.command("tune")(tune)
    app.command("methods")(methods)
    app.command("cost")(cost)
    app.command("train-cvf-sid")(train_cvf_sid)
    app.command("new-baseline")(new_baseline)
    datasets.fetch.command("drunet")(fetch_drunet)


def denoise(
    method: Method,
    noisy: Annotated[Path, typer.Argument(help="Stack of noisy images, .npy.")],
    denoised: Annotated[Path, typer.Argument(help="Stack to write, .npy.")],
    options: OptionsJson = "{}",
    options_file: Annotated[Path | None, typer.Option(help="Options as a JSON file, such as tune writes.")] = None,
    weights: Weights = None,
    threads: Threads = 1,
    device: Device = None,
) -> None:
    """Denoise a stack with one method."""
    from fplbench.baselines import denoise_file

    values = _read_options_file(options_file) | parse_json(options) | _place(method, weights, device)
    denoise_file(method, noisy, denoised, values, threads)


def tune(
    method: Method,
    clean: Annotated[Path, typer.Argument(help="Stack of clean training images, .npy.")],
    noisy: Annotated[Path, typer.Argument(help="The same images with noise, .npy.")],
    chosen: Annotated[Path, typer.Argument(help="File to write the chosen options to, .json.")],
    search: Annotated[Path | None, typer.Option(help="File to write every combination and its scores to, .csv.")] = None,
    options: OptionsJson = "{}",
    images: Annotated[int, typer.Option(min=1, help="Images to use, evenly spread over the stack.")] = 50,
    criterion: Annotated[str, typer.Option(help="What to maximise, psnr or ssim.")] = "psnr",
    weights: Weights = None,
    threads: Threads = 1,
    device: Device = None,
) -> None:
    """Choose a method's options on training images, from the values it declares; --options are kept as given."""
    from fplbench.baselines.tuning import tune_files

    settings = {"place": _place(method, weights, device), "images": images, "criterion": criterion, "threads": threads}
    tune_files(method, clean, noisy, chosen, search, parse_json(options), **settings)


def train_cvf_sid(
    noisy: Annotated[Path, typer.Argument(help="Stack of noisy training images, .npy.")],
    out: Annotated[Path, typer.Argument(help="Weight file to write, .safetensors.")],
    options: OptionsJson = "{}",
    seed: Seed = DEFAULT_SEED,
    threads: Threads = 1,
    device: DeviceName = "auto",
) -> None:
    """Train CVF-SID on noisy images alone, for the method cvf_sid."""
    import torch

    from fplbench.training.cvf_sid import CvfSidTrainingOptions, train_cvf_sid

    torch.set_num_threads(threads)
    train_cvf_sid(noisy, out, read_options(CvfSidTrainingOptions, options, "cvf_sid"), seed, device)


def cost(
    out: Annotated[Path, typer.Argument(help="Table to write, .csv.")],
    scores: Annotated[Path, typer.Argument(help="The long table of scores.")],
    benchmarks: Annotated[list[Path], typer.Argument(help="Files {dataset}/{noise}/{method}.tsv, or folders.")],
    figure: Annotated[Path | None, typer.Option(help="Picture of quality against cost to write.")] = None,
    metric: Annotated[str, typer.Option(help="Quality in the picture, psnr or ssim.")] = "psnr",
    labels: Annotated[str, typer.Option(help="Labels of methods as JSON.", metavar="JSON")] = "{}",
) -> None:
    """Write seconds an image and peak memory of every method, from Snakemake's benchmark files."""
    from fplbench.reporting.cost import cost_figure, write_cost
    from fplbench.reporting.labels import Labels

    write_cost(out, scores, benchmarks)
    if figure is not None:
        cost_figure(figure, out, metric, Labels(parse_json(labels, "--labels")))


def methods(
    names: Annotated[list[str] | None, typer.Argument(help="Methods to describe; all if none is named.")] = None,
) -> None:
    """Print the methods with their options, defaults and the values that tuning tries."""
    from fplbench.baselines.documentation import describe_methods

    typer.echo(describe_methods(names))


def new_baseline(
    name: Annotated[str, typer.Argument(help="Name of the method: lower case, digits and underscores.")],
    root: Annotated[Path, typer.Option(help="Folder of the repository.")] = Path(),
) -> None:
    """Write a new method's file and its test, to start from; it works at once."""
    from fplbench.baselines.scaffold import write_baseline

    for path in write_baseline(name, root):
        typer.echo(f"Written: {path}")


def fetch_drunet(
    path: Annotated[Path, typer.Argument(help="File to write.")] = Path("weights/drunet_gray.pth"),
    sha256: Annotated[str | None, typer.Option(help="Hash that the file must have.")] = None,
) -> None:
    """Get DRUNet's published weights (130 MB), for the method dpir."""
    from fplbench.networks.published_weights import fetch_drunet

    typer.echo(f"DRUNet's weights are at {fetch_drunet(path, sha256)}.")


def _place(method: str, weights: Path | None, device: str | None) -> dict:
    """The options that say where a network is and runs; a method for the processor has no device to choose."""
    from fplbench.baselines import BASELINES

    values = {"weights": str(weights)} if weights is not None else {}
    if device is not None and BASELINES[method].gpu:
        values["device"] = device
    return values


def _read_options_file(path: Path | None) -> dict:
    from fplbench.errors import InputError

    if path is None:
        return {}
    try:
        return parse_json(path.read_text(), str(path))
    except FileNotFoundError:
        raise InputError(f"The options file {path} does not exist.") from None
