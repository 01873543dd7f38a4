"""Bytes that each job leaves on disk, by kind.

Stacks, features and weights follow from the config to the byte. Tables, pages and figures are estimated from the sizes that those
of the demo have for each row, each image and each figure.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from fplbench.config.ablation import explanation_name
from fplbench.noise import NOISES
from fplbench.planning.images import (
    INSERTED,
    SIGNALS,
    SPLITS,
    columns_of,
    explained_channels,
    inserted_cells,
    inserted_splits,
    joined_splits,
    repeats,
    signals,
    splits,
)
from fplbench.planning.jobs import of_variants, stack_names
from fplbench.reporting.captions import figure_captions

if TYPE_CHECKING:
    from fplbench.config import Config
    from fplbench.planning.asking import Job

Sizes = Mapping[str, float]
HEADER = 128  # bytes of a .npy file before its values
ROW = 205  # bytes: a row of an index
LESION_ROW = 210  # bytes: a row of a table of lesions
# Measured in the demo, bytes.
SCORE = 205  # a row of scores of an image
COMPRESSED = 0.69  # of an image of the explorer, for each pixel, as text in a page
COMPRESSED_MAPS = 0.91  # of feature maps in a .npz file, for each byte
FIGURE, FIGURE_PDF = 330_000, 160_000
LOG = 340  # log and benchmark of a job
PAGE, TUNED, COST = 220_000, 2300, 16_000  # tables of a data set, or a page of comparison; of a tuned column; of a cell


def files_of(config: "Config", job: "Job") -> Sizes:
    """Bytes of what a job leaves on disk, by kind, but for weights; of a job that is not known here, none."""
    if job.rule.startswith("denoise_") and not job.rule.startswith(SIGNALS):
        return {"denoised images": _denoised(config, job)}
    found = FILES.get(job.rule)
    if found:
        return found(config, job)
    return {"pages and figures": FIGURE} if job.rule.endswith(("figure", "heat_map")) else {}


def stack_bytes(images: int, size: int, number: float = 1) -> float:
    """Bytes of a stack, or of another array of so many bytes for each pixel."""
    return HEADER + images * size**2 * number


def _stack(config: "Config", images: int, number: float = 1, row: int = ROW) -> float:
    return stack_bytes(images, config.sampling.size, number) + images * row


def _sampled(config: "Config", job: "Job") -> Sizes:
    """Images and their lesions, Hounsfield units, noisy images of pairs."""
    name = job.wildcards["dataset"]
    each = 2 + 2 * any(NOISES[noise].needs == "hu" for noise in config.noises_of(name)) + (name not in config.unpaired)
    return {"sampled images": sum(_stack(config, images, each) for images in splits(config))}


def _of_split(config: "Config", job: "Job") -> int:
    """Images of the split of a job."""
    of = inserted_splits if job.wildcards["split"].startswith("inserted_") else splits
    return of(config)[SPLITS.index(job.wildcards["split"].removeprefix("inserted_"))]


def _joined(config: "Config", job: "Job") -> Sizes:
    images = joined_splits(config)[SPLITS.index(job.wildcards["split"])]
    return {"sampled images": _stack(config, images, 2, ROW + LESION_ROW)}


def _again(config: "Config", job: "Job", kind: str, number: float) -> Sizes:
    return {kind: _stack(config, config.ablation.draws * _of_split(config, job), number)}


def _denoised(config: "Config", job: "Job") -> float:
    """Images of all networks and filters of a group; of a rule of the user's own, test images."""
    images = [config.sampling.test, config.sampling.validation, *([config.inserted.test] if job.rule.endswith(INSERTED) else [])]
    columns = columns_of(config, job.rule)
    if not columns:
        return _stack(config, config.sampling.test)
    return sum(repeats(config, column) * sum(_stack(config, number) for number in images) for column in columns)


