"""Commands that make figures, costs and the manifest; those of tables and the report are in `tables`.

Labels, notes and the seed come from the resolved config of the run.
"""

from pathlib import Path
from typing import Annotated

import typer

from fplbench.cli import fair
from fplbench.cli.options import ConfigFile, DeviceName, Stacks, read_run, read_stacks
from fplbench.cli.tables import Scores, read_presentation, report, table

Picture = Annotated[Path, typer.Argument(help="Picture to write, .png, .pdf or .svg.")]
Clean = Annotated[Path, typer.Argument(help="Stack of clean images, .npy, with its index.")]
Noisy = Annotated[Path, typer.Argument(help="Noisy stack, named {noise}/{split}.npy.")]
Dataset = Annotated[str, typer.Option(help="Name of the data set, whose note is written below the figure.")]
Image = Annotated[
    str | None,
    typer.Option(
        help="Which image: its image_id, or its position, counted from 0.",
        show_default="from the config, or the one with the largest lesion, or the middle one",
    ),
]
Also = Annotated[
    Path | None, typer.Option(help="A second picture of the same figure, such as a .pdf, with vector frames and lettering.")
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
    fair.register(app)


def figure(
    output: Picture,
    clean: Clean,
    noisy: Noisy,
    denoised: Annotated[list[Path], typer.Argument(help="Denoised stacks, named {method}.npy; feature maps: of the first.")],
    restoration: Annotated[
        Path | None, typer.Option(help="Weights of the restoration network, .safetensors; without it, no feature maps are drawn.")
    ] = None,
    config: ConfigFile = None,
    dataset: Dataset = "",
    image: Image = None,
    device: DeviceName = "auto",
    also: Also = None,
) -> None:
    """Draw one image: clean, noisy and denoised by several methods, with feature maps."""
    from fplbench.reporting.figures import example_figure

    shown = read_presentation(config, dataset, image)
    explanation = {**shown.explanation, "device": device}
    about = (shown.image, shown.about, shown.labels, dataset, also)
    example_figure(output, clean, noisy, denoised, restoration, explanation, *about)


def noise_figure(
    output: Picture,
    clean: Clean,
    noisy: Annotated[list[Path], typer.Argument(help="Noisy stacks, named {noise}/{split}.npy.")],
    config: ConfigFile = None,
    dataset: Dataset = "",
    image: Image = None,
    also: Also = None,
) -> None:
    """Draw one image with every noise."""
    from fplbench.reporting.noise_figure import noise_figure as draw_noises

    shown = read_presentation(config, dataset, image)
    draw_noises(output, clean, noisy, shown.image, shown.note, shown.labels, dataset, also)


def noise_sheet(
    output: Picture,
    clean: Stacks,
    config: ConfigFile = None,
    image: Image = None,
) -> None:
    """Draw every noise on one image of each data set, with a magnified detail and the difference.

    Noises that the config does not name, and all of them without a config, have their default options.
    """
    from fplbench.reporting.captions import noise_levels, presentation, sheet_captions
    from fplbench.reporting.noise_sheet import contact_sheet

    stacks = read_stacks(clean)
    run = read_run(config)
    options = {} if run is None else {dataset: noise_levels(run, dataset) for dataset in stacks}
    captions = sheet_captions(run, list(stacks))
    images = {dataset: presentation(run, dataset).image if image is None else image for dataset in stacks}
    shown = presentation(run)
    contact_sheet(output, stacks, options, seed=shown.seed, images=images, captions=captions, note=shown.note)


def feature_figure(
    output: Picture,
    clean: Clean,
    noisy: Noisy,
    denoised: Annotated[list[Path], typer.Argument(help="Denoised stacks, named {method}.npy.")],
    restoration: Annotated[Path, typer.Option(help="Weights of the restoration network, .safetensors.")],
    config: ConfigFile = None,
    dataset: Dataset = "",
    image: Image = None,
    device: DeviceName = "auto",
    also: Also = None,
    lesion: Annotated[
        Path | None, typer.Option(help="Weights of a network that finds lesions, .safetensors, whose maps are drawn below.")
    ] = None,
) -> None:
    """Draw the feature maps of one image, clean, noisy and denoised by each method, and their differences."""
    from fplbench.reporting.explainability import explainability_figure

    shown = read_presentation(config, dataset, image)
    explanation = {**shown.explanation, "device": device}
    about = (shown.image, shown.about, shown.labels, dataset, also)
    explainability_figure(output, clean, noisy, denoised, restoration, explanation, *about, lesion)


def training_figure(
    output: Picture,
    logs: Annotated[list[Path], typer.Argument(help="Training logs, .csv; several are drawn in the same axes.")],
    config: ConfigFile = None,
) -> None:
    """Draw training logs: losses, gradient norms, learning rate, speed and memory."""
    from fplbench.reporting.training import training_figure as draw_logs

    shown = read_presentation(config)
    draw_logs(output, logs, shown.note, shown.labels)


def cost(
    out: Annotated[Path, typer.Argument(help="Table to write, .csv.")],
    scores: Scores,
    costs: Annotated[Path, typer.Argument(help="Folder with {dataset}/{noise}/{group}.csv, as denoise-group writes them.")],
    benchmarks: Annotated[
        Path | None,
        typer.Option(help="Folder with Snakemake's {dataset}/{noise}/{method}.tsv, for methods in other languages."),
    ] = None,
    figure: Annotated[Path | None, typer.Option(help="Picture to write, of quality against cost.")] = None,
    group: Annotated[list[str] | None, typer.Option(help="Name of a group to read; all, if none is named. Repeat it.")] = None,
    network: Annotated[
        list[str] | None, typer.Option(help="A method's weight file, to count its network, as fpl=PATH. Repeat it.")
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Write the seconds for each image, the peak memory and the size of every method, with its mean scores."""
    from fplbench.reporting.captions import presentation
    from fplbench.reporting.cost import write_cost
    from fplbench.reporting.cost_figure import cost_figure
    from fplbench.reporting.tables import REFERENCE

    run = read_run(config)
    networks = dict(each.split("=", 1) for each in network or ())
    write_cost(out, scores, costs, benchmarks, group, networks, 256 if run is None else run.sampling.size)
    if figure is not None:
        shown = presentation(run)
        cost_figure(figure, out, labels=shown.labels, reference=shown.reference or REFERENCE, note=shown.about)


def manifest(
    output: Annotated[Path, typer.Argument(help="Manifest to write, .json.")],
    files: Annotated[
        list[Path] | None, typer.Argument(help="Files to record with their SHA-256, by their paths from the manifest's folder.")
    ] = None,
    hashes: Annotated[
        Path | None,
        typer.Option(help="Folder with the hashes of the denoised stacks that were scored, {dataset}/{noise}.json."),
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Write the versions, machine, config and hashes of files behind a run."""
    import json

    from fplbench.files import write_text
    from fplbench.numerics import NumericsOptions, use_numerics
    from fplbench.reporting.manifest import manifest as describe

    found = read_run(config)
    use_numerics(NumericsOptions() if found is None else found.computing)
    run = describe({} if found is None else found.resolved(), files or (), output.parent, hashes)
    write_text(output, json.dumps(run, indent=2) + "\n")
