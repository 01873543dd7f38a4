"""Whether a form of the feature preserving loss keeps lesions better than training without it, in sentences."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fplbench.reporting.ablation_roles import Roles
from fplbench.reporting.ablation_words import kind_words, number, signed
from fplbench.reporting.comparison import Compared, difference
from fplbench.reporting.labels import Labels
from fplbench.reporting.lesion_scores import INSERTED
from fplbench.reporting.sentences import listed, sentences
from fplbench.reporting.statistics import MINIMUM_SEEDS, t_interval

LARGEST_LOSS = 0.1  # dB
LEAST_NOISES = 2
WORDS = ("better", "not told apart", "worse")
TOLERANCE = 1e-9  # dB; a loss of 0.1 may be computed as slightly more


@dataclass(frozen=True)
class Outcome:
    """How a form does on the lesions of one kind, on one noise of a data set.

    Attributes:
        prefix: "inserted_" for inserted lesions, "" for annotated ones.
        lesion: its PSNR of lesions.
        contrast: its contrast recovery; None where no contrast can be scored.
        without: contrast recovery of the control.
        recovery: its |1 - recovery|; None where no contrast can be scored.
        psnr: its PSNR of images.
    """

    prefix: str
    lesion: Compared
    contrast: Compared | None
    without: Compared | None
    recovery: Compared | None
    psnr: Compared

    @property
    def place(self) -> tuple[str, str]:
        """Data set, and kind of lesions: what noises are counted within."""
        return self.lesion.dataset, self.prefix

    @property
    def failures(self) -> list[str]:
        """What keeps it from passing the bar."""
        lost = -(self.psnr.gain or 0) > LARGEST_LOSS + TOLERANCE
        return [
            *([] if self.lesion.better else ["the interval of lesion PSNR does not lie above zero"]),
            *(["no contrast can be scored"] if self.recovery is None else []),
            *(["the interval of |1 − recovery| does not lie above zero"] if self.recovery and not self.recovery.better else []),
            *([f"it loses more than {LARGEST_LOSS} dB of PSNR"] if lost else []),
        ]


def outcomes(rows: Sequence[Compared], forms: Sequence[str], control: str) -> list[Outcome]:
    """The outcome of every form on every data set, noise and kind of lesions with scores."""
    found = {(row.dataset, row.noise, row.metric, row.variant): row for row in rows}
    result = []
    for (dataset, noise, metric, variant), row in found.items():
        if metric.endswith("lesion_psnr") and variant in forms:
            prefix = metric.removesuffix("lesion_psnr")
            contrast, without, recovery = (
                found.get((dataset, noise, f"{prefix}{name}", whose))
                for name, whose in (("contrast_recovery", variant), ("contrast_recovery", control), ("recovery_error", variant))
            )
            result.append(Outcome(prefix, row, contrast, without, recovery, found[dataset, noise, "psnr", variant]))
    return result


def verdict(rows: Sequence[Compared], roles: Roles, control: str, labels: Labels) -> list[str]:
    """Sentences on whether a form of F passes the bar, one paragraph each; some begin with "- ", as items of a list.

    Args:
        rows: comparisons with the control on test images.
        roles: what the variants are.
        control: the variant that they are compared with.
        labels: labels of data sets and noises.
    """
    bar = (
        "The bar: a form that uses F brings contrast recovery nearer to 1 (less |1 − recovery|) and raises lesion PSNR, both "
        f"with an interval over seeds that excludes zero, against `{control}`, at a PSNR loss of at most {LARGEST_LOSS} dB, on "
        f"at least {LEAST_NOISES} noises of a data set. Weights made of the annotations or of Sobel gradients, and untrained "
        "networks, are controls and do not count."
    )
    found = outcomes(rows, roles.forms, control)
    if not found:
        return ["**No form of F was scored on lesions**, so that there is no verdict.", bar]
    seeds = len(found[0].lesion.seeds)
    if seeds < MINIMUM_SEEDS:
        few = f"**No verdict**: intervals take at least {MINIMUM_SEEDS} seeds, and there are {seeds}."
        return [few, bar, "The best so far, by lesion PSNR:", *_best(found, control, labels)]
    passing = [outcome for outcome in found if not outcome.failures]
    enough = [outcome for outcome in passing if _noises(passing, outcome) >= LEAST_NOISES]
    if enough:
        parts = [*_headlines(enough, labels), bar, "The numbers:", *(f"- {_described(each, control, labels)}" for each in enough)]
    else:
        parts = ["**No form of F passes.**", bar, "The best by lesion PSNR:", *_best(found, control, labels)]
    parts += _on_one_noise([outcome for outcome in passing if outcome not in enough], labels)
    return [*parts, *_nowhere(found, passing), *_against_annotations(rows, enough or _leading(found), roles, labels)]


def _headlines(enough: Sequence[Outcome], labels: Labels) -> Iterator[str]:
    """Which forms pass, on which data sets, lesions and noises."""
    for variant in dict.fromkeys(outcome.lesion.variant for outcome in enough):
        places: dict[tuple[str, str], list[str]] = {}
        for outcome in enough:
            if outcome.lesion.variant == variant:
                places.setdefault(outcome.place, []).append(labels.noise_title(outcome.lesion.noise))
        where = [
            f"{kind_words(prefix)} of {labels.dataset(dataset)} ({listed(noises)})"
            for (dataset, prefix), noises in places.items()
        ]
        yield f"**`{variant}` passes** on {listed(where)}."


def _noises(passing: Sequence[Outcome], outcome: Outcome) -> int:
    """On how many noises of its data set a form passes with the same kind of lesions."""
    return sum(other.place == outcome.place and other.lesion.variant == outcome.lesion.variant for other in passing)


def _leading(found: Sequence[Outcome]) -> list[Outcome]:
    """For every data set, noise and kind of lesions the form that gains most lesion PSNR."""
    best: dict[tuple[str, str, str], Outcome] = {}
    for outcome in found:
        key = (*outcome.place, outcome.lesion.noise)
        if key not in best or (outcome.lesion.gain or 0) > (best[key].lesion.gain or 0):
            best[key] = outcome
    return list(best.values())


def _best(found: Sequence[Outcome], control: str, labels: Labels) -> Iterator[str]:
    enough_seeds = len(found[0].lesion.seeds) >= MINIMUM_SEEDS
    for outcome in _leading(found):
        failures = outcome.failures if enough_seeds else []
        yield "- " + sentences(_described(outcome, control, labels), f"Why not: {listed(failures)}" if failures else "")


def _described(outcome: Outcome, control: str, labels: Labels) -> str:
    """The form, the place and the numbers of an outcome."""
    recovery = "no contrast that can be scored"
    if outcome.recovery and outcome.contrast and outcome.without:
        means = f"{outcome.contrast.mean:.3f} (`{control}` {outcome.without.mean:.3f})"
        recovery = f"contrast recovery {means}, |1 − recovery| better by {number(outcome.recovery, signs=True)}"
    lesion, psnr = number(outcome.lesion, signs=True), number(outcome.psnr, signs=True)
    where = _where(outcome.lesion, outcome.prefix, labels)
    return f"`{outcome.lesion.variant}`, {where}: lesion PSNR {lesion} dB, {recovery}, PSNR {psnr} dB."


def _where(row: Compared, prefix: str, labels: Labels) -> str:
    return f"{labels.dataset(row.dataset)}, {labels.noise_title(row.noise)}, {kind_words(prefix)}"


def _on_one_noise(single: Sequence[Outcome], labels: Labels) -> list[str]:
    places = [f"`{outcome.lesion.variant}` ({_where(outcome.lesion, outcome.prefix, labels)})" for outcome in single]
    return [f"On one noise alone, which is not enough: {'; '.join(places)}."] if places else []


def _nowhere(found: Sequence[Outcome], passing: Sequence[Outcome]) -> list[str]:
    """Which forms pass on no noise; FPL as it is among them is the paper's method."""
    scored = dict.fromkeys(outcome.lesion.variant for outcome in found)
    nowhere = [f"`{name}`" for name in scored if all(outcome.lesion.variant != name for outcome in passing)]
    return [f"On no noise at all: {listed(nowhere)}."] if nowhere else []


