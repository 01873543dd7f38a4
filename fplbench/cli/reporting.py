"""Commands that score stacks, and make tables and figures."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from fplbench import DEFAULT_SEED
from fplbench.cli.options import DeviceName, Seed, parse_json, read_explanation
from fplbench.errors import InputError

LabelsJson = Annotated[
    str, typer.Option("--labels", help="Labels of own methods, noises and data sets, as a JSON object.", metavar="JSON")
]
ExplanationJson = Annotated[str, typer.Option(help="Readout, activation and beta, as a JSON object.", metavar="JSON")]
Note = Annotated[str, typer.Option(help="A sentence for the caption.")]
Across = Literal["dataset", "noise"]
Reference = Annotated[str | None, typer.Option(help="The method whose lead over the others is shown.", show_default="fpl")]
ImageNumber = Annotated[int | None, typer.Option(help="Which image, counted from 0.", show_default="the middle one")]


def register(app: typer.Typer) -> None:
    """Add this part's commands."""
    app.command("score")(score)
    app.command("collate")(collate)
    app.command("table")(table)
    app.command("figure")(figure)
    app.command("noise-figure")(noise_figure)
    app.command("manifest")(manifest)
    app.command("report")(report)
    app.command("training-figure")(training_figure)
    app.command("explainability")(explainability)
    app.command("ablation")(ablation)
    app.command("generalisation")(generalisation)


def score(
    clean: Annotated[Path, typer.Argument(help="Stack of clean images, .npy, with its index.")],
    out_dir: Annotated[Path, typer.Argument(help="Folder for the scores, {method}.csv, one row an image.")],
    denoised: Annotated[list[Path], typer.Argument(help="Stacks to score, {method}.npy, each of the shape of the clean one.")],
    rule: Annotated[str, typer.Option(help="The rule that makes the stacks, named where one is wrong.", metavar="NAME")] = "",
) -> None:
    """Score denoised stacks against the clean one: PSNR, wrapped PSNR and SSIM of each image.

    In --rule, {method} stands for the name of the stack.
    """
    from fplbench import scoring

    for stack in denoised:
        try:
            scoring.score(clean, stack, out_dir / f"{stack.stem}.csv")
        except InputError as error:
            maker = f" It is made by the rule {rule.replace('{method}', stack.stem)}." if rule else ""
            raise InputError(f"{error}{maker}") from None


def collate(
    output: Annotated[Path, typer.Argument(help="Long table to write, .csv.")],
    scores: Annotated[
        list[Path],
        typer.Argument(help="Score files {dataset}/{noise}/{method}.csv; a folder stands for all such files below it."),
    ],
    feature_scores: Annotated[
        list[Path] | None,
        typer.Option(help="Feature error file {dataset}/{noise}.csv, or a folder of them; may be repeated."),
    ] = None,
) -> None:
    """Put score files into one long table."""
    from fplbench.reporting import scores as long_table

    long_table.collate(output, scores, feature_scores or ())


def table(
    scores: Annotated[Path, typer.Argument(help="Long table of scores, .csv.")],
    dataset: Annotated[str, typer.Argument(help="Name of the data set, for instance lidc.")],
    out_dir: Annotated[Path, typer.Option(help="Folder for {dataset}.tex, .md, .html and .csv.")],
    note: Note = "",
    labels: LabelsJson = "{}",
    reference: Reference = None,
    seed: Seed = DEFAULT_SEED,
) -> None:
    """Write the table of a data set as LaTeX, Markdown, HTML and csv."""
    from fplbench.reporting.labels import Labels
    from fplbench.reporting.scores import read_dataset
    from fplbench.reporting.tables import build_table
    from fplbench.reporting.writing import write_table

    names = Labels(_texts(labels, "--labels"))
    write_table(build_table(dataset, read_dataset(scores, dataset), seed, names, note, reference), out_dir)


def figure(
    output: Annotated[Path, typer.Argument(help="Picture to write, .png, .pdf or .svg.")],
    clean: Annotated[Path, typer.Argument(help="Stack of clean images, with its index.")],
    noisy: Annotated[Path, typer.Argument(help="Noisy stack, named {noise}/{split}.npy.")],
    denoised: Annotated[list[Path], typer.Argument(help="Denoised stacks, named {method}.npy; features are shown of the first.")],
    restoration: Annotated[
        Path | None, typer.Option(help="Weights of the restoration network, .safetensors; without, no features are shown.")
    ] = None,
    image: ImageNumber = None,
    explanation: ExplanationJson = "{}",
    device: DeviceName = "auto",
    note: Note = "",
    labels: LabelsJson = "{}",
) -> None:
    """Draw one image: clean, noisy, denoised by several methods, and its features."""
    from fplbench.reporting.figures import example_figure
    from fplbench.reporting.labels import Labels

    names = Labels(_texts(labels, "--labels"))
    example_figure(output, clean, noisy, denoised, restoration, _explanation(explanation, device), image, note, names)


def noise_figure(
    output: Annotated[Path, typer.Argument(help="Picture to write, .png, .pdf or .svg.")],
    clean: Annotated[Path, typer.Argument(help="Stack of clean images, with its index.")],
    noisy: Annotated[list[Path], typer.Argument(help="Noisy stacks, named {noise}/{split}.npy.")],
    image: ImageNumber = None,
    note: Note = "",
    labels: LabelsJson = "{}",
) -> None:
    """Draw one image with every noise."""
    from fplbench.reporting.figures import noise_figure as draw_noises
    from fplbench.reporting.labels import Labels

    draw_noises(output, clean, noisy, image, note, Labels(_texts(labels, "--labels")))


