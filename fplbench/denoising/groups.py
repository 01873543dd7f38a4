"""Run several methods on one noisy stack in one process: tune where asked, denoise, and measure the cost."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from fplbench.denoising.cost import Cost, measure, place
from fplbench.denoising.registry import METHODS
from fplbench.denoising.running import denoise, denoise_file
from fplbench.denoising.tuning import tune_files
from fplbench.errors import InputError
from fplbench.files import write_csv
from fplbench.options import Options
from fplbench.registry import parse_options
from fplbench.stacks import open_stack

log = logging.getLogger(__name__)


class Run(Options):
    """How one method runs."""

    method: str = Field(description="Name of the method.")
    options: dict[str, Any] = Field({}, description="Its options; tuning keeps these.")
    tune: bool = Field(False, description="Choose the other options on training images first.")
    weights: str | None = Field(None, description="Weight file, for a method that is a trained network.")
    device: str | None = Field(None, description="auto, cpu or cuda, for a method that is a trained network.")


@dataclass(frozen=True)
class Tuning:
    """The training images on which options are chosen, and where the choice is written."""

    clean: Path
    noisy: Path
    folder: Path
    images: int = 50
    criterion: Literal["psnr", "ssim"] = "psnr"


def run_group(
    runs: Mapping[str, Mapping[str, Any]],
    noisy: Path,
    folder: Path,
    cost: Path,
    tuning: Tuning | None = None,
    threads: int = 1,
    device: str = "auto",
    inserted: Path | None = None,
) -> None:
    """Denoise a stack with several methods. If one fails, the others run all the same.

    Args:
        runs: by name of the denoised stack, the fields of `Run`.
        noisy: the noisy stack, with its index.
        folder: gets {name}.npy and {name}.csv of each; both appear complete or not at all.
        cost: the .csv file to write: method, images, seconds, peak_memory_mb, device.
        tuning: training images, for methods that are tuned; its folder gets {name}.json and {name}.csv of these.
        threads: processor cores to use.
        device: auto, cpu or cuda, for methods whose run does not say.
        inserted: another noisy stack, of images with inserted lesions; the folder gets {name}_inserted.npy and .csv too. Tuning
            and cost take no account of it.

    Raises:
        InputError: a run is not as it should be, or methods failed; the message names each, with its reason.
    """
    parsed = {name: parse_options(Run, values, f"methods.{name}") for name, values in runs.items()}
    costs, failures = [], {}
    for name, run in parsed.items():
        log.info("%s", name)
        try:
            found = _run(name, run, noisy, folder, tuning, threads, device, inserted)
        except InputError as error:
            failures[name] = str(error)
        except Exception as error:  # of a method's own code or library
            log.exception("%s failed", name)
            failures[name] = f"{type(error).__name__}: {error}"
        else:
            costs.append({"method": name, **vars(found), "seconds": round(found.seconds, 6)})
    if failures:
        raise InputError("\n".join(f"The method {name!r} failed: {why}" for name, why in failures.items()))
    write_csv(cost, costs)


def _run(
    name: str, run: Run, noisy: Path, folder: Path, tuning: Tuning | None, threads: int, device: str, inserted: Path | None
) -> Cost:
    """Tune and denoise with one method."""
    method = METHODS[run.method]
    where: dict[str, Any] = {"weights": run.weights} if run.weights else {}
    if method.gpu:
        where["device"] = run.device or device
    options = dict(run.options)
    if run.tune:
        if tuning is None:
            raise InputError("it is to be tuned, but no training images are given.")
        chosen, search = tuning.folder / f"{name}.json", tuning.folder / f"{name}.csv"
        settings = {"images": tuning.images, "criterion": tuning.criterion, "threads": threads}
        options = tune_files(run.method, tuning.clean, tuning.noisy, chosen, search, options, place=where, **settings)
    images = open_stack(noisy)
    # One image first: libraries and weights that it loads are no cost of the method.
    denoise(run.method, images[:1], threads=threads, **options, **where)
    with measure(len(images), place(method.gpu, where.get("device", "cpu"))) as cost:
        denoise_file(run.method, noisy, folder / f"{name}.npy", {**options, **where}, threads)
    if inserted is not None:
        denoise_file(run.method, inserted, folder / f"{name}_inserted.npy", {**options, **where}, threads)
    return cost
