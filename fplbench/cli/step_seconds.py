"""The command that measures what a training step of each learned method costs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fplbench.cli.options import DeviceName, Threads, use_threads
from fplbench.errors import InputError

if TYPE_CHECKING:
    from fplbench.config import Config

DIGITS = 3  # significant ones


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
    app.command("step-seconds")(step_seconds)


def step_seconds(
    config: Annotated[Path, typer.Option(help="Config whose learned methods are measured, .yaml, or .json of a run.")],
    rounds: Annotated[int, typer.Option(min=1, help="Repetitions; the median counts.")] = 15,
    threads: Threads = 1,
    device: DeviceName = "auto",
) -> None:
    """Measure the seconds of an optimiser step of each learned method, and print them for fair.seconds_per_step.

    The trainings of the config take their steps in turns, on random images of the config's size; no data are needed.
    """
    import yaml

    run = _read(config)
    from fplbench.numerics import use_numerics
    from fplbench.training.step_seconds import step_seconds as measure

    use_numerics(run.computing)
    use_threads(threads)
    width = run.training_options("restoration")["width"]
    found = measure(_trainings(run), run.sampling.size, width, run.explanation.model_dump(), rounds, device)
    seconds = {name: float(f"{value:.{DIGITS}g}") for name, value in found.items()}
    measured = {"fair": {"device": _describe(device, threads), "seconds_per_step": seconds}}
    typer.echo(yaml.safe_dump(measured, sort_keys=False, allow_unicode=True, width=1000), nl=False)


def _read(path: Path) -> "Config":
    """Read a config, in which the seconds that are to be measured may be missing."""
    import yaml

    from fplbench.config import load_config
    from fplbench.training import TRAININGS

    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"The config {path} does not exist.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a YAML file: {error}") from None
    if not isinstance(values, dict):
        raise InputError(f"{path} is not a config: it does not hold a mapping.")
    # Any number will do: a column with a budget of seconds is left out, or refused, while there is none.
    fair = dict(values.get("fair") or {}) | {"seconds_per_step": dict.fromkeys(TRAININGS, 1.0)}
    return load_config({**values, "fair": fair})


def _trainings(run: "Config") -> dict[str, dict[str, Any]]:
    """FPL's training and those of the other columns that are trained for each noise, with their options."""
    columns = {**run.columns, **run.fair_columns}.values()
    learned = [training for training in map(run.training_of, columns) if training is not None and "noise" in training.per]
    names = dict.fromkeys(["fpl", *(training.name for training in learned)])
    return {name: run.training_options(name) for name in names}


def _describe(device: str, threads: int) -> str:
    """The GPU, or the processor with the number of its cores that were used."""
    from fplbench.denoising.cost import place
    from fplbench.reporting.manifest import hardware

    where = place(True, device)
    return f"{hardware()['processor']}, {threads} thread{'s' * (threads > 1)}" if where == "cpu" else where
