"""Commands that make tables and the report. Labels, notes and the seed come from the resolved config of the run."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fplbench.cli.options import ConfigFile, read_run
from fplbench.errors import InputError

if TYPE_CHECKING:
    from fplbench.config import Config
    from fplbench.reporting.facts import Facts
    from fplbench.reporting.lesion_scores import LesionScores
    from fplbench.reporting.presentation import Presentation
    from fplbench.reporting.scores import NoiseScores
    from fplbench.reporting.tables import Table

Scores = Annotated[Path, typer.Argument(help="Long table of scores, .csv.")]
Reference = Annotated[
    str | None, typer.Option(help="Method that is compared with every other one.", show_default="that of the config")
]
Shown = Annotated[
    list[str] | None,
    typer.Option("--metric", help="Metric that the pages show, in the order of their blocks; repeat it.", show_default="config"),
]
ShownInLatex = Annotated[
    list[str] | None, typer.Option("--latex-metric", help="Metric in the .tex files; repeat it.", show_default="config")
]
LesionScoresFolder = Annotated[
    Path | None, typer.Option("--lesion-scores", help="Folder with the scores of lesions, {noise}.csv.")
]
Sampling = Annotated[Path | None, typer.Option("--sampling", help="What the sampling says about the data set, sampling.json.")]
Validation = Annotated[
    Path | None,
    typer.Option(
        "--validation",
        help="Folder with the scores of validation images, by which rivals are chosen: scores/{dataset}/{noise}.csv and "
        "lesion_scores/{dataset}/{noise}.csv. Without it, they are chosen on the test images.",
    ),
]
DataFolder = Annotated[
    Path | None, typer.Option("--data", help="Folder with {dataset}/sampling.json, which says whether persons are known.")
]


def table(
    scores: Scores,
    dataset: Annotated[str, typer.Argument(help="Name of the data set, for instance lidc.")],
    out_dir: Annotated[Path, typer.Option(help="Folder for {dataset}.tex, .md, .html and .csv.")],
    config: ConfigFile = None,
    reference: Reference = None,
    lesion_scores: LesionScoresFolder = None,
    sampling: Sampling = None,
    validation: Validation = None,
    metrics: Shown = None,
    latex_metrics: ShownInLatex = None,
) -> None:
    """Write the table of a data set as LaTeX, Markdown, HTML and csv."""
    from fplbench.reporting.captions import presentation
    from fplbench.reporting.facts import read_facts
    from fplbench.reporting.repeats import read_dataset
    from fplbench.reporting.writing import write_table

    run = read_run(config)
    build = _builder(run, dataset, reference, metrics)
    found = with_further_scores(build, dataset, read_dataset(scores, dataset), read_facts(sampling), lesion_scores, validation)
    write_table(found, out_dir, latex_metrics or presentation(run, dataset).latex)


def report(
    output: Annotated[Path, typer.Argument(help="Page to write, .html.")],
    scores: Scores,
    run: Annotated[Path, typer.Option(help="Manifest of the run, .json.")],
    figures: Annotated[Path, typer.Option(help="Folder with the figures of the run.")],
    config: ConfigFile = None,
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "fplbench: medical image denoising benchmark",
    reference: Reference = None,
    lesion_scores: Annotated[Path | None, typer.Option(help="Folder with the scores of lesions, {dataset}/{noise}.csv.")] = None,
    data: DataFolder = None,
    validation: Validation = None,
    metrics: Shown = None,
    explorer: Annotated[Path | None, typer.Option(help="Folder with {dataset}.html, pages to look at, to link to.")] = None,
    paper: Annotated[Path | None, typer.Option(help="Folder with {dataset}.html, the paper beside the run, to link to.")] = None,
) -> None:
    """Write the report of a run as one HTML page that includes its figures."""
    from fplbench.files import write_text
    from fplbench.reporting import report as reporting
    from fplbench.reporting.captions import figure_captions, presentation
    from fplbench.reporting.facts import read_all_facts
    from fplbench.reporting.missing import check_datasets
    from fplbench.reporting.repeats import read_columns

    found = read_run(config)
    tables = []
    long = read_columns(scores)
    check_datasets(found, long)
    facts = read_all_facts(data, long)
    for dataset, noises in long.items():
        folder = None if lesion_scores is None else lesion_scores / dataset
        build = _builder(found, dataset, reference, metrics)
        tables.append(with_further_scores(build, dataset, noises, facts[dataset], folder, validation))
    pictures = {} if found is None else figure_captions(found)
    captions = {str(figures / f"{name}.png"): caption for name, caption in pictures.items()}
    manifest, note = reporting.read_manifest(run), presentation(found).note
    pages = {"page": output, "explorer": explorer, "paper": paper}
    write_text(output, reporting.report(tables, captions, manifest, title, note, config=found, **pages))


def read_presentation(config: Path | None, dataset: str = "", image: int | str | None = None) -> "Presentation":
    """How the config of a run presents its tables and figures; an image that is given overrides that of the config."""
    from fplbench.reporting.captions import presentation

    shown = presentation(read_run(config), dataset)
    return shown if image is None else replace(shown, image=image)


def read_lesions(folder: Path | None, noises: "Iterable[str]") -> "tuple[dict[str, LesionScores], dict[str, LesionScores]]":
    """Scores of the annotated and of the inserted lesions of a data set, by noise; none without a folder.

    Raises:
        InputError: the folder does not exist, or a file in it is malformed.
    """
    from fplbench.reporting.lesion_scores import read_lesion_scores

    if folder is None:
        return {}, {}
    if not folder.is_dir():
        raise InputError(f"{folder}, the folder with the scores of lesions, does not exist.")
    noises = list(noises)
    return read_lesion_scores(folder, noises), read_lesion_scores(folder, noises, inserted=True)


def with_further_scores(
    build: "Callable[..., Table]",
    dataset: str,
    scores: "Mapping[str, NoiseScores]",
    facts: "Facts",
    lesion_scores: Path | None,
    validation: Path | None,
) -> "Table":
    """A table of a data set, with the scores of its lesions and the means on validation images where there are any.

    Args:
        build: makes the table from the data set, its scores by noise, and the keywords facts, lesions, inserted and validation.
        dataset: name of the data set.
        scores: its scores by noise.
        facts: what the sampling says about it.
        lesion_scores: folder with {noise}.csv; None for none.
        validation: folder with the scores of validation images; None for none.
    """
    from fplbench.reporting.validation import read_validation

    real, inserted = read_lesions(lesion_scores, scores)
    means = read_validation(validation, dataset, scores)
    return build(dataset, scores, facts=facts, lesions=real, inserted=inserted, validation=means)


def _builder(run: "Config | None", dataset: str, reference: str | None, metrics: list[str] | None) -> "Callable[..., Table]":
    """What makes the table of a data set as its run presents it, but for a reference or metrics that are given."""
    from fplbench.reporting.captions import presentation
    from fplbench.reporting.missing import expected
    from fplbench.reporting.tables import build_table

    shown = presentation(run, dataset)
    return partial(
        build_table, seed=shown.seed, labels=shown.labels, note=shown.note, reference=reference or shown.reference,
        shown=metrics or shown.metrics, protocol=shown.protocol, wanted=expected(run, dataset), partial=shown.partial,
    )  # fmt: skip
