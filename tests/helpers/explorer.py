"""A made-up run of which the explorer makes a page, and what tests read off the page."""

import base64
import json

import cv2
import numpy as np

from fplbench.config import read_config
from fplbench.reporting.explorer.page import explorer_data
from fplbench.reporting.explorer.pixels import PREFIX
from tests.helpers.scores import write_cells, write_config, write_long_table

NOISES = ["poisson", "gaussian"]
METHODS = ("noisy", "fpl", "median_filter")
CONFIG = {
    "datasets": ["lidc"],
    "noises": NOISES,
    "methods": {"noisy": {}, "median_filter": {"label": "Mine"}, "fpl": {}},
    "note": "One note",
    "explorer": {"images": 2},
}
TABLE = """dataset,metric,noise,method,mean
lidc,lesion_psnr,gaussian,fpl,24.5
lidc,psnr,gaussian,fpl,99
lidc,inserted_lesion_psnr,gaussian,fpl,
lidc,lesion_ssim,gaussian,fpl,0.5
lits,lesion_psnr,gaussian,noisy,12
"""


def write_run(folder):
    """Write stacks of four images of two noises, with their scores and the config, laid out as the workflow does."""
    write_cells(folder, NOISES, METHODS)
    write_config(folder / "config.json", **CONFIG)
    write_scores(folder)
    return folder


def write_scores(folder, methods=METHODS, noises=NOISES, patients=("p0", "p0", "p1", "p1")):
    cells = {
        ("lidc", noise, method): [20.123456 + 3 * i + len(method) + len(noise) for i in range(len(patients))]
        for noise in noises
        for method in methods
    }
    write_long_table(folder / "scores.csv", cells, patients)


def with_column(folder, name, value):
    """Give the scores a further column: value(noise, method, image), "" where there is none."""
    lines = [line.split(",") for line in (folder / "scores.csv").read_text().splitlines()]
    rows = [[*line, str(value(line[1], line[2], line[3]))] for line in lines[1:]]
    (folder / "scores.csv").write_text("\n".join(",".join(row) for row in [[*lines[0], name], *rows]) + "\n")


def write_lesion_scores(folder, methods=METHODS, image=1):
    """Scores on Gaussian noise: two lesions in an image and one in i2, without contrast recovery, and an inserted one."""
    lines = ["method,image_id,lesion,lesion_id,patient,kind,shape,inserted,pixels,rmse,psnr,ssim,contrast_recovery,"
             "recovery_error,cnr,bias"]  # fmt: skip
    for method in methods:
        lines += [
            f"{method},i{image},1,a,p0,nodule,mask,0,9,1,{20 + 2 * (method == 'fpl-2')},1,0.5,0.5,1,1",
            f"{method},i{image},2,b,p0,nodule,mask,0,9,1,26,1,1.25,0.25,1,1",
            f"{method},i2,1,c,p1,nodule,mask,0,2,1,30,1,,,,",
            f"{method},i2,2,d,p1,nodule,mask,1,9,1,99,1,0,1,1,1",
        ]
    (folder / "lesions").mkdir(exist_ok=True)
    (folder / "lesions" / "gaussian.csv").write_text("\n".join(lines) + "\n")
    return folder / "lesions"


def write_maps(folder, positions=(2, 1), **more):
    rng = np.random.default_rng(0)
    found = {name: rng.normal(0, 2, (len(positions), 16, 16)).astype(np.float16) for name in ("clean", "noisy", "fpl", "fpl-2")}
    (folder / "maps").mkdir(exist_ok=True)
    np.savez(folder / "maps" / "gaussian.npz", positions=np.array(positions), **found | more)
    return found


def arguments(folder):
    return folder / "data" / "lidc" / "test.npy", folder / "scores.csv", "lidc"


def places(folder, config=True, **more):
    found = {"noisy": folder / "noisy" / "lidc", "denoised": folder / "denoised" / "lidc", **more}
    return found | ({"config": read_config(folder / "config.json")} if config else {})


def data_of(folder, **more):
    data = explorer_data(*arguments(folder), **places(folder, **more))
    return json.loads(json.dumps(data, allow_nan=False))


def decoded(uri):
    """The grey levels of a data: URI, from its own bytes."""
    assert uri.startswith(PREFIX)
    image = cv2.imdecode(np.frombuffer(base64.b64decode(uri[len(PREFIX) :]), np.uint8), cv2.IMREAD_UNCHANGED)
    assert image.dtype == np.uint8 and image.ndim == 2
    return image


def lesion(image, number, pixels, inserted=0):
    return {
        "image_id": f"i{image}", "lesion": number, "lesion_id": f"lesion-{number}", "patient": "p", "kind": "nodule",
        "shape": "mask", "readers": 1, "size_mm": 3, "malignancy": "", "pixels": pixels, "inserted": inserted,
    }  # fmt: skip