def _against_annotations(rows: Sequence[Compared], chosen: Sequence[Outcome], roles: Roles, labels: Labels) -> list[str]:
    """How forms compare with the annotations as a weight, paired over seeds."""
    found = {(row.dataset, row.noise, row.metric, row.variant): row for row in rows}
    parts = []
    for name in roles.annotations:
        items: list[str] = []
        words: list[str] = []
        for outcome in chosen:
            ours = [row for row in (outcome.lesion, outcome.recovery) if row is not None]
            others = [found.get((row.dataset, row.noise, row.metric, name)) for row in ours]
            compared = [_beside(row, other) for row, other in zip(ours, others, strict=True) if other is not None]
            if compared:
                words.append(compared[0][0])
                where = _where(outcome.lesion, outcome.prefix, labels)
                items.append(f"- `{outcome.lesion.variant}`, {where}: {'; '.join(text for _, text in compared)}.")
        if items:
            counts = ", ".join(f"{words.count(word)} {word}" for word in WORDS)
            parts += [
                f"Against `{name}`, the annotations themselves as a weight (paired over seeds, not adjusted), by lesion PSNR: of "
                f"{len(words)}, {counts}.",
                *items,
            ]
    return parts


def _beside(ours: Compared, theirs: Compared) -> tuple[str, str]:
    """How a variant compares with another in one metric: a word, and a text with the numbers."""
    gains = difference(ours.seeds, theirs.seeds, ours.metric).tolist()
    low, high = t_interval(gains)
    word = WORDS[0] if low > 0 else WORDS[2] if high < 0 else WORDS[1]
    what = "|1 − recovery|" if ours.metric.removeprefix(INSERTED) == "recovery_error" else "lesion PSNR"
    return word, f"{what} {word} ({signed(sum(gains) / len(gains), ours.metric, (low, high))})"
