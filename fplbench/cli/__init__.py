"""The command line, one file for each stage. Rules call these commands and nothing else."""

import atexit
import gc
import logging
import signal
import sys
from typing import Annotated

import typer

from fplbench import __version__
from fplbench.cli import (
    ablation,
    alignment,
    applying,
    calibration,
    charts,
    config,
    datasets,
    denoising,
    detectability,
    doctor,
    downloads,
    explaining,
    explorer,
    generalisation,
    grey_maps,
    lesion_figures,
    lesions,
    models,
    noise,
    paper,
    planning,
    reporting,
    scoring,
    step_seconds,
    training,
    verification,
)
from fplbench.doctor.memory import NOT_ENOUGH, says_memory_ran_out
from fplbench.errors import InputError
from fplbench.parent import end_with_snakemake

STAGES = (
    config,
    doctor,
    planning,
    downloads,
    datasets,
    lesions,
    noise,
    calibration,
    training,
    step_seconds,
    explaining,
    alignment,
    denoising,
    scoring,
    reporting,
    charts,
    grey_maps,
    lesion_figures,
    paper,
    explorer,
    verification,
    ablation,
    generalisation,
    detectability,
    applying,
    models,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for part in STAGES:
    part.register(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fplbench {__version__}")
        raise typer.Exit


@app.callback()
def program(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Benchmark of medical image denoising: stages that Snakemake runs, and tools for your own files."""


def _spare_the_collector() -> None:
    """Start and end faster: what imports create is no garbage, and at the end it need not be looked through once more.

    With torch, this saves a quarter of a second of every command.
    """
    gc.set_threshold(100_000, 50, 100)
    atexit.register(gc.freeze)


def main() -> None:
    """Run the command line; errors that a user can fix are printed as a sentence, without a traceback."""
    _spare_the_collector()
    end_with_snakemake()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    try:
        app()
    except KeyboardInterrupt:  # before the command began
        sys.exit(128 + signal.SIGINT)
    except InputError as error:
        sys.exit(f"fplbench: {error}")
    except (ImportError, MemoryError, RuntimeError) as error:
        if not says_memory_ran_out(f"{type(error).__name__}: {error}"):
            raise
        sys.exit(f"fplbench: {NOT_ENOUGH}")
    except OSError as error:
        where = f"{error.filename} cannot be read or written" if error.filename else "A file cannot be read or written"
        sys.exit(f"fplbench: {where}: {error.strerror or error}. Check its name, its permissions and the free space.")
