"""The mean scores in the table of costs, computed again from the scores."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fplbench.errors import InputError
from fplbench.files import read_csv, write_csv
from fplbench.reporting.repeats import read_columns
from fplbench.verification.checks import Check, counted
from fplbench.verification.differences import table_difference
from fplbench.verification.results import Results

KEYS = ("dataset", "noise", "method")
COLUMNS = (*KEYS, "images", "psnr", "ssim")
"""The columns of cost.csv that derive from the scores; the others were measured."""


def check_cost(results: Results) -> Check:
    """Compare the number of images and the mean PSNR and SSIM of each row of cost.csv with those of scores.csv."""
    path = results.folder / "cost.csv"
    what = "mean PSNR and SSIM in cost.csv"
    try:
        if not path.exists():
            return Check("cost", what, ["cost.csv is missing"])
        recorded = [{column: row[column] for column in COLUMNS} for row in read_csv(path, COLUMNS)]
        with TemporaryDirectory() as folder:
            one, other = Path(folder, "recorded.csv"), Path(folder, "rebuilt.csv")
            write_csv(one, recorded, COLUMNS)
            write_csv(other, _means(results.folder / "scores.csv"), COLUMNS)
            found = table_difference(one, other, KEYS)
    except InputError as error:
        return Check("cost", what, [str(error).removesuffix(".")])
    return Check("cost", f"{counted(found.rows, 'row')} of {what}", [f"cost.csv, {found.words}"] if found.words else [])


def _means(scores: Path) -> Iterator[dict[str, Any]]:
    for dataset, noises in read_columns(scores).items():
        for noise, found in noises.items():
            for method in found.values["psnr"]:
                means = {metric: float(found.values[metric][method].mean()) for metric in ("psnr", "ssim")}
                yield {"dataset": dataset, "noise": noise, "method": method, "images": len(found.image_ids), **means}
