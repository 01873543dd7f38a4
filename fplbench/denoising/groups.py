"""Run several methods on one noisy stack in one process: tune where asked, denoise, and measure the cost."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from fplbench.denoising.cost import Cost, measure, place
from fplbench.denoising.grey_map import SUFFIX, GreyMap, Kind, read_grey_map
from fplbench.denoising.registry import METHODS
from fplbench.denoising.running import denoise, denoise_file
from fplbench.denoising.tuning import tune_files
from fplbench.errors import InputError
from fplbench.files import write_csv
from fplbench.numerics import NumericsOptions, use_numerics
from fplbench.options import Options
from fplbench.registry import parse_options
from fplbench.stacks import open_stack

log = logging.getLogger(__name__)


class Run(Options):
    """How one method runs."""

    method: str = Field(description="Name of the method.")
    options: dict[str, Any] = Field({}, description="Its options; tuning keeps these.")
    tune: bool = Field(False, description="Choose the other options on training images first.")
    grey_map: Kind | None = Field(None, description="Kind of a grey map to fit on training images and to apply.")
    grey_map_file: str | None = Field(None, description="A grey map that was fitted before, to apply instead.")
    weights: str | None = Field(None, description="Weight file, for a method that is a trained network.")
    device: str | None = Field(None, description="auto, cpu or cuda, for a method that is a trained network.")


@dataclass(frozen=True)
class Tuning:
    """The training images on which options are chosen and grey maps fitted, and where the choice is written."""

    clean: Path
    noisy: Path
    folder: Path
    images: int = 50
    criterion: Literal["psnr", "ssim"] = "psnr"


@dataclass(frozen=True)
class _Job:
    """What the methods of a group share, as `run_group` describes it."""

    noisy: Path
    folder: Path
    tuning: Tuning | None
    threads: int
    device: str
    further: Mapping[str, Path]


def run_group(
    runs: Mapping[str, Mapping[str, Any]],
    noisy: Path,
    folder: Path,
    cost: Path,
    tuning: Tuning | None = None,
    threads: int = 1,
    device: str = "auto",
    further: Mapping[str, Path] | None = None,
    numerics: NumericsOptions | None = None,
) -> None:
    """Denoise a stack with several methods. If one fails, the others run all the same.

    Args:
        runs: by name of the denoised stack, the fields of `Run`.
        noisy: the noisy stack, with its index.
        folder: gets {name}.npy and {name}.csv of each; both appear complete or not at all.
        cost: the .csv file to write: method, images, seconds, peak_memory_mb, device, parameters, operations.
        tuning: training images, for methods that are tuned or get a grey map; its folder gets {name}.json and {name}.csv of
            those that are tuned, and {name}_grey_map.json of those with a map.
        threads: processor cores to use.
        device: auto, cpu or cuda, for methods whose run does not say.
        further: other noisy stacks, by the ending of their results: "inserted" gives {name}_inserted.npy and .csv. Tuning
            and cost take no account of them.
        numerics: how torch computes; it is not loaded where no method needs it.

    Raises:
        InputError: a run is not as it should be, or methods failed; the message names each, with its reason.
    """
    parsed = {name: parse_options(Run, values, f"methods.{name}") for name, values in runs.items()}
    if numerics is not None and any(METHODS[run.method].gpu for run in parsed.values()):
        use_numerics(numerics)
    job = _Job(noisy, folder, tuning, threads, device, further or {})
    costs, failures = [], {}
    for name, run in parsed.items():
        log.info("%s", name)
        try:
            found = _run(name, run, job)
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


def _run(name: str, run: Run, job: _Job) -> Cost:
    """Tune and denoise with one method."""
    method = METHODS[run.method]
    where: dict[str, Any] = {"weights": run.weights} if run.weights else {}
    if method.gpu:
        where["device"] = run.device or job.device
    options, grey_map = _choose(name, run, where, job)
    options |= where
    images = open_stack(job.noisy)
    workers = job.threads if method.processes else 1
    # One image first, or one in each process: libraries and weights that it loads are no cost of the method.
    denoise(run.method, images[:workers], threads=job.threads, **options)
    with measure(len(images), place(method.gpu, where.get("device", "cpu"))) as cost:
        denoise_file(run.method, job.noisy, job.folder / f"{name}.npy", options, job.threads, grey_map)
    if workers > 1:
        cost.peak_memory_mb = None  # other processes need it, and they are not measured
    for ending, noisy in job.further.items():
        denoise_file(run.method, noisy, job.folder / f"{name}_{ending}.npy", options, job.threads, grey_map)
    return cost


def _choose(name: str, run: Run, where: Mapping[str, Any], job: _Job) -> tuple[dict[str, Any], GreyMap | None]:
    """The options of a method and its grey map, chosen on training images where that is asked for."""
    if run.grey_map_file is not None:
        if run.tune or run.grey_map:
            raise InputError("its grey map is given by grey_map_file, so neither tune nor grey_map can be set.")
        return dict(run.options), read_grey_map(run.grey_map_file)
    if not run.tune and run.grey_map is None:
        return dict(run.options), None
    if job.tuning is None:
        what = "be tuned" if run.tune else "get a grey map"
        raise InputError(f"it is to {what}, but no training images are given.")
    tuning = job.tuning
    choice = tune_files(
        run.method,
        tuning.clean,
        tuning.noisy,
        tuning.folder / f"{name}.json" if run.tune else None,
        tuning.folder / f"{name}.csv" if run.tune else None,
        run.options,
        tuning.folder / f"{name}{SUFFIX}.json",
        place=where,
        images=tuning.images,
        criterion=tuning.criterion,
        threads=job.threads,
        grey_map=run.grey_map,
        search=run.tune,
    )
    return choice.options, choice.grey_map
