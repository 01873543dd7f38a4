"""What came out for the lesions of a run, in a few lines of text."""

import itertools
import os
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from fplbench.datasets.annotations import count
from fplbench.files import read_csv, write_text
from fplbench.lesions.stack import COLUMNS, lesions_path
from fplbench.reporting.facts import read_facts
from fplbench.reporting.labels import Labels
from fplbench.reporting.lesion_scores import RECOVERY, LesionScores, read_lesion_scores
from fplbench.reporting.markdown import plain
from fplbench.stacks import read_index

WIDTH = 100
KEPT = "\0"  # a space at which no line ends
RECOVERY_ON = "contrast recovery on "
PLURALS = {"opacity": "opacities"}
LEGEND = f"Contrast recovery: {RECOVERY}; 1 is right, below 1 the lesion fades."

Row = Mapping[str, str]


def write_lesion_summary(
    output: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    data: str | os.PathLike[str],
    datasets: Sequence[str],
    noises: Sequence[str],
    labels: Labels | None = None,
) -> None:
    """Write a list with an item for each data set: its annotated lesions, and how much of them each method keeps.

    Args:
        output: the Markdown file to write.
        folder: folder with the lesion scores, {dataset}/{noise}.csv.
        data: folder with the sampled images, {dataset}/test.npy with index, lesion stack and table.
        datasets: the data sets, in order.
        noises: the noises; the scores are those of the first that has any.
        labels: labels of data sets, noises and methods.

    Raises:
        InputError: a table is missing or malformed.
    """
    labels = labels or Labels()
    lines = [line for dataset in datasets for line in _lines(dataset, Path(folder, dataset), Path(data, dataset), noises, labels)]
    text = "\n".join(_wrap(plain(line)) for line in lines)
    legend = f"\n\n{_wrap(LEGEND)}" if any(RECOVERY_ON in line.lower() for line in lines) else ""
    write_text(output, f"{text}{legend}\n")


def _lines(dataset: str, folder: Path, data: Path, noises: Sequence[str], labels: Labels) -> Iterator[str]:
    """The items of a list: what is annotated and, below it, a line on annotated and one on inserted lesions."""
    clean = data / "test.npy"
    rows = [row for row in read_csv(lesions_path(clean).with_suffix(".csv"), COLUMNS) if row["inserted"] == "0"]
    persons_known = read_facts(data / "sampling.json").persons_known
    yield f"- {labels.dataset(dataset)}: {_annotated(rows, read_index(clean), persons_known)}"
    for inserted in (False, True):
        for noise, scores in itertools.islice(read_lesion_scores(folder, noises, inserted).items(), 1):
            text = (f"{count(scores.lesions, 'inserted lesion')}: " if inserted else "") + _scores(noise, scores, labels)
            yield f"  - {text[0].upper()}{text[1:]}"


def _annotated(rows: Sequence[Row], index: Sequence[Row], persons_known: bool) -> str:
    """What is annotated in the test images."""
    if not rows:
        examined = sum(entry.get("annotated") == "1" for entry in index)
        if not examined:
            return "no annotation."
        return f"no annotated lesion in {len(index)} test images, of which {examined} have an annotation."
    lesions = {(row["patient"], row["lesion_id"]) for row in rows}
    images = {row["image_id"] for row in rows}
    patients = len({row["patient"] for row in rows})
    kinds = {row["kind"] for row in rows}
    what = kinds.pop() if len(kinds) == 1 else "lesion"
    what = what if len(lesions) == 1 else PLURALS.get(what, f"{what}s")
    boxes = f" ({'box' if len(lesions) == 1 else 'boxes'})" if all(row["shape"] == "box" for row in rows) else ""
    whose = f" ({count(patients, 'patient')})" if persons_known else ""
    return f"{len(lesions)} annotated {what}{boxes} in {len(images)} of {len(index)} test images{whose}."


def _scores(noise: str, scores: LesionScores, labels: Labels) -> str:
    """The contrast recovery of every method; where none can be scored, the PSNR."""
    left_out = f" ({count(scores.unscored, 'outline')} too small or too faint)" if scores.unscored else ""
    if recovery := _means(scores, "contrast_recovery", 2, labels):
        return f"{RECOVERY_ON}{labels.noise_title(noise)}{left_out}: {recovery}"
    text = f"no contrast recovery{left_out}"
    if psnr := _means(scores, "lesion_psnr", 1, labels):
        text += f"; lesion PSNR (dB) on {labels.noise_title(noise)}: {psnr}"
    return text


def _means(scores: LesionScores, metric: str, digits: int, labels: Labels) -> str:
    """Method and mean of each method, or "" for a metric without scores."""
    if metric not in scores.blocks:
        return ""
    values = scores.blocks[metric].values[metric]
    means = {name: f"{values[name].mean():.{digits}f}".replace("-", "−") for name in labels.methods(values)}
    return ", ".join(f"{labels.method(name)} {mean}".replace(" ", KEPT) for name, mean in means.items())


def _wrap(line: str) -> str:
    indent = " " * (len(line) - len(line.lstrip(" -")))
    wrapped = textwrap.wrap(line, WIDTH, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False)
    return "\n".join(wrapped).replace(KEPT, " ")
