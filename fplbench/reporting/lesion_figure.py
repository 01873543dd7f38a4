"""The largest lesions of the test images: clean, noisy, and denoised by each method, with outline and contrast recovery."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from fplbench.errors import InputError
from fplbench.reporting.facts import read_facts
from fplbench.reporting.labels import Labels
from fplbench.reporting.lesion_crops import (
    NOT_SCORED,
    Chosen,
    crop_around,
    describe_crop,
    describe_lesion,
    grey_window,
    largest_lesions,
    read_recoveries,
)
from fplbench.reporting.lesion_panels import Block, draw_blocks
from fplbench.reporting.lesion_scores import RECOVERY
from fplbench.reporting.panels import check_picture, save, sentence_figure
from fplbench.reporting.scale_bars import grey_bar
from fplbench.reporting.sentences import sentences
from fplbench.reporting.stacks import open_lesions, open_matching, open_stack
from fplbench.scoring.comparison import INSERTED
from fplbench.scoring.lesions import FEWEST_PIXELS, LEAST_CONTRAST
from fplbench.stacks import read_index

MOST_LESIONS = 3
NUMBERS = (
    f"Above a crop: contrast recovery, {RECOVERY} (1: kept, 0: gone). –: not scored, as the lesion has fewer than "
    f"{FEWEST_PIXELS} pixels or its contrast in the clean image is below {LEAST_CONTRAST:g} standard deviations of the pixels "
    "around it."
)
LEGEND = (
    "Yellow: the frame of the crop in the whole image, and the outline of the lesion. All crops of a lesion have the "
    "same grey window, a little wider than the range of the clean lesion and the pixels around it."
)


def lesion_figure(
    output: str | os.PathLike[str],
    clean: str | os.PathLike[str],
    noisy: str | os.PathLike[str],
    denoised: Sequence[str | os.PathLike[str]],
    lesion_scores: str | os.PathLike[str] | None = None,
    inserted: bool = False,
    dataset: str = "",
    note: str = "",
    labels: Labels | None = None,
) -> None:
    """Draw the three largest lesions of a stack, each in the image where it is largest: clean, noisy and denoised.

    Where the stack has no lesion, the picture is one sentence that says so.

    Args:
        output: the picture to write; the ending of its name (.png, .pdf, .svg) sets the format.
        clean: the clean stack, with its index, its lesion stack and the table of the lesions.
        noisy: the noisy stack, named {noise}/{split}.npy.
        denoised: stacks named {method}.npy, or {method}_inserted.npy.
        lesion_scores: scores of the lesions on this noise, .csv; None shows no contrast recovery.
        inserted: whether to show the inserted lesions of the stack or the real ones.
        dataset: name of the data set.
        note: text below the panels.
        labels: labels of the data set, the noise and the methods.

    Raises:
        InputError: a stack, index or table is missing, malformed or does not match the clean stack, or the name of the
            picture does not end like one.
    """
    check_picture(output)
    labels = labels or Labels()
    where = labels.dataset(dataset) if dataset else ""
    lesions, rows = open_lesions(clean)
    index = read_index(clean, len(lesions))
    chosen, total = largest_lesions(rows, [entry["image_id"] for entry in index], inserted, MOST_LESIONS)
    if chosen:
        stacks = _stacks(clean, noisy, denoised, inserted, labels)
        recoveries = None if lesion_scores is None else _recoveries(lesion_scores, noisy, chosen, inserted)
        persons_known = read_facts(Path(clean).with_name("sampling.json")).persons_known
        blocks = [
            _block(clean, lesion, lesions[lesion.position], index[lesion.position], stacks, recoveries, persons_known)
            for lesion in chosen
        ]
        noise = labels.noise_title(Path(noisy).parent.name)
        title = f"{', '.join(filter(None, (where, noise)))}: {_which(len(chosen), total, inserted)}"
        figure = draw_blocks(blocks, title, sentences("" if recoveries is None else NUMBERS, LEGEND, note))
    else:
        figure = sentence_figure(_no_lesions(where, index, inserted))
    save(figure, output, figure.dpi)


def _recoveries(
    path: str | os.PathLike[str], noisy: str | os.PathLike[str], chosen: Sequence[Chosen], inserted: bool
) -> dict[tuple[str, str, str], str]:
    """Contrast recoveries, see `read_recoveries`; InputError if they are of another noise or of other images."""
    noise = Path(noisy).parent.name
    if Path(path).stem != noise:
        raise InputError(f"{path} does not have the scores on {noise}, the noise of {noisy}: name {noise}.csv.")
    found = read_recoveries(path, inserted)
    scored = {(image, lesion) for _, image, lesion in found}
    missing = [one.row["image_id"] for one in chosen if (one.row["image_id"], one.row["lesion_id"]) not in scored]
    if missing:
        raise InputError(f"{path} has no scores of the lesion in {missing[0]}: give those of this data set and split.")
    return found


def _stacks(
    clean: str | os.PathLike[str],
    noisy: str | os.PathLike[str],
    denoised: Sequence[str | os.PathLike[str]],
    inserted: bool,
    labels: Labels,
) -> dict[str, tuple[str, np.ndarray]]:
    """The stacks of the panels in their order: the label and the stack of each, by method; the clean one has the name ""."""
    images = open_stack(clean)
    found = {"noisy": open_matching(noisy, images, clean)}
    for path in denoised:
        name = Path(path).stem
        found.setdefault(name.removesuffix(INSERTED) if inserted else name, open_matching(path, images, clean))
    return {"": ("Clean", images), **{name: (labels.method(name), found[name]) for name in labels.methods(found)}}


def _block(
    path: str | os.PathLike[str],
    lesion: Chosen,
    numbers: np.ndarray,
    entry: Mapping[str, str],
    stacks: Mapping[str, tuple[str, np.ndarray]],
    recoveries: Mapping[tuple[str, str, str], str] | None,
    persons_known: bool,
) -> Block:
    """What is drawn of a lesion; `numbers` are the lesions of its image, and `entry` describes the image."""
    row = lesion.row
    mask = numbers == int(row["lesion"])
    place = crop_around(mask)
    crops = []
    for method, (label, stack) in stacks.items():
        recovery = ""
        if method and recoveries is not None:
            recovery = recoveries.get((method, row["image_id"], row["lesion_id"]), NOT_SCORED)
        crops.append((label, recovery, np.asarray(stack[lesion.position][place])))
    image = np.asarray(stacks[""][1][lesion.position])
    window = grey_window(image, mask)
    about = describe_crop(path, entry, max(mask[place].shape), max(mask.shape), window)
    heading = sentences(describe_lesion(lesion, persons_known), about)
    return Block(heading, image, *place, mask[place], crops, window, grey_bar(entry, "Crops", window))


def _which(shown: int, total: int, inserted: bool) -> str:
    kind = "inserted" if inserted else "annotated"
    if total == 1:
        return f"the {kind} lesion in the test images"
    return f"{f'{shown} of {total}' if total > shown else f'the {total}'} {kind} lesions in the test images"


def _no_lesions(where: str, index: Sequence[Mapping[str, str]], inserted: bool) -> str:
    start = f"{where}: no" if where else "No"
    if inserted:
        return f"{start} test image has an inserted lesion."
    known = ""
    if all("annotated" in entry for entry in index):
        examined = sum(entry["annotated"] == "1" for entry in index)
        known = f" (annotations cover {examined} of {len(index)} images)"
    return f"{start} test image has an annotated lesion{known}."
