"""A contact sheet: a few images of a data set at a glance."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fplbench.datasets.display import content
from fplbench.datasets.identity import Identity
from fplbench.datasets.pixels import read_slices
from fplbench.datasets.reader import Failure
from fplbench.datasets.registry import DATASETS, DatasetOptions, Slice

IMAGES = 16
THUMBNAIL = 256  # pixels
CAPTION = 16  # pixels


@dataclass
class Sheet:
    """What the images of a sheet tell: files tried, by name why some cannot be decoded, images shown and near-empty."""

    tried: set[str] = field(default_factory=set)
    faults: dict[str, str] = field(default_factory=dict)
    shown: int = 0
    near_empty: int = 0


def contact_sheet(name: str, options: DatasetOptions, slices: Sequence[Slice], threads: int, path: Path) -> Sheet:
    """Write 16 slices, spread evenly over the data set, as a .png with their names."""
    from PIL import Image, ImageDraw

    step = max(len(slices) / IMAGES, 1)
    chosen = {number: slices[int((number + 0.5) * step)] for number in range(min(IMAGES, len(slices)))}
    picture = Image.new("L", (4 * THUMBNAIL, 4 * (THUMBNAIL + CAPTION)))
    draw = ImageDraw.Draw(picture)
    identity = Identity(options.pseudonymise)
    sheet = Sheet({one.source for one in chosen.values()})
    for number, answer in read_slices(DATASETS[name], options, THUMBNAIL, chosen, threads):
        one = chosen[number]
        left, top = number % 4 * THUMBNAIL, number // 4 * (THUMBNAIL + CAPTION)
        if isinstance(answer, Failure):
            sheet.faults[one.source] = answer.words(options.root, one.source, options.pseudonymise)
            draw.text((left + 4, top + THUMBNAIL // 2), "cannot be decoded", fill=255)
        else:
            sheet.shown += 1
            sheet.near_empty += content(answer.pixels) < options.min_content
            picture.paste(Image.fromarray(answer.pixels), (left, top))
        draw.text((left + 4, top + THUMBNAIL + 2), identity.of(one.image_id)[-40:], fill=255)
    picture.save(path)
    return sheet
