"""The trainings and their options as text, from what they declare."""

from collections.abc import Iterator

from fplbench.options import options_table
from fplbench.training.registry import TRAININGS, Training


def describe_trainings() -> str:
    """Markdown: a section for each training, with a table of its options."""
    return "\n\n".join("\n\n".join(_section(training)) for training in TRAININGS.values())


def _section(training: Training) -> Iterator[str]:
    yield f"### {training.name}"
    options = " ".join(f"--{key.replace('_', '-')}" for key in training.inputs)
    inherited = f" Options that the config leaves out are those of {training.inherits}." if training.inherits else ""
    yield f"{training.summary} One network for each {' and '.join(training.per)}. Inputs: {options}.{inherited}"
    yield options_table(training.options)