def manifest(
    output: Annotated[Path, typer.Argument(help="Manifest to write, .json.")],
    files: Annotated[list[Path] | None, typer.Argument(help="Files to pin by SHA-256.")] = None,
    config: Annotated[str, typer.Option(help="The resolved configuration, as a JSON object.", metavar="JSON")] = "{}",
    seed: Seed = DEFAULT_SEED,
) -> None:
    """Write down what a run was made with: versions, machine, seed, configuration, hashes of files."""
    import json

    from fplbench.reporting.manifest import manifest as describe
    from fplbench.reporting.writing import write_text

    run = describe(parse_json(config, "--config"), seed, files or ())
    write_text(output, json.dumps(run, indent=2) + "\n")


def report(
    output: Annotated[Path, typer.Argument(help="Page to write, .html.")],
    scores: Annotated[Path, typer.Argument(help="Long table of scores, .csv.")],
    run: Annotated[Path, typer.Option(help="Manifest of the run, .json.")],
    figures: Annotated[str, typer.Option(help="Captions by path of picture, as a JSON object.", metavar="JSON")] = "{}",
    notes: Annotated[str, typer.Option(help="Caption notes by data set, as a JSON object.", metavar="JSON")] = "{}",
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "Medical image denoising benchmark",
    note: Annotated[str, typer.Option(help="A sentence below the heading.")] = "",
    labels: LabelsJson = "{}",
    reference: Reference = None,
    seed: Seed = DEFAULT_SEED,
) -> None:
    """Write the report of a run as one HTML page, its figures inside."""
    from fplbench.reporting import report as reporting
    from fplbench.reporting.labels import Labels
    from fplbench.reporting.scores import read_scores
    from fplbench.reporting.tables import build_table
    from fplbench.reporting.writing import write_text

    names = Labels(_texts(labels, "--labels"))
    captions = _texts(notes, "--notes")
    tables = [
        build_table(dataset, found, seed, names, captions.get(dataset, ""), reference)
        for dataset, found in read_scores(scores).items()
    ]
    pictures = _texts(figures, "--figures")
    write_text(output, reporting.report(tables, pictures, reporting.read_manifest(run), title, note))


def training_figure(
    output: Annotated[Path, typer.Argument(help="Picture to write, .png, .pdf or .svg.")],
    logs: Annotated[list[Path], typer.Argument(help="Training logs, .csv; several are drawn over each other.")],
) -> None:
    """Draw training logs: losses, gradient norms, learning rate, speed, memory."""
    from fplbench.reporting import training

    training.training_figure(output, logs)


def explainability(
    output: Annotated[Path, typer.Argument(help="Picture to write, .png, .pdf or .svg.")],
    clean: Annotated[Path, typer.Argument(help="Stack of clean images, with its index.")],
    noisy: Annotated[Path, typer.Argument(help="Noisy stack, named {noise}/{split}.npy.")],
    denoised: Annotated[list[Path], typer.Argument(help="Denoised stacks, named {method}.npy.")],
    restoration: Annotated[Path, typer.Option(help="Weights of the restoration network, .safetensors.")],
    image: ImageNumber = None,
    explanation: ExplanationJson = "{}",
    device: DeviceName = "auto",
    note: Note = "",
    labels: LabelsJson = "{}",
) -> None:
    """Draw the feature maps of one image, clean, noisy and denoised, and their differences."""
    from fplbench.reporting.explainability import explainability_figure
    from fplbench.reporting.labels import Labels

    names = Labels(_texts(labels, "--labels"))
    explainability_figure(output, clean, noisy, denoised, restoration, _explanation(explanation, device), image, note, names)


def ablation(
    scores: Annotated[Path, typer.Argument(help="Long table of scores whose methods are named {variant}-{seed}, .csv.")],
    out_dir: Annotated[Path, typer.Option(help="Folder for ablation.csv, ablation.md and ablation_{dataset}.png.")],
    control: Annotated[str, typer.Option(help="The variant that others are compared with.")],
    labels: LabelsJson = "{}",
    seed: Seed = DEFAULT_SEED,
) -> None:
    """Compare variants of a method, each trained with several seeds, with a control."""
    from fplbench.reporting.ablation import write_ablation
    from fplbench.reporting.labels import Labels

    write_ablation(scores, out_dir, control, seed, Labels(_texts(labels, "--labels")))


def generalisation(
    scores: Annotated[
        Path,
        typer.Argument(help="Long table of scores whose methods are named by what their model was trained on, .csv."),
    ],
    across: Annotated[Across, typer.Argument(help="Whether methods are named by data set or by noise.")],
    out_dir: Annotated[Path, typer.Option(help="Folder for generalisation_{across}.csv and .png.")],
    labels: LabelsJson = "{}",
    seed: Seed = DEFAULT_SEED,
) -> None:
    """Show how models do on data sets, or on noises, they were not trained on."""
    from fplbench.reporting.generalisation import write_generalisation
    from fplbench.reporting.labels import Labels

    write_generalisation(scores, out_dir, across, seed, Labels(_texts(labels, "--labels")))


def _explanation(text: str, device: str) -> dict[str, Any]:
    """How feature maps are made, and where, as feature_maps takes it."""
    return {**read_explanation(text), "device": device}


def _texts(text: str, option: str) -> dict[str, str]:
    """Read a JSON object of texts; anything else raises InputError."""
    values = parse_json(text, option)
    for key, value in values.items():
        if not isinstance(value, str):
            raise InputError(f"{option} has {value!r} for {key!r}: a text is needed.")
    return values
