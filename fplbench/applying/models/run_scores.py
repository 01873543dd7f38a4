"""The scores that a run has of one of its denoisers, for the denoiser's card."""

from pathlib import Path

from fplbench.networks.card import Card, Score
from fplbench.reporting.blocks import gather, summarised
from fplbench.reporting.facts import read_facts
from fplbench.reporting.lesion_scores import INSERTED, read_lesion_scores
from fplbench.reporting.repeats import merged
from fplbench.reporting.scores import read_cell

LESION_METRICS = ("lesion_psnr", "lesion_ssim", "contrast_recovery", "recovery_error")
METRICS = ("psnr", "ssim", *LESION_METRICS, *(f"{INSERTED}{metric}" for metric in LESION_METRICS))
DIGITS = 6  # significant ones


def read_run_scores(results: Path, card: Card, method: str, seed: int) -> dict[str, Score]:
    """The scores of a denoiser on the test images of its data set and noise.

    Args:
        results: folder of the run.
        card: its card, which names data set and noise.
        method: the column of the run that it is.
        seed: seed of the run, on which the intervals depend.

    Returns:
        Mean and interval by metric, as in the tables of the run; empty where the run did not score it.

    Raises:
        InputError: a table of scores is malformed.
    """
    table = results / "scores" / card.dataset / f"{card.noise}.csv"
    if not (card.dataset and card.noise and table.is_file()):
        return {}
    scores = {card.noise: merged(read_cell(table, card.noise))}
    facts = read_facts(results / "data" / card.dataset / "sampling.json")
    folder = results / "lesion_scores" / card.dataset
    lesions, inserted = (read_lesion_scores(folder, [card.noise], inserted=wanted) for wanted in (False, True))
    found = gather(card.dataset, scores, [card.noise], facts, lesions, inserted)
    wanted = {
        metric: [one for one in found[metric] if method in one.scores.values[one.metric]] for metric in METRICS & found.keys()
    }
    sources = {metric: own for metric, own in wanted.items() if own}
    blocks = summarised(sources, [method], "", (seed, card.dataset), METRICS)
    scored = {}
    for metric, (block, units) in blocks.items():
        cell = block[card.noise][method]
        low, high = (None if end is None else _rounded(end) for end in (cell.low, cell.high))
        scored[metric] = Score(mean=_rounded(cell.mean), low=low, high=high, over=units.name, units=units.count)
    return scored


def _rounded(number: float) -> float:
    return float(f"{number:.{DIGITS}g}")
