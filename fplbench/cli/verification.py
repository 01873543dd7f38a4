"""Commands that verify and compare runs."""

import shutil
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fplbench.cli.options import Threads
from fplbench.errors import InputError

if TYPE_CHECKING:
    from fplbench.verification.results import Results

ResultsFolder = Annotated[Path, typer.Argument(help="Folder of a finished run, which has its run.json.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
    app.command("verify")(verify)
    app.command("compare")(compare)


def verify(
    results: ResultsFolder,
    quick: Annotated[bool, typer.Option("--quick", help="Compare hashes and the config only; compute nothing again.")] = False,
    threads: Threads = 1,
) -> None:
    """Check that a folder of results is consistent with itself; exit code 0 if it is, 1 if not.

    Every file that run.json lists is compared with its hash, and config.json with the config there; a file that is read and not
    listed there fails. Scores are computed again from the denoised stacks that were kept, long tables joined again from the
    scores, the mean scores in cost.csv computed again, and tables/, paper/ and report.html made again from these. The noisy
    images are compared with those that were scored. Numbers that are computed again may differ by a millionth, as other
    processors round otherwise.

    Compared by their hashes alone: clean images and lesions, noisy training images, weights, tuned options and grey maps, scores
    and maps of features, seconds, memory and sizes in cost.csv, figures, explorer pages, and lesions.md. Files that run.json does
    not list are counted, except logs/, benchmarks/, cost/, features/, hashes/, headers.csv, tables beside a stack or weights, and
    the folders of separate targets such as ablation/.

    This shows that the files of a folder belong together, not that whoever made them was honest.
    """
    from fplbench.verification.results import open_results
    from fplbench.verification.verifying import verdict
    from fplbench.verification.verifying import verify as run_checks

    run = open_results(results)
    checks = []
    for check in run_checks(run, {"tables": _tables_of(run), "paper": _paper_of(run)}, _report_of(run), quick, threads):
        typer.echo("\n".join(check.lines))
        checks.append(check)
    typer.echo("\n".join(verdict(run, checks)))
    if any(check.faults for check in checks):
        raise typer.Exit(1)


def compare(
    run_a: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    run_b: Annotated[Path, typer.Argument(help="Folder of another one.")],
    csv: Annotated[Path | None, typer.Option(help="Table of all cells to write, .csv.")] = None,
    top: Annotated[
        int,
        typer.Option(
            min=1, help="Cells to list for each metric, those with the largest differences, and lines of cells of one run."
        ),
    ] = 10,
) -> None:
    """Compare two runs cell by cell: the means of every metric, data set, noise and method, the largest differences first.

    Differences have a 95 % interval where both runs scored the same images of enough patients. Keys of the config, versions and
    files that differ are named.
    """
    from fplbench.files import write_csv
    from fplbench.verification import comparing
    from fplbench.verification.comparison_text import csv_rows, describe
    from fplbench.verification.results import open_results

    a, b = open_results(run_a), open_results(run_b)
    found = comparing.compare(a, b)
    typer.echo("\n".join(describe(found, a, b, top)))
    if csv is not None:
        write_csv(csv, csv_rows(found))


def _tables_of(run: "Results") -> "Callable[[str, Path], None]":
    """What writes the tables of a data set of a run into another folder, as the run did."""
    from fplbench.cli.tables import table

    def write(dataset: str, out_dir: Path) -> None:
        folder = run.folder
        table(
            folder / "scores" / f"{dataset}.csv",
            dataset,
            out_dir,
            config=folder / "config.json",
            lesion_scores=_there(folder / "lesion_scores" / dataset),
            sampling=_there(folder / "data" / dataset / "sampling.json"),
            validation=_there(folder / "validation"),
        )

    return write


def _paper_of(run: "Results") -> "Callable[[str, Path], None]":
    """What writes the pages with the paper beside a data set of a run into another folder, as the run did.

    The page holds the figure; libraries of another version draw it otherwise, so that of the run takes its place.
    """
    from fplbench.cli.paper import paper_comparison

    def write(dataset: str, out_dir: Path) -> None:
        out_dir.mkdir(parents=True, exist_ok=True)
        if dataset not in run.config.published:
            return
        page, drawn = out_dir / f"{dataset}.md", out_dir.parent / f"{dataset}_paper.png"
        paper_comparison(page, run.folder / "scores" / f"{dataset}.csv", dataset, drawn, run.folder / "config.json")
        recorded = run.folder / "figures" / drawn.name
        if not recorded.exists():
            raise InputError(f"figures/{drawn.name} is missing.")
        html = page.with_suffix(".html")
        old, new = (b64encode(path.read_bytes()).decode() for path in (drawn, recorded))
        html.write_text(html.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")

    return write


def _report_of(run: "Results") -> "Callable[[Path], None]":
    """What writes the report of a run into another folder, as the run did.

    The report links to the figures and pages beside it, so that folder gets copies of them.
    """
    from fplbench.cli.tables import report

    def write(output: Path) -> None:
        folder, beside = run.folder, output.parent
        for name in ("figures", "explorer", "paper"):
            if (folder / name).exists():
                shutil.copytree(folder / name, beside / name)
        report(
            output,
            folder / "scores.csv",
            folder / "run.json",
            beside / "figures",
            config=folder / "config.json",
            lesion_scores=_there(folder / "lesion_scores"),
            data=folder / "data",
            validation=_there(folder / "validation"),
            explorer=_there(beside / "explorer"),
            paper=_there(beside / "paper"),
        )

    return write


def _there(path: Path) -> Path | None:
    return path if path.exists() else None
