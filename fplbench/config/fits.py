"""The trainings of a run: which networks are trained, under which names and with which options."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fplbench.config.fair import SHARED_OPTIONS
from fplbench.denoising.columns import Budget, Column
from fplbench.errors import InputError
from fplbench.training import TRAININGS, Training

if TYPE_CHECKING:
    from fplbench.config.models import Config

SAME_STEPS, SAME_SECONDS = "_same_steps", "_same_seconds"


@dataclass(frozen=True)
class Fit:
    """A network that is trained for each data set, or for each data set and noise.

    Attributes:
        name: the name of its files and rule.
        training: the training.
        options: its options, complete, as JSON values.
    """

    name: str
    training: Training
    options: Mapping[str, Any]


def fit_name(training: str, budget: Budget) -> str:
    """The name of a training with a budget: its own, or one that ends in "_same_seconds"."""
    return training if budget == "steps" else f"{training.removesuffix(SAME_STEPS)}{SAME_SECONDS}"


def fits(config: "Config") -> dict[str, Fit]:
    """All trainings by the name of their files: every registered one, and those with the budget of FPL's seconds."""
    found = {name: Fit(name, training, config.training_options(name)) for name, training in TRAININGS.items()}
    for column in [*config.columns.values(), *config.fair_columns.values()]:
        training = config.training_of(column)
        if training is not None and column.budget == "seconds":
            name = fit_name(training.name, column.budget)
            found[name] = Fit(name, training, steps_in_seconds(config, training.name))
    return found


def steps_in_seconds(config: "Config", training: str) -> dict[str, Any]:
    """Options of a training that takes FPL's seconds: its steps follow from the seconds of a step, unless the config has them.

    Raises:
        InputError: the config does not hold the seconds of a step of FPL and of this training.
    """
    steps = config.fair.steps.get(training)
    if steps is None:
        if why := missing_seconds(config, training):
            raise InputError(why)
        seconds = config.fair.seconds_per_step
        steps = max(1, round(config.fpl.steps * seconds["fpl"] / seconds[training]))
    options = config.training_options(training)
    warm_up = options["warm_up"] and round(options["warm_up"] * steps / options["steps"])
    return options | {"steps": steps, "warm_up": warm_up}


def missing_seconds(config: "Config", training: str) -> str | None:
    """Why the seconds of FPL cannot be turned into steps of a training; None if they can."""
    needed = () if training in config.fair.steps else ("fpl", training)
    missing = next((name for name in needed if name not in config.fair.seconds_per_step), None)
    return missing and (
        f"The budget of seconds needs fair.seconds_per_step.{missing}: `fplbench step-seconds --config CONFIG` measures it."
    )


def steps_of_seconds(config: "Config") -> dict[str, int]:
    """The steps of the trainings that have the budget of seconds."""
    return {
        fit.training.name: fit.options["steps"]
        for fit in config.fits.values()
        if fit.name == fit_name(fit.training.name, "seconds")
    }


def shared_budget(config: "Config", name: str) -> dict[str, Any]:
    """What a training takes from FPL's under the fair protocol, where FPL runs or has options.

    Raises:
        InputError: the config gives it other steps or another batch.
    """
    training = TRAININGS[name]
    compared = config.protocol == "fair" and (config.trains_fpl or "fpl" in config.training)
    if not compared or name == "fpl" or "noise" not in training.per:
        return {}
    given, fpl = config.training.get(name, {}), config.training.get("fpl", {})
    model = TRAININGS["fpl"].options
    for key in ("steps", "batch"):
        budget = fpl.get(key, model.model_fields[key].default)
        if given.get(key, budget) != budget:
            raise InputError(
                f"training.{name}.{key} is {given[key]!r}, but under protocol: fair every learned method has FPL's, {budget!r}: "
                "leave it out."
            )
    # The best weights are found with clean validation images, which a training on noisy images alone must not see.
    unsuited = set() if "clean" in training.inputs else {"keep"}
    return {
        key: fpl.get(key, model.model_fields[key].default)
        for key in SHARED_OPTIONS
        if key in training.options.model_fields and key not in unsuited
    }


def with_repeats(columns: Iterable[Column], config: "Config") -> dict[str, Column]:
    """The columns by the names of their stacks: a method that is trained here has one for each repeat, NAME, NAME-2 and so on."""
    return {
        f"{column.name}{repeat}": column
        for column in columns
        for repeat in (config.repeat_names if config.training_of(column) else [""])
    }