def _maps(config: "Config", job: "Job") -> Sizes:
    """Maps of the training images, float16."""
    if job.rule == "explain_clean_images":
        return {"features": stack_bytes(config.sampling.train, config.sampling.size, 2 * explained_channels(config))}
    found = {explanation_name(each.explanation): each.explanation for each in of_variants(config).values() if each.explanation}
    channels = explained_channels(config, found[job.wildcards["explanation"]])
    return {"features": stack_bytes(joined_splits(config)[0], config.sampling.size, 2 * channels)}


def _shown_maps(config: "Config", job: "Job") -> Sizes:
    """Maps of the test images that the pages show, compressed."""
    images = min(config.explorer.images, config.sampling.test)
    return {"features": images * (len(stack_names(config)) + 1) * config.sampling.size**2 * 2 * COMPRESSED_MAPS}


def _scores(config: "Config", job: "Job") -> Sizes:
    """Rows of scores: of a cell, of its data set and of all, with those of lesions; and what is chosen and measured."""
    names, sampling = stack_names(config, fair=job.rule == "score_fair"), config.sampling
    inserted = (job.wildcards["dataset"], job.wildcards["noise"]) in inserted_cells(config)
    rows = len(names) * (sampling.test + inserted * config.inserted.test)
    fitted = sum(column.fitted for column in config.columns.values())
    return {"scores and tables": SCORE * (3.4 * rows + len(names) * sampling.validation) + COST + TUNED * fitted}


def _scores_of_ablation(config: "Config", job: "Job") -> Sizes:
    stages = {"test": config.sampling.test + config.inserted.test}
    images = stages.get(job.wildcards["stage"], config.sampling.validation + config.inserted.validation) * config.ablation.draws
    return {"scores and tables": 2 * SCORE * images * len(of_variants(config)) * len(config.ablation.seeds)}


def _explorer(config: "Config", job: "Job") -> Sizes:
    """The images of all noises and methods of a data set, maps where features are scored, and copies where stacks go."""
    images, noises = min(config.explorer.images, config.sampling.test), config.noises_of(job.wildcards["dataset"])
    scored = config.feature_error or ()
    shown = len(noises) + sum(noise in scored for noise in noises)
    copied = 0.0 if config.keep_denoised else len(noises) * len(config.columns) * _stack(config, images)
    return {"pages and figures": images * shown * (len(config.columns) + 1) * config.sampling.size**2 * COMPRESSED + copied}


FILES: "Mapping[str, Callable[[Config, Job], Sizes]]" = {
    **dict.fromkeys(("sample_images", "sample_hounsfield", "sample_pairs"), _sampled),
    "insert_lesions": lambda config, job: {
        "sampled images": sum(_stack(config, images, 2, ROW + LESION_ROW) for images in inserted_splits(config))
    },
    "join_inserted": _joined,
    "repeat_clean_images": lambda config, job: _again(config, job, "sampled images", 2),
    "synthesize_noise": lambda config, job: {"noisy images": sum(_stack(config, images) for images in splits(config))},
    "add_noise_to_inserted": lambda config, job: {
        "noisy images": sum(_stack(config, images) for images in inserted_splits(config))
    },
    "add_noise_to_joined": lambda config, job: {"noisy images": sum(_stack(config, images) for images in joined_splits(config))},
    "draw_again": lambda config, job: _again(config, job, "noisy images", 1),
    "insert_signals": lambda config, job: {"sampled images": _stack(config, signals(config))},
    **dict.fromkeys(("explain_clean_images", "explain_for_ablation"), _maps),
    "score_features": _shown_maps,
    **dict.fromkeys(("score", "score_fair"), _scores),
    "score_ablation": _scores_of_ablation,
    **dict.fromkeys(("table", "fair_table"), lambda config, job: {"scores and tables": PAGE}),
    "explorer": _explorer,
    "paper_comparison": lambda config, job: {"pages and figures": PAGE + FIGURE},
    "figure": lambda config, job: {"pages and figures": FIGURE + FIGURE_PDF},
    "cost": lambda config, job: {"pages and figures": FIGURE},
    # The report has all figures, as text.
    "report": lambda config, job: {"pages and figures": FIGURE * len(figure_captions(config)) * 4 / 3},
}
"""What the jobs of each rule leave on disk; that of methods is in `files_of`, and weights follow from the networks."""
