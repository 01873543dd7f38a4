"""Commands that show what happened to the lesions. Labels and notes come from the resolved config of the run."""

from pathlib import Path
from typing import Annotated

import typer

from fplbench.cli.options import ConfigFile, read_run
from fplbench.cli.reporting import Noisy, Picture
from fplbench.cli.tables import read_presentation
from fplbench.errors import InputError

Dataset = Annotated[str, typer.Option(help="Name of the data set, for the heading and the note.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
    app.command("lesion-figure")(lesion_figure)
    app.command("recovery-figure")(recovery_figure)
    app.command("lesion-summary")(lesion_summary)


def lesion_figure(
    output: Picture,
    clean: Annotated[Path, typer.Argument(help="Stack of clean images, .npy, with its index and its lesions.")],
    noisy: Noisy,
    denoised: Annotated[
        list[Path], typer.Argument(help="Denoised stacks, named {method}.npy; with --inserted, {method}_inserted.npy.")
    ],
    lesion_scores: Annotated[
        Path | None, typer.Option(help="Lesion scores on this noise, .csv; without them, no contrast recovery is shown.")
    ] = None,
    inserted: Annotated[bool, typer.Option("--inserted", help="Show the inserted lesions, not the annotated ones.")] = False,
    config: ConfigFile = None,
    dataset: Dataset = "",
) -> None:
    """Draw the three largest lesions: clean, noisy and denoised by each method, with their contrast recovery."""
    from fplbench.reporting.lesion_figure import lesion_figure as draw_lesions

    shown = read_presentation(config, dataset)
    draw_lesions(output, clean, noisy, denoised, lesion_scores, inserted, dataset, shown.about, shown.labels)


def recovery_figure(
    output: Picture,
    lesion_scores: Annotated[Path, typer.Argument(help="Folder with the lesion scores of the data set, {noise}.csv.")],
    noises: Annotated[
        list[str] | None, typer.Option(help="A noise to show; may be repeated.", show_default="all of the config, or all scored")
    ] = None,
    config: ConfigFile = None,
    dataset: Dataset = "",
    sampling: Annotated[
        Path | None, typer.Option(help="The data set's sampling.json, which says whether patients are known.")
    ] = None,
) -> None:
    """Draw the contrast recovery of lesions as a heat map of methods and noises."""
    from fplbench.reporting.facts import read_facts
    from fplbench.reporting.recovery_figure import recovery_figure as draw_map

    run = read_run(config)
    for noise in noises or ():
        if not (lesion_scores / f"{noise}.csv").is_file():
            raise InputError(f"{lesion_scores} has no scores of {noise!r}: there is no file {noise}.csv.")
    names = noises or (sorted(file.stem for file in lesion_scores.glob("*.csv")) if run is None else list(run.noises))
    shown = read_presentation(config, dataset)
    draw_map(output, lesion_scores, names, dataset, shown.about, shown.labels, read_facts(sampling).persons_known)


def lesion_summary(
    output: Annotated[Path, typer.Argument(help="Text to write, .md.")],
    lesion_scores: Annotated[Path, typer.Argument(help="Folder with lesion scores, {dataset}/{noise}.csv.")],
    data: Annotated[Path, typer.Option(help="Folder with the sampled images, {dataset}/test.npy.")],
    config: ConfigFile = None,
) -> None:
    """Write in a few lines how many lesions each data set has, and how much of them each method keeps."""
    from fplbench.reporting.lesion_summary import write_lesion_summary

    run = read_run(config)
    if run is None:
        datasets = sorted(path.parent.name for path in data.glob("*/test.npy"))
        noises = sorted({file.stem for file in lesion_scores.glob("*/*.csv")})
    else:
        datasets = list(run.datasets)
        noises = list(dict.fromkeys([*filter(None, [run.figures.noise]), *run.noises]))
    write_lesion_summary(output, lesion_scores, data, datasets, noises, read_presentation(config).labels)
