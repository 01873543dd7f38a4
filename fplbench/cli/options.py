"""Option types that several commands share."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fplbench.errors import InputError

if TYPE_CHECKING:
    from fplbench.config import Config
    from fplbench.numerics import Computing

OptionsJson = Annotated[str, typer.Option("--options", help="Options as a JSON object.", metavar="JSON")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of the run.")]
DeviceName = Annotated[str, typer.Option("--device", help="Where networks run: auto, cpu or cuda.")]
Stacks = Annotated[
    list[str], typer.Argument(help="Clean stacks of data sets, such as lidc=clean.npy.", metavar="DATASET=CLEAN...")
]
ExplanationJson = Annotated[
    str,
    typer.Option(
        "--explanation", help="What is explained, and how, as a JSON object; {} is guided back-propagation.", metavar="JSON"
    ),
]
ExplainedNetwork = Annotated[
    str,
    typer.Argument(
        help="Weight file of the explained network, .safetensors; none where the feature needs none.", metavar="NETWORK"
    ),
]
NumericsJson = Annotated[
    str,
    typer.Option(
        "--numerics", help="deterministic, tf32, cudnn_benchmark, compile and strict, as a JSON object.", metavar="JSON"
    ),
]
Threads = Annotated[int, typer.Option("--threads", min=1, help="Processor cores to use.")]


ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", help="Resolved config of the run, config.json; without it, everything has its default."),
]


def parse_json(text: str, option: str = "--options") -> dict[str, Any]:
    """Read the JSON object given to an option; anything else raises InputError."""
    try:
        values = json.loads(text)
    except RecursionError:
        raise InputError(f"{option} is nested too deeply.") from None
    except ValueError as error:  # numbers of thousands of digits are one too
        raise InputError(f"{option} is not valid JSON: {error}.") from None
    if not isinstance(values, dict):
        raise InputError(f"{option} is {text}: a JSON object such as {{}} is needed.")
    return values


def read_options(model: type, text: str, where: str, option: str = "--options") -> Any:
    """Build an options model from the JSON object given to an option; `where` is the dotted place for messages."""
    # Imported here, because importing pydantic takes longer than the work of many commands.
    from fplbench.registry import parse_options

    return parse_options(model, parse_json(text, option), where)


def read_explanation(text: str) -> dict[str, Any]:
    """Fields of `ExplanationOptions` from the JSON object given to --explanation, complete."""
    from fplbench.explaining.options import ExplanationOptions

    return read_options(ExplanationOptions, text, "explanation", "--explanation").model_dump()


def network_path(argument: str) -> Path | None:
    """The weight file that an argument `ExplainedNetwork` names, or None."""
    return None if argument in ("none", "") else Path(argument)


def read_run(path: Path | None) -> "Config | None":
    """The config of the run, where one is given."""
    if path is None:
        return None
    from fplbench.config import read_config

    return read_config(path)


def use_threads(threads: int) -> None:
    """Let torch use this many processor cores, or one where `apply_numerics` has asked for strict computing before."""
    from fplbench import numerics

    numerics.use_threads(threads)


def read_numerics(text: str) -> "Computing":
    """How networks compute, from the JSON object given to --numerics."""
    from fplbench.numerics import Computing

    return read_options(Computing, text, "numerics", "--numerics")


def apply_numerics(text: str) -> None:
    """Set torch's switches from the JSON object given to --numerics."""
    from fplbench.numerics import use_numerics

    use_numerics(read_numerics(text))


def read_stacks(arguments: list[str]) -> dict[str, Path]:
    """Read arguments such as lidc=clean.npy."""
    stacks = {}
    for argument in arguments:
        dataset, separator, path = argument.partition("=")
        if not separator or not dataset or not path:
            raise InputError(f"{argument!r} does not name a data set and its stack; write it as lidc=clean.npy.")
        stacks[dataset] = Path(path)
    return stacks
