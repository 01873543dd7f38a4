"""The tables of a run, its pages that put the paper beside it, and its report, made again from its scores."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from tqdm import tqdm

from fplbench.errors import InputError
from fplbench.verification.checks import Check, counted
from fplbench.verification.differences import table_difference, text_difference
from fplbench.verification.results import Results

Writer = Callable[[str, Path], None]
"""Writes the tables of a data set, or other files on it, as the run did, into a folder."""
KEYS = ("dataset", "metric", "noise", "method")


def check_pages(results: Results, name: str, write: Writer) -> Check:
    """Compare every file of a folder of the run, such as tables/, with the same one made again.

    Args:
        results: the run.
        name: the folder.
        write: writes the files of a data set into a folder.
    """
    faults: list[str] = []
    files = 0
    with TemporaryDirectory() as folder:
        for dataset in tqdm(results.config.datasets, name, unit="data set", disable=None, leave=False):
            made = Path(folder, dataset)
            try:
                write(dataset, made)
            except InputError as error:
                faults.append(f"{name}/{dataset}: {str(error).removesuffix('.')}")
                continue
            for path in sorted(made.iterdir()):
                files += 1
                faults += _file_faults(results, f"{name}/{path.name}", path)
    return Check(name, f"{counted(files, 'file')} made again from the scores", faults)


def check_report(results: Results, write: Callable[[Path], None]) -> Check:
    """Compare report.html with the same page made again."""
    with TemporaryDirectory() as folder:
        made = Path(folder, "report.html")
        try:
            write(made)
        except InputError as error:
            words = str(error).removesuffix(".").replace(f"{folder}/", "")  # the figures there are copies
            return Check("report", "report.html", [f"report.html: {words}"])
        return Check("report", "report.html made again", _file_faults(results, "report.html", made))


def _file_faults(results: Results, name: str, made: Path) -> list[str]:
    """The first difference between a file of the run and the same one made again."""
    recorded = results.folder / name
    if not recorded.exists():
        return [f"{name} is missing"]
    if made.suffix == ".csv":
        words = table_difference(recorded, made, KEYS).words
    else:
        try:
            words = text_difference(recorded.read_text(encoding="utf-8"), made.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            words = "it is not text"
    return [f"{name}, {words}"] if words else []
