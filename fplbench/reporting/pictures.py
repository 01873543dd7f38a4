"""The pictures of a page, which holds them: their sizes, captions and descriptions."""

import base64
import mimetypes
import os
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from pathlib import Path
from urllib.parse import quote

from fplbench.errors import InputError
from fplbench.reporting import html

DESCRIPTIONS = {
    "noises": "The same image with each noise, side by side.",
    "cost": "Scatter plot: mean PSNR of each method against its time for one image.",
    "training": "Curves over the steps of the training: losses, gradients, validation PSNR, learning rate, speed and memory.",
    "heat_map": "Heat map with a row for each noise and a column for each method.",
    "ranks": "Plot of the ranks of the methods.",
    "lesions": "Annotated lesions, enlarged: clean, noisy and denoised by each method.",
    "inserted": "Inserted lesions, enlarged: clean, noisy and denoised by each method.",
    "recovery": "Plot of the contrast recovery of lesions for each noise and method.",
    "grey_maps": "Curves of the output grey level over the input grey level, for each noise and method.",
    "features": "One test image and its feature maps: clean, noisy and denoised by each method.",
    "paper": "Plot of reproduced values against published ones.",
}
"""What a picture looks like, by its name after that of the data set."""
EXAMPLE = "One test image side by side: clean, noisy and denoised."


def belongs(path: str, dataset: str) -> bool:
    """Whether a picture is of a data set: its folder, or words of its name between underscores, name the data set."""
    place = Path(path)
    return place.parent.name == dataset or f"_{dataset}_" in f"_{place.stem}_"


def pictures(captions: Mapping[str, str], datasets: Iterable[str], page: str | os.PathLike[str] | None = None) -> Iterator[str]:
    """Pictures with their captions, as HTML that holds them.

    Args:
        captions: captions by the path of the picture.
        datasets: names of data sets.
        page: the page, from which pictures that lie in its folder or below are linked to at their full size; None links to none.

    Raises:
        InputError: a picture is missing or is not a picture.
    """
    for path, caption in captions.items():
        kind = mimetypes.guess_type(path)[0] or ""
        if not kind.startswith("image/"):
            raise InputError(f"{path} is not a picture that a page can show; give a .png or .svg file.")
        try:
            content = Path(path).read_bytes()
        except FileNotFoundError:
            raise InputError(f"{path} does not exist.") from None
        width, height = _size(path)
        picture = html.void(
            "img", src=f"data:{kind};base64,{base64.b64encode(content).decode()}", alt=describe(path, datasets),
            width=str(width), height=str(height), loading="lazy",
        )  # fmt: skip
        place = None if page is None else beside(path, page)
        link = f" {html.text('a', 'Full size', href=place)}" if place else ""
        yield html.element("figure", picture, html.element("figcaption", escape(caption), link))


def describe(path: str, datasets: Iterable[str]) -> str:
    """What a picture looks like, for readers who do not see it."""
    name = Path(path).stem
    for dataset in datasets:
        if name == dataset:
            return EXAMPLE
        name = name.removeprefix(f"{dataset}_")
    return DESCRIPTIONS.get(name, f"Figure {name.replace('_', ' ')}.")


def beside(path: str | os.PathLike[str], page: str | os.PathLike[str]) -> str | None:
    """The relative address of a file that lies in the folder of a page or below; None if it lies elsewhere."""
    file, folder = Path(path).resolve(), Path(page).resolve().parent
    return quote(file.relative_to(folder).as_posix()) if file.is_relative_to(folder) else None


def _size(path: str) -> tuple[int, int]:
    """Width and height of a picture in pixels, by which a page reserves its place."""
    from PIL import Image, UnidentifiedImageError

    try:
        if path.endswith(".svg"):
            return _svg_size(path)
        with Image.open(path) as picture:
            return picture.size
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise InputError(f"{path} is not a picture that can be read: make it again ({error}).") from None


def _svg_size(path: str) -> tuple[int, int]:
    from xml.etree import ElementTree

    box = ElementTree.parse(path).getroot().get("viewBox", "")
    width, height = map(float, box.split()[2:])
    return round(width), round(height)
