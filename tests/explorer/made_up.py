"""Data of an explorer page, with grey levels that are easy to calculate with."""

import base64
import io

import numpy as np
from PIL import Image

HEIGHT, WIDTH = 12, 16
SPOT = (3, 2)  # x, y of a pixel that has its own grey level
SPOT_LEVEL = 200
CLEAN = (100, 50)  # grey level of each of the two shown images, constant but for the spot
LEVELS = {
    ("gaussian", "noisy"): (120, 70),
    ("gaussian", "fpl"): (96, 46),
    ("gaussian", "sharp"): (92, 42),
    ("poisson", "noisy"): (140, 90),
    ("poisson", "fpl"): (108, 58),
}
FEATURES = {"clean": 0, "noisy": 255, "fpl": 51}  # grey level of the map of each
BLACK, WHITE = -2.0, 3.0  # values of the maps shown black and white: 51 is -2 + 51 / 255 * 5 = -1
MARKUP = '<img src=x onerror="document.title=1"></script><script>document.title=2</script>'
PSNR = {
    ("gaussian", "noisy"): [20.0, 21.0, 22.0, 23.0],
    ("gaussian", "fpl"): [30.0, 31.0, 32.0, 35.0],
    ("gaussian", "sharp"): [25.0, None, 27.0, 29.0],
    ("poisson", "noisy"): [24.0, 24.0, 24.0, 24.0],
    ("poisson", "fpl"): [28.0, 28.0, 28.0, 28.0],
}
IDS = ["first", "second", "third", "fourth"]


def picture(level: int, spot: int | None = None) -> str:
    """An image with one grey level, except for the spot, as a data: URI."""
    image = np.full((HEIGHT, WIDTH), level, np.uint8)
    if spot is not None:
        image[SPOT[1], SPOT[0]] = spot
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def explorer_data() -> dict:
    """A data set with two noises, two shown images of four, one method that is not there for Poisson noise, and HU of
    -1000 to 1550, so that a grey level spans 10 HU.
    """
    pixels: dict = {"clean": [picture(level, SPOT_LEVEL) for level in CLEAN]}
    for (noise, method), levels in LEVELS.items():
        pixels.setdefault(noise, {})[method] = [picture(level, SPOT_LEVEL) for level in levels]
    return {
        "dataset": "lidc",
        "label": "LIDC",
        "title": "LIDC: explorer",
        "about": "Not from any scanner.",
        "note": "Made-up images.",
        "licence": "These images may not be redistributed.",
        "storage": "Images are stored without loss.",
        "reference": "fpl",
        "window": [-1000, 1550],
        "noises": [
            {"name": "gaussian", "label": "Gaus.", "title": "Gaussian noise"},
            {"name": "poisson", "label": "Poiss.", "title": "Poisson noise"},
        ],
        "start": "gaussian",
        "methods": [
            {"name": "clean", "label": "Clean"},
            {"name": "noisy", "label": "Noisy"},
            {"name": "fpl", "label": "FPL"},
            {"name": "sharp", "label": MARKUP},
        ],
        "images": [
            {"id": "second", "patient": "p1", "position": 1, "lesions": [lesion()]},
            {"id": "fourth", "patient": MARKUP, "position": 3, "lesions": []},
        ],
        "height": HEIGHT,
        "width": WIDTH,
        "pixels": pixels,
        "features": {
            "gaussian": {"scale": [BLACK, WHITE], "maps": {name: [picture(level)] * 2 for name, level in FEATURES.items()}}
        },
        "scores": scores(),
        "notes": ["Noisy: the unprocessed image.", "VIF: of copies, so images have none."],
    }


def lesion() -> dict:
    """A lesion of one pixel, x = 8 and y = 6."""
    return {
        "name": "nodule-1",
        "kind": "nodule",
        "shape": "mask",
        "edges": [[8, 6, 9, 6], [8, 7, 9, 7], [8, 6, 8, 7], [9, 6, 9, 7]],
    }


def scores() -> dict:
    """PSNR of four test images, a metric that is better when lower, and one of which there is only a mean."""
    means: dict = {}
    values: dict = {}
    for (noise, method), psnr in PSNR.items():
        known = [value for value in psnr if value is not None]
        mean = sum(known) / len(known)
        means.setdefault(noise, {})[method] = {"psnr": mean, "error": 1 / mean, "vif": 0.5 if method == "fpl" else None}
        errors = [None if value is None else 1 / value for value in psnr]
        values.setdefault(noise, {})[method] = {"psnr": psnr, "error": errors, "vif": [None] * 4}
    return {
        "metrics": [
            {"name": "psnr", "label": "PSNR", "unit": "dB", "digits": 2, "direction": "higher"},
            {"name": "error", "label": "Error", "unit": "", "digits": 3, "direction": "lower"},
            {"name": "vif", "label": "VIF", "unit": "", "digits": 3, "direction": "higher"},
        ],
        "means": means,
        "ids": IDS,
        "values": values,
    }
