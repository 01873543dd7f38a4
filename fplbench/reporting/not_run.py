"""What a run left out, as its scores and its config tell: columns, noises, scores and verdicts."""

from collections.abc import Iterator, Sequence

from fplbench.config import Config
from fplbench.config.columns import left_out
from fplbench.config.sections import PAPER_DATASETS, PAPER_METHODS, PAPER_NOISES
from fplbench.denoising.columns import TUNED_SUFFIX
from fplbench.reporting.blocks import Block
from fplbench.reporting.labels import METRICS
from fplbench.reporting.missing import IMAGE_SCORES, group_of, missing_note
from fplbench.reporting.seeds import trainings
from fplbench.reporting.sentences import listed, sentences
from fplbench.reporting.summary import compared, undecided
from fplbench.reporting.tables import Table

TARGETS = {
    "fair": "networks that were trained as long as FPL",
    "ablation": "the loss without its parts",
    "generalisation": "models on other data sets and noises",
    "detectability": "how well an observer finds lesions",
}
"""The targets of the workflow that the report never shows."""


def not_run(tables: Sequence[Table], config: Config | None = None) -> list[str]:
    """What was not run, in sentences, what a reader misses most first.

    Args:
        tables: the table of each data set.
        config: the config of the run; without it, columns that are left out are not known.
    """
    targets = listed([f"{what} (snakemake {name})" for name, what in TARGETS.items()])
    found = [
        *undecided(tables, _compared(tables, of_images=True)),
        "Other training seeds: each network was trained once" if _trained_once(tables) else "",
        f"Separate targets, which are not part of this page: {targets}",
        *_columns(tables, config),
        _of_the_paper(tables),
    ]
    return [sentences(sentence) for sentence in found if sentence]


def without_scores(tables: Sequence[Table]) -> list[str]:
    """Noises, scores and cells that are missing in places, and scores of lesions that cannot be tested, in sentences."""
    lesions = undecided(tables, _compared(tables, of_images=False))
    return [sentences(sentence) for sentence in (*_limited(tables), *_scores(tables), *_missing(tables), *lesions)]


def _compared(tables: Sequence[Table], of_images: bool) -> dict[str, list[str]]:
    """The compared scores of images, or those of lesions, by data set."""
    found = compared(tables)
    return {name: [metric for metric in own if (group_of(metric) == IMAGE_SCORES) == of_images] for name, own in found.items()}


def _trained_once(tables: Sequence[Table]) -> bool:
    return any(trainings(table) for table in tables) and not any(table.seeds for table in tables)


def _columns(tables: Sequence[Table], config: Config | None) -> Iterator[str]:
    """The columns of the config that have no scores, with the reason where it is known."""
    if config is None:
        return
    scored = {name for table in tables for name in table.methods}
    reasons = left_out(config)
    for name in (*config.methods, *config.columns):
        if name in reasons and name not in scored:
            yield f"{tables[0].labels.method(name)} was left out: {reasons[name]}"
    absent = [tables[0].labels.method(name) for name in config.columns if name not in scored]
    if absent:
        yield f"Without any scores: {listed(absent)}"


def _of_the_paper(tables: Sequence[Table]) -> str:
    """What the paper's tables have and this run does not."""
    labels = tables[0].labels
    noises = {noise for table in tables for noise in _noises(table)}
    methods = {name.removesuffix(TUNED_SUFFIX) for table in tables for name in table.methods}
    datasets = {table.dataset for table in tables}
    missing = [
        *(labels.dataset(name) for name in PAPER_DATASETS if name not in datasets),
        *(labels.noise_title(name) for name in PAPER_NOISES if name not in noises),
        *(labels.method(name) for name in PAPER_METHODS if name not in methods),
    ]
    return f"Of the paper's data sets, noises and methods: {listed(missing)}" if missing else ""


def _limited(tables: Sequence[Table]) -> Iterator[str]:
    """The noises that were not run on every data set."""
    rows = {table.dataset: _noises(table) for table in tables}
    for noise in dict.fromkeys(noise for own in rows.values() for noise in own):
        absent = [table.labels.dataset(table.dataset) for table in tables if noise not in rows[table.dataset]]
        if absent:
            yield f"{tables[0].labels.noise_title(noise)} on {listed(absent)}"


def _scores(tables: Sequence[Table]) -> Iterator[str]:
    """The scores that the tables should show and that were taken on no noise, or not on all."""
    nowhere: dict[str, list[str]] = {}
    somewhere: dict[str, list[str]] = {}
    for metric in dict.fromkeys(metric for table in tables for metric in table.shown):
        blocks = {table.dataset: _scored(table.blocks.get(metric, {})) for table in tables}
        absent = [table.labels.dataset(table.dataset) for table in tables if not blocks[table.dataset]]
        if absent:
            nowhere.setdefault(listed(absent), []).append(METRICS[metric].label)
        part = [table for table in tables if blocks[table.dataset] and set(blocks[table.dataset]) < set(_noises(table))]
        for noises in dict.fromkeys(listed([table.labels.noise(name) for name in blocks[table.dataset]]) for table in part):
            somewhere.setdefault(noises, []).append(METRICS[metric].label)
    yield from (f"No scores on {names}: {', '.join(metrics)}" for names, metrics in nowhere.items())
    yield from (f"Scored on {noises} alone: {', '.join(metrics)}" for noises, metrics in somewhere.items())


def _missing(tables: Sequence[Table]) -> Iterator[str]:
    """The cells without a score, of tables that may lack some."""
    for table in tables:
        note = missing_note(table, table.shown)
        if note:
            yield f"{table.labels.dataset(table.dataset)}: {note}"


def _scored(block: Block) -> list[str]:
    """The noises on which anything was scored; rows of a table that lacks cells may be empty."""
    return [noise for noise, cells in block.items() if cells]


def _noises(table: Table) -> list[str]:
    """The noises of a data set on which anything was scored, in the order of its rows."""
    return list(dict.fromkeys(noise for block in table.blocks.values() for noise in _scored(block)))
