"""What a training declares of itself, and the registry that finds it by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from fplbench.errors import InputError
from fplbench.options import Options
from fplbench.registry import Registry, parse_options

Input = Literal[
    "clean", "noisy", "validation_clean", "validation_noisy", "explained", "features", "lesions", "validation_lesions"
]
REQUIRED: Mapping[Input, str] = {
    "clean": "clean training images",
    "noisy": "noisy training images",
    "lesions": "lesion stack of the training images",
}
"""The files that a training which declares them cannot do without."""
Axis = Literal["dataset", "noise"]
Inputs = Mapping[Input, Path]
TrainingFunction = Callable[[Inputs, Path, Any, int, str], None]


@dataclass(frozen=True)
class Training:
    """A training as the benchmark knows it.

    Attributes:
        name: in the config, in file and rule names and on the command line.
        function: from the input files by name, the weight file to write, the options, the seed and the device (auto,
            cpu or cuda). It writes the weights, ending in .safetensors, and its log beside them, ending in .csv.
        options: the model of its options.
        inputs: the files it reads, in the order of the command line: the stacks of `clean` and `noisy` training images;
            those of `validation_clean` and `validation_noisy` images, by which the network is scored during training if
            they are given; the weights of the `explained` network, the `features` of the clean images; the
            lesion stacks of the clean images, `lesions` and `validation_lesions`.
        per: a network for each data set, or for each data set and noise.
        inherits: the training whose options apply where the config has none for this one; None: its own defaults.
        published: where published weights are expected, which methods use unless the config names the training; None: there are
            none.
    """

    name: str
    function: TrainingFunction
    options: type[Options]
    inputs: tuple[Input, ...]
    per: tuple[Axis, ...]
    inherits: str | None = None
    published: str | None = None

    @property
    def summary(self) -> str:
        """First line of the function's documentation."""
        return (self.function.__doc__ or "").strip().partition("\n")[0]

    def needs(self, options: Mapping[str, Any], explains_network: bool = True) -> tuple[Input, ...]:
        """The inputs that it reads with these options: features only if they are part of the loss.

        Args:
            options: the options as a mapping.
            explains_network: whether the features are of a network, which is then an input too.

        Raises:
            InputError: an option is unknown or has a wrong value.
        """
        parsed = parse_options(self.options, options, f"training.{self.name}")
        explains = getattr(parsed, "explains", True)
        unused = {"explained"} if explains and not explains_network else set() if explains else {"explained", "features"}
        return tuple(name for name in self.inputs if name not in unused)


TRAININGS: Registry[Training] = Registry("training", "fplbench.training")


def training(
    name: str, *, options: type[Options], inputs: tuple[Input, ...], per: tuple[Axis, ...], **declared: Any
) -> Callable[[TrainingFunction], TrainingFunction]:
    """Decorator that registers a function as a training.

    Args:
        name: the name of the training; a method that needs its weights says `weights=name`.
        options: the model of its options.
        inputs: the files it needs.
        per: what a network is trained for.
        **declared: further attributes of `Training`: inherits, published.
    """

    def register(function: TrainingFunction) -> TrainingFunction:
        TRAININGS.add(name, Training(name, function, options, inputs, per, **declared))
        return function

    return register


def train(name: str, inputs: Inputs, out: Path, options: Mapping[str, Any], *, seed: int, device: str = "auto") -> None:
    """Run a training, or resume it from its last state.

    Args:
        name: the name of the training.
        inputs: the files it declares, by name.
        out: the .safetensors file; the log is written beside it, ending in .csv.
        options: its options as a mapping.
        seed: seed of the initial weights, the batches and whatever else is drawn.
        device: auto, cpu or cuda.

    Raises:
        InputError: the training or an option is unknown, a file that it needs is not given or does not belong to the
            others, or the training diverged.
    """
    found = TRAININGS[name]
    parsed = parse_options(found.options, options, f"training.{name}")
    if out.suffix != ".safetensors":
        raise InputError(f"{out} does not end in .safetensors, as a weight file does.")
    for key in inputs:
        if key not in found.inputs:
            takes = ", ".join(map(_option, found.inputs))
            raise InputError(f"The training {name!r} does not use {_option(key)}; it takes {takes}.")
    for key, what in REQUIRED.items():
        if key in found.inputs and key not in inputs:
            raise InputError(f"The training {name!r} needs --{key}, the {what}.")
    found.function(inputs, out, parsed, seed, device)


def _option(name: Input) -> str:
    """The option of the command line for an input."""
    return f"--{name.replace('_', '-')}"
