"""The sentences of a table's caption: what the numbers are, over how many patients and lesions, and what they cannot show."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from fplbench.datasets.annotations import count
from fplbench.denoising.columns import TUNED_MARK
from fplbench.reporting.facts import Facts, one_of
from fplbench.reporting.labels import METRICS
from fplbench.reporting.lesion_scores import INSERTED, RECOVERY, LesionScores
from fplbench.reporting.missing import IMAGE_SCORES, INSERTED_SCORES, LESION_SCORES, group_of, missing_note
from fplbench.reporting.seeds import seed_notes, trainings
from fplbench.reporting.sentences import sentences
from fplbench.reporting.statistics import MANY_UNITS, MINIMUM_SEEDS, MINIMUM_UNITS, SIGNIFICANCE, smallest_p
from fplbench.scoring.lesions import FEWEST_PIXELS, LEAST_CONTRAST
from fplbench.scoring.pair import PEAK

if TYPE_CHECKING:
    from fplbench.reporting.tables import Table, Units

GREY_MAP = "noisy_grey_map"
DEFINITIONS = {
    "body_psnr": "Body PSNR: over the pixels of the body.",
    "lesion_psnr": "Lesion PSNR: over the lesion and the pixels around it.",
    "lesion_ssim": "Lesion SSIM: mean over the lesion and the pixels around it.",
    "contrast_recovery": f"Contrast recovery: {RECOVERY}; 1 is right, so no method is marked as the best.",
    "recovery_error": "|1 − recovery|: by how much the contrast recovery differs from 1.",
    "feature_error": "Feature error: relative squared error of the denoised image's feature maps; 0 is perfect.",
}


def caption(table: "Table", metrics: Sequence[str], second: bool = False, tied: str = "") -> str:
    """The caption of a table: what the numbers are, of how many images and patients, and its note.

    Args:
        table: the table.
        metrics: the metrics that are shown.
        second: whether the second best of each row is underlined.
        tied: the mark of cells that are not told from the best; "" for none.
    """
    shown = [metric for metric in metrics if metric in table.blocks]
    names = " and ".join(METRICS[metric].label for metric in shown) if set(shown) <= {"psnr", "ssim"} else "score"
    title = f"{table.labels.dataset(table.dataset)} {names} comparison"
    bold = f"The best of each row is in bold{', the second best underlined' if second else ''}"
    parts = [f"{table.title or title}: mean over {_images(table)}", bold, _ties(table, shown, tied) if tied else ""]
    return sentences(*parts, columns_note(table), missing_note(table, shown), table.note)


def columns_note(table: "Table") -> str:
    """What the labels of the columns mean, which protocol made the scores, and how often networks were trained."""
    parts = []
    if "noisy" in table.methods:
        parts.append("Noisy: the unprocessed image")
    if GREY_MAP in table.methods:
        label = table.labels.method(GREY_MAP)
        parts.append(f"{label}: the unprocessed image with the map of grey levels that fits training images best")
    if TUNED_MARK not in table.protocol and any(table.labels.method(name).endswith(TUNED_MARK) for name in table.methods):
        parts.append(f"{TUNED_MARK}: with the options that were best on training images")
    return sentences(*parts, table.protocol, trainings(table))


def remarks(table: "Table", metrics: Sequence[str]) -> list[str]:
    """What else a reader has to know: definitions of scores, lesions, and the noise of the clean images.

    Args:
        table: the table.
        metrics: the metrics that are shown.

    Returns:
        Paragraphs, in order.
    """
    shown = [metric for metric in metrics if metric in table.blocks]
    plain = dict.fromkeys(metric.removeprefix(INSERTED) for metric in shown)
    definitions = sentences(*(DEFINITIONS[metric] for metric in plain if metric in DEFINITIONS))
    found = [definitions, *table.details, *_lesions(table, shown, metrics), sentences(*_reference_noise(table))]
    return [paragraph for paragraph in found if paragraph]


def interval_notes(table: "Table", metrics: Sequence[str]) -> list[str]:
    """How the intervals were computed, over what, and why there are none where there are none.

    Args:
        table: the table.
        metrics: the metrics that are shown.

    Returns:
        A paragraph for scores of images, of lesions, and of inserted lesions, as far as they are shown.
    """
    groups = _groups(table, metrics)
    seeds = max(table.seeds.values(), default=1)
    rows = _most_rows(table, metrics)
    return [*(_intervals(group, units, seeds, rows, table.facts) for group, units in groups.items()), *seed_notes(table, metrics)]


def why_undecided(table: "Table", metrics: Sequence[str]) -> list[str]:
    """Why there is no verdict on some of the metrics: a sentence for each reason, none if there is one on each."""
    few = [metric for metric in metrics if metric in table.units and table.units[metric].count < MINIMUM_UNITS]
    return [_intervals(group, units, 1, _most_rows(table, few), table.facts) for group, units in _groups(table, few).items()]


def units_of(table: "Table", metrics: Sequence[str]) -> str:
    """What the intervals of some metrics are over, such as patients or lesions."""
    names = dict.fromkeys(table.units[metric].name for metric in metrics if metric in table.units)
    return " or ".join(f"{name} of one patient" if name == "lesions" else name for name in names)


def _ties(table: "Table", shown: Sequence[str], mark: str) -> str:
    """What the mark of tied cells means; "" where there are none."""
    marked = [metric for metric in shown if any(cell.tied for row in table.blocks[metric].values() for cell in row.values())]
    if not marked:
        return ""
    both = ", or Student's over these and seeds where a network has several" if _many_seeds(table) else ""
    return (
        f"{mark}: not told from the best of its row by a paired permutation test over {units_of(table, marked)}"
        f"{both} (p at least {SIGNIFICANCE}, adjusted for the cells of the row by Holm's method)"
    )


def _many_seeds(table: "Table") -> bool:
    return max(table.seeds.values(), default=1) >= MINIMUM_SEEDS


def _groups(table: "Table", metrics: Sequence[str]) -> dict[str, list["Units"]]:
    """What the intervals of the scores of images, of lesions, and of inserted lesions are over."""
    groups: dict[str, list[Units]] = {}
    for metric in metrics:
        if metric in table.units:
            groups.setdefault(group_of(metric), []).append(table.units[metric])
    return groups


def _images(table: "Table") -> str:
    return f"{count(table.images, 'test image')}{table.facts.whose(table.patients)}"


def _most_rows(table: "Table", metrics: Sequence[str]) -> int:
    """The number of rows of the longest block."""
    return max((sum(map(bool, table.blocks[metric].values())) for metric in metrics if metric in table.blocks), default=0)


def _intervals(group: str, found: Sequence["Units"], seeds: int, rows: int, facts: Facts) -> str:
    """Sentences about the intervals of one group of metrics, whose numbers of units may differ."""
    name, least, most = found[0].name, min(units.count for units in found), max(units.count for units in found)
    whose = "" if group == IMAGE_SCORES else f" for {group}"
    if most < MINIMUM_UNITS:
        return _too_few(whose, name, most, seeds, rows)
    text = f"Intervals{whose}: 95 %, paired bootstrap over {most if least == most else f'{least} to {most}'} {name}"
    if name == "lesions":
        text += " of one patient, which say nothing about other patients"
    elif name != "patients":
        text += f"; they are too narrow if several {name} show the same person"
    elif "study" in facts.counted_by:
        text += "; they are too narrow if a person has several studies"
    parts = [text]
    if least < MANY_UNITS:
        parts.append(
            f"With fewer than {MANY_UNITS} {name}, intervals are slightly too narrow: in simulations they cover the mean in 92 "
            "to 95 of 100 samples"
        )
    if least < MINIMUM_UNITS:
        parts.append(f"There is no interval where fewer than {MINIMUM_UNITS} {name} have a score")
    if seeds < MINIMUM_SEEDS:
        parts.append(_out_of_reach(most, name, rows))
    return sentences(*parts)


def _too_few(whose: str, name: str, number: int, seeds: int, rows: int) -> str:
    over = f" over {name}" if seeds >= MINIMUM_SEEDS else ""
    text = f"No intervals{over} and no verdicts{whose}: "
    if name == "patients" and number == 1:
        return f"{text}all images are of one patient and say nothing about others; a permutation test over one patient has p = 1."
    return sentences(
        f"{text}with fewer than {MINIMUM_UNITS} {name} (here {number}), an interval would be too narrow",
        _out_of_reach(number, name, rows),
    )


def _out_of_reach(number: int, name: str, rows: int) -> str:
    """The smallest p-value of a verdict, where it is not small enough for any; "" where verdicts can be reached."""
    least = smallest_p(number, rows)
    if least < SIGNIFICANCE:
        return ""
    if number == 1:
        return f"A paired permutation test over one {one_of(name)} always has p = 1, so that no row can be decided"
    adjusted = f", {least:.3g} adjusted for {rows} rows (Holm)" if rows > 1 else ""
    return (
        f"The smallest p that a paired permutation test over {number} {name} can have is {smallest_p(number):.3g}{adjusted}, so "
        "that no row can be decided"
    )


def _lesions(table: "Table", shown: Sequence[str], metrics: Sequence[str]) -> Iterator[str]:
    """How many lesions there are, if any of the metrics, scored or not, is of lesions."""
    if all(group_of(metric) == IMAGE_SCORES for metric in metrics):
        return
    scored = any(group_of(metric) == LESION_SCORES for metric in shown) and table.lesions is not None
    yield sentences(_drawn(table), _unscored(table.lesions) if scored and table.lesions else "")
    if any(group_of(metric) == INSERTED_SCORES for metric in shown) and table.inserted is not None:
        places = _places(table, table.inserted.images, table.inserted.patients)
        yield sentences(
            f"Inserted, not real: {count(table.inserted.lesions, 'lesion')}, put into copies of test images ({places}) before "
            "the noise was added",
            _unscored(table.inserted),
        )


def _drawn(table: "Table") -> str:
    """How many lesions the test images have."""
    facts, scored = table.facts, table.lesions
    if facts.lesions is None and scored is None:
        return ""
    if facts.annotated == 0:
        return "Annotated: nothing is known about lesions in the test images."
    lesions = scored.lesions if facts.lesions is None and scored else facts.lesions or 0
    if not lesions:
        return "Annotated: no lesion in the test images."
    images = facts.lesion_images or (scored.images if scored else 0)
    patients = facts.lesion_patients or (scored.patients if scored else 0)
    boxes = f" ({'box' if lesions == 1 else 'boxes'})" if scored and scored.boxes else ""
    return f"Annotated: {count(lesions, 'lesion')}{boxes} in {_places(table, images, patients)}."


def _places(table: "Table", images: int, patients: int) -> str:
    """The images, and their patients or what stands for these."""
    return count(images, "image") + table.facts.of(patients)


def _unscored(lesions: LesionScores) -> str:
    """Which lesions have no score of their contrast, and why; each is counted in every image that shows it."""
    faint = lesions.unscored - lesions.too_small
    reasons = []
    if lesions.too_small:
        reasons.append(f"{lesions.too_small} too small (fewer than {FEWEST_PIXELS} pixels)")
    if faint:
        reasons.append(f"{faint} too faint (contrast below {LEAST_CONTRAST:g} standard deviations of the pixels around it)")
    return f"Contrast not scored, counting each image of a lesion: {', '.join(reasons)}." if reasons else ""


def _reference_noise(table: "Table") -> Iterator[str]:
    """The noise of the clean images, and which of the added noises are below twice of it."""
    level = table.facts.reference_noise
    if level is None:
        return
    yield f"The clean images have noise of their own, about {level:.1f} grey levels in even regions."
    # Air has no noise of its own where it is clipped, so the added noise is measured in the body where that is scored.
    cells = table.blocks.get("body_psnr") or table.blocks.get("psnr", {})
    weak = [noise for noise, row in cells.items() if "noisy" in row and PEAK * 10 ** (-row["noisy"].mean / 20) < 2 * level]
    if weak:
        names = ", ".join(table.labels.noise(noise) for noise in weak)
        yield f"Where less than twice as much is added ({names}), removing this noise too lowers the scores"
