"""Checks of a run's config, data and room, and of a tiny piece of work from beginning to end."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

import numpy as np

from fplbench.doctor.registry import Finding, Place, check
from fplbench.errors import InputError
from fplbench.files import nearest_existing

# A kernel of its own, forwards and backwards, in another process, as a failure may end it.
COMPILES = """
import torch
image = torch.ones(8, 8, requires_grad=True, device="cuda" if torch.cuda.is_available() else "cpu")
torch.compile(lambda x: (2 * x).exp().sum())(image).backward()
"""


@check("config")
def config(place: Place) -> Finding:
    """Whether the config is right, and its packages and weights are there."""
    from fplbench.config.columns import check_packages, check_weights

    if place.problem:
        return Finding("error", place.problem)
    if place.config is None:
        return Finding("ok", "No config was given.", "`fplbench doctor --configfile config/demo.yaml` checks one, and its data.")
    try:
        check_packages([*place.config.columns.values(), *place.config.fair_columns.values()])
        check_weights(place.config)
    except InputError as error:
        return Finding("error", str(error))
    config = place.config
    found = f"Data sets: {len(config.datasets)}; noises: {len(config.noises)}; methods: {len(config.columns)}."
    return Finding("ok", f"The config is right. {found}")


def unchecked(place: Place) -> Finding:
    """For a check that needs a config, where there is none."""
    return Finding("ok", f"Not checked: {'the config is wrong' if place.problem else 'that needs a config'}.")


@check("data")
def data(place: Place) -> Finding:
    """Whether the data folders of the config are there, and not empty."""
    from fplbench.datasets import check_root

    if place.config is None:
        return unchecked(place)
    roots = {name: place.config.dataset_options(name)["root"] for name in place.config.datasets}
    problems = []
    for name, root in roots.items():
        try:
            check_root(place.config.dataset(name), root)
        except InputError as error:
            problems.append(str(error))
    if problems:
        return Finding("error", " ".join(problems))
    return Finding("ok", f"There are files in {', '.join(map(str, roots.values()))}; `fplbench check-data` looks into them.")


@check("room")
def room(place: Place) -> Finding:
    """Whether the disk has room for all that the config's tables and pages need and that is not there yet."""
    from fplbench.planning.asking import SNAKEFILE
    from fplbench.planning.disk import check_space, gigabytes, needed
    from fplbench.planning.jobs import planned

    if not SNAKEFILE.exists():
        return Finding("warning", "There is no Snakefile here.", "Run Snakemake, and this, in the folder of the benchmark.")
    if place.config is None:
        return unchecked(place)
    present = sum(path.stat().st_size for path in place.results.rglob("*") if path.is_file())
    try:
        jobs = planned(place.config, ["all"], place.configfiles)
        check_space(place.config, jobs, present)
        size = needed(place.config, jobs)
    except InputError as error:
        return Finding("error", " ".join(str(error).split()))
    free = shutil.disk_usage(nearest_existing(place.results)).free
    found = f"The whole run needs about {gigabytes(size)} in {place.results}, where {gigabytes(present)} are now"
    return Finding("ok", f"{found}; {gigabytes(free)} are free.")


@check("compiler")
def compiler(place: Place) -> Finding:
    """Whether torch can compile networks, if the config wants them compiled."""
    if place.config is None:
        return unchecked(place)
    if not place.config.numerics.compile:
        return Finding("ok", "Not needed: numerics.compile is false.")
    with tempfile.TemporaryDirectory() as cache:  # with the usual one, kernels from before would do
        run = subprocess.run(
            [sys.executable, "-c", COMPILES],
            env={**os.environ, "TORCHINDUCTOR_CACHE_DIR": cache},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
    if run.returncode == 0:
        return Finding("ok", "torch compiles networks.")
    said = [line for line in run.stderr.splitlines() if re.match(r"[\w.]+: ", line)]
    advice = "Install g++, or name another compiler in CXX, and Triton for a GPU, or leave out numerics.compile."
    return Finding("error", f"torch cannot compile networks: {said[-1] if said else 'no reason is given'}.", advice)


@check("work")
def tiny_work(place: Place) -> Finding:
    """Whether an image of 8 x 8 pixels can be made noisy, denoised and scored: the median removes noise from an even grey."""
    from fplbench.denoising.registry import METHODS
    from fplbench.noise.synthesis import synthesize
    from fplbench.scoring.metrics import psnr

    clean = np.full((1, 8, 8), 100, np.uint8)
    noisy = np.rint(synthesize("gaussian", clean.astype(np.float32) / 255, seed=1) * 255).astype(np.uint8)
    median = METHODS["median_filter"]
    denoised = median.function(noisy, median.options())
    if not isinstance(denoised, np.ndarray):
        raise TypeError("the median filter returned no image")
    before, after = psnr(clean[0], noisy[0]), psnr(clean[0], denoised[0])
    found = f"Gaussian noise, median filter, PSNR of an image of 8 x 8: {before:.1f} dB before, {after:.1f} dB after."
    if not after > before:
        return Finding("error", f"{found} The filter should have raised it.", "Please report this line.")
    return Finding("ok", found)
