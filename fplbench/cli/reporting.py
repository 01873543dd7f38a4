"""Commands that make tables, figures and the report. They take labels, notes and seed from the resolved config of the run."""

from pathlib import Path
from typing import Annotated

import typer

from fplbench.cli.options import ConfigFile, DeviceName, Stacks, read_run, read_stacks

Scores = Annotated[Path, typer.Argument(help="Long table of scores, .csv.")]
Picture = Annotated[Path, typer.Argument(help="Picture to write, .png, .pdf or .svg.")]
Clean = Annotated[Path, typer.Argument(help="Stack of clean images, .npy, with its index.")]
Noisy = Annotated[Path, typer.Argument(help="Noisy stack, named {noise}/{split}.npy.")]
Dataset = Annotated[str, typer.Option(help="The data set, whose note stands below the figure.")]
Reference = Annotated[str | None, typer.Option(help="The method whose lead over the others is shown.", show_default="fpl")]
ImageNumber = Annotated[
    int | None, typer.Option(help="Which image, counted from 0.", show_default="the config's, or the middle one")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
    app.command("table")(table)
    app.command("figure")(figure)
    app.command("noise-figure")(noise_figure)
    app.command("noise-sheet")(noise_sheet)
    app.command("feature-figure")(feature_figure)
    app.command("training-figure")(training_figure)
    app.command("cost")(cost)
    app.command("manifest")(manifest)
    app.command("report")(report)


def table(
    scores: Scores,
    dataset: Annotated[str, typer.Argument(help="Name of the data set, for instance lidc.")],
    out_dir: Annotated[Path, typer.Option(help="Folder for {dataset}.tex, .md, .html and .csv.")],
    config: ConfigFile = None,
    reference: Reference = None,
) -> None:
    """Write the table of a data set as LaTeX, Markdown, HTML and csv."""
    from fplbench.reporting.captions import presentation
    from fplbench.reporting.scores import read_dataset
    from fplbench.reporting.tables import build_table
    from fplbench.reporting.writing import write_table

    shown = presentation(read_run(config), dataset)
    found = build_table(dataset, read_dataset(scores, dataset), shown.seed, shown.labels, shown.note, reference)
    write_table(found, out_dir)


def figure(
    output: Picture,
    clean: Clean,
    noisy: Noisy,
    denoised: Annotated[list[Path], typer.Argument(help="Denoised stacks, {method}.npy; features are shown of the first.")],
    restoration: Annotated[
        Path | None, typer.Option(help="Weights of the restoration network, .safetensors; without, no features are shown.")
    ] = None,
    config: ConfigFile = None,
    dataset: Dataset = "",
    image: ImageNumber = None,
    device: DeviceName = "auto",
) -> None:
    """Draw one image: clean, noisy, denoised by several methods, and its features."""
    from fplbench.reporting.captions import presentation
    from fplbench.reporting.figures import example_figure

    shown = presentation(read_run(config), dataset)
    image = shown.image if image is None else image
    explanation = {**shown.explanation, "device": device}
    example_figure(output, clean, noisy, denoised, restoration, explanation, image, shown.note, shown.labels)


def noise_figure(
    output: Picture,
    clean: Clean,
    noisy: Annotated[list[Path], typer.Argument(help="Noisy stacks, named {noise}/{split}.npy.")],
    config: ConfigFile = None,
    dataset: Dataset = "",
    image: ImageNumber = None,
) -> None:
    """Draw one image with every noise."""
    from fplbench.reporting.captions import presentation
    from fplbench.reporting.figures import noise_figure as draw_noises

    shown = presentation(read_run(config), dataset)
    draw_noises(output, clean, noisy, shown.image if image is None else image, shown.note, shown.labels)


def noise_sheet(
    output: Picture,
    clean: Stacks,
    config: ConfigFile = None,
    image: ImageNumber = None,
) -> None:
    """Draw every noise on an image of each data set, with a magnified part and the difference.

    The noises and their options are those of the config.
    """
    from fplbench.config import load_config
    from fplbench.reporting.captions import presentation
    from fplbench.reporting.noise_sheet import contact_sheet

    stacks = read_stacks(clean)
    run = read_run(config) or load_config({"datasets": list(stacks)})
    options = {dataset: {noise: run.noise_options(dataset, noise) for noise in run.noises} for dataset in stacks}
    shown = presentation(run)
    image = shown.image if image is None else image
    contact_sheet(output, stacks, options, seed=shown.seed, image=image, captions=run.notes)


def feature_figure(
    output: Picture,
    clean: Clean,
    noisy: Noisy,
    denoised: Annotated[list[Path], typer.Argument(help="Denoised stacks, {method}.npy.")],
    restoration: Annotated[Path, typer.Option(help="Weights of the restoration network, .safetensors.")],
    config: ConfigFile = None,
    dataset: Dataset = "",
    image: ImageNumber = None,
    device: DeviceName = "auto",
) -> None:
    """Draw the feature maps of one image, clean, noisy and denoised, and their differences."""
    from fplbench.reporting.captions import presentation
    from fplbench.reporting.explainability import explainability_figure

    shown = presentation(read_run(config), dataset)
    image = shown.image if image is None else image
    explanation = {**shown.explanation, "device": device}
    explainability_figure(output, clean, noisy, denoised, restoration, explanation, image, shown.note, shown.labels)


def training_figure(
    output: Picture,
    logs: Annotated[list[Path], typer.Argument(help="Training logs, .csv; several are drawn over each other.")],
) -> None:
    """Draw training logs: losses, gradient norms, learning rate, speed, memory."""
    from fplbench.reporting.training import training_figure

    training_figure(output, logs)


def cost(
    out: Annotated[Path, typer.Argument(help="Table to write, .csv.")],
    scores: Scores,
    costs: Annotated[Path, typer.Argument(help="Folder with {dataset}/{noise}/{group}.csv, as denoise-group writes them.")],
    benchmarks: Annotated[
        Path | None,
        typer.Option(help="Folder with {dataset}/{noise}/{method}.tsv of Snakemake, for methods in other languages."),
    ] = None,
    figure: Annotated[Path | None, typer.Option(help="Picture of quality against cost to write.")] = None,
    config: ConfigFile = None,
) -> None:
    """Write seconds an image and peak memory of every method, beside its mean scores."""
    from fplbench.reporting.captions import presentation
    from fplbench.reporting.cost import cost_figure, write_cost

    write_cost(out, scores, costs, benchmarks)
    if figure is not None:
        cost_figure(figure, out, labels=presentation(read_run(config)).labels)


def manifest(
    output: Annotated[Path, typer.Argument(help="Manifest to write, .json.")],
    files: Annotated[list[Path] | None, typer.Argument(help="Files to pin by SHA-256.")] = None,
    config: ConfigFile = None,
) -> None:
    """Write what a run was made with: versions, machine, config, hashes of files."""
    import json

    from fplbench.files import write_text
    from fplbench.reporting.manifest import manifest as describe

    found = read_run(config)
    run = describe({} if found is None else found.resolved(), files or ())
    write_text(output, json.dumps(run, indent=2) + "\n")


def report(
    output: Annotated[Path, typer.Argument(help="Page to write, .html.")],
    scores: Scores,
    run: Annotated[Path, typer.Option(help="Manifest of the run, .json.")],
    figures: Annotated[Path, typer.Option(help="Folder with the figures of the run.")],
    config: ConfigFile = None,
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "Medical image denoising benchmark",
    reference: Reference = None,
) -> None:
    """Write the report of a run as one HTML page, its figures inside."""
    from fplbench.files import write_text
    from fplbench.reporting import report as reporting
    from fplbench.reporting.captions import figure_captions, presentation
    from fplbench.reporting.scores import read_scores
    from fplbench.reporting.tables import build_table

    found = read_run(config)
    tables = []
    for dataset, noises in read_scores(scores).items():
        shown = presentation(found, dataset)
        tables.append(build_table(dataset, noises, shown.seed, shown.labels, shown.note, reference))
    pictures = {} if found is None else figure_captions(found)
    captions = {str(figures / f"{name}.png"): caption for name, caption in pictures.items()}
    write_text(output, reporting.report(tables, captions, reporting.read_manifest(run), title, presentation(found).note))
