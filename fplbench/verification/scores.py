"""The scores of a run: their rows against its config and images, their numbers against its stacks where they were kept."""

from collections.abc import Sequence

from tqdm import tqdm

from fplbench.config.fits import with_repeats
from fplbench.errors import InputError
from fplbench.stacks import read_index
from fplbench.verification.checks import Check, counted
from fplbench.verification.recorded import RecordedCell, Row, methods_of, read_cell
from fplbench.verification.rescoring import Rescored, rescore
from fplbench.verification.results import Results


def check_scores(results: Results, threads: int = 1) -> Check:
    """Check that the tables of scores have a row for each method and image, with the numbers that the stacks give.

    Scores of features are not computed again.

    Args:
        results: the run.
        threads: number of images that are scored at the same time.
    """
    faults: list[str] = []
    found: list[Rescored] = []
    for dataset, noise in tqdm(results.cells, "scores", unit="cell", disable=None, leave=False):
        try:
            cell = read_cell(results.folder, dataset, noise)
            if wrong := [*_wrong_rows(results, cell, "test"), *_wrong_rows(results, cell, "validation")]:
                faults += wrong
                continue
            found.append(rescore(cell, threads))
        except InputError as error:
            faults.append(str(error).removesuffix("."))
            continue
        faults += [f"{table}, {outcome.words}" for table, outcome in found[-1].differences.items() if outcome.words]
    gone = [method for cell in found for method in cell.gone]
    notes = [f"not kept: {', '.join(dict.fromkeys(gone))}"] if gone else []
    unchecked = f"the scores of {counted(len(gone), 'stack')}" if gone else ""
    nothing = not any(outcome.rows for cell in found for outcome in cell.differences.values())
    return Check("scores", _summary(found), faults, notes, unchecked, nothing)


def _summary(found: Sequence[Rescored]) -> str:
    outcomes = [outcome for cell in found for outcome in cell.differences.values()]
    rows = counted(sum(outcome.rows for outcome in outcomes), "row")
    stacks = counted(sum(cell.stacks for cell in found), "stack")
    gone, rounded = sum(len(cell.gone) for cell in found), sum(outcome.rounded for outcome in outcomes)
    return "".join(
        [
            f"{rows} computed again from {stacks} of {counted(len(found), 'cell')}",
            f", {counted(gone, 'stack')} not kept" if gone else "",
            f", {counted(rounded, 'number')} equal but for rounding" if rounded else "",
        ]
    )


def _wrong_rows(results: Results, cell: RecordedCell, split: str) -> list[str]:
    """The first method or image that a table of images lacks or should not have."""
    table = cell.scores if split == "test" else cell.validation
    rows = cell.tables.get(table)
    if rows is None:
        return []
    columns = with_repeats(results.config.columns.values(), results.config)
    scored = methods_of(rows)
    for name, column in columns.items():
        # Methods in other languages do not denoise validation images; optional ones may be missing where the run was made.
        if name not in scored and not column.optional and (split == "test" or column.method is not None):
            return [f"{table} has no scores of {name}, which is a method of the run"]
    images = [row["image_id"] for row in read_index(cell.clean(split))]
    for method in scored:
        if fault := _wrong_images([row for row in rows if row["method"] == method], images):
            return [f"{table}, method {method}, {fault} of the {split} images"]
    return []


def _wrong_images(rows: Sequence[Row], images: Sequence[str]) -> str:
    """The first place in which the images of a method are not those of the index; "" if there is none."""
    found = [row["image_id"] for row in rows]
    if found == images:
        return ""
    place = next(
        (i for i, pair in enumerate(zip(found, images, strict=False)) if pair[0] != pair[1]), min(len(found), len(images))
    )
    own, expected = (names[place] if place < len(names) else "no image" for names in (found, images))
    return f"image {place + 1}: {own} in the file, {expected} in the index"
