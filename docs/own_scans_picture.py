"""Draw the picture of docs/own-scans.md from the files that its commands write: one slice before, after and the difference."""

import sys
from pathlib import Path

import nibabel
import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from PIL import Image

FOLDER, PICTURE = Path("own"), Path(__file__).parent / "images" / "own-scans.png"
SLICE = 8  # the middle one
BODY = slice(80, 400), slice(55, 472)  # rows and columns
WINDOW = (-160, 240)  # HU, soft tissue
BOUND = 100  # HU; the ends of the colours of the difference
SIZE, DOTS = (11.2, 3.5), 100  # inches, and dots of an inch


def main(folder: Path = FOLDER, picture: Path = PICTURE) -> None:
    """Draw noisy.nii.gz and denoised.nii.gz of a folder."""
    before, after = (_slice(folder / f"{name}.nii.gz") for name in ("noisy", "denoised"))
    panels = {
        "Before: noise of 40 HU was added": (before, "gray", WINDOW),
        "After": (after, "gray", WINDOW),
        "Difference, after minus before": (after - before, "cividis", (-BOUND, BOUND)),
    }
    figure = Figure(SIZE, DOTS, layout="constrained")
    for axes, (title, (image, colours, limits)) in zip(figure.subplots(1, 3), panels.items(), strict=True):
        axes.set_title(title, fontsize=13)
        axes.set_axis_off()
        ticks = (limits[0], sum(limits) / 2, limits[1])
        bar = figure.colorbar(axes.imshow(image, colours, None, vmin=limits[0], vmax=limits[1]), ax=axes, location="bottom",
                              aspect=25, shrink=0.86, pad=0.03, ticks=ticks)  # fmt: skip
        bar.ax.set_xticklabels([f"{value:g} HU".replace("-", "−") for value in ticks], fontsize=12)
    figure.savefig(picture)
    _with_palette(Image.open(picture).convert("RGB")).save(picture, optimize=True)


def _slice(path: Path) -> np.ndarray:
    """The slice as radiologists look at it: the patient's right on the left, the front above."""
    values = np.asarray(nibabel.as_closest_canonical(nibabel.load(path)).dataobj[..., SLICE])
    return values[::-1, ::-1].T[BODY].astype(np.float32)


def _with_palette(image: Image.Image) -> Image.Image:
    """The image in half of the greys and colours, which takes a third of the space."""
    colours = [colormaps[name](np.linspace(0, 1, 128))[:, :3] for name in ("gray", "cividis")]
    palette = Image.new("P", (1, 1))
    palette.putpalette((np.concatenate(colours) * 255).round().astype(np.uint8).tobytes())
    found = image.quantize(palette=palette, dither=Image.Dither.NONE)
    white = Image.fromarray((np.asarray(image).min(axis=2) == 255).astype(np.uint8) * 255)
    found.paste(127, mask=white)  # Pillow takes a light grey for white
    return found


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
