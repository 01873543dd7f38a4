"""The long tables of a run, joined again from the scores of its cells."""

from pathlib import Path
from tempfile import TemporaryDirectory

from fplbench.errors import InputError
from fplbench.scoring.collation import KEYS, collate
from fplbench.verification.checks import Check, counted
from fplbench.verification.differences import TableDifference, table_difference
from fplbench.verification.results import Results


def check_collation(results: Results) -> Check:
    """Compare scores/{dataset}.csv with the scores of each noise, and scores.csv with those of all data sets."""
    faults: list[str] = []
    rows = 0
    datasets = list(results.config.datasets)
    with TemporaryDirectory() as folder:
        for name, sources, features in _joins(results, datasets):
            rebuilt = Path(folder, name)
            try:
                collate(rebuilt, sources, features)
                found = _compare(results.folder / name, rebuilt)
            except InputError as error:
                faults.append(f"{name}: {str(error).removesuffix('.')}")
                continue
            rows += found.rows
            faults += [f"{name}, {found.words}"] if found.words else []
    return Check("joined", f"{counted(rows, 'row')} of scores.csv and of scores/{{dataset}}.csv", faults)


def _joins(results: Results, datasets: list[str]) -> list[tuple[str, list[Path], list[Path]]]:
    """Each long table: its name, and the scores and the scores of features that it is made of."""
    folder = results.folder
    joins = []
    for dataset in datasets:
        noises = [noise for other, noise in results.cells if other == dataset]
        explained = [noise for noise in noises if noise in (results.config.feature_error or ())]
        joins.append(
            (
                f"scores/{dataset}.csv",
                [folder / "scores" / dataset / f"{noise}.csv" for noise in noises],
                [folder / "feature_scores" / dataset / f"{noise}.csv" for noise in explained],
            )
        )
    return [*joins, ("scores.csv", [folder / "scores" / f"{dataset}.csv" for dataset in datasets], [])]


def _compare(recorded: Path, rebuilt: Path) -> TableDifference:
    if not recorded.exists():
        raise InputError("it is missing.")
    return table_difference(recorded, rebuilt, KEYS)
