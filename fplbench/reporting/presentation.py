"""How a table or figure is presented: labels, notes, and what is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fplbench import DEFAULT_SEED
from fplbench.config.sections import TableOptions
from fplbench.reporting.labels import Labels
from fplbench.reporting.sentences import sentences


@dataclass(frozen=True)
class Presentation:
    """How a table or figure is presented.

    Attributes:
        labels: labels of methods, noises and data sets.
        note: sentences for the caption, or "".
        seed: seed of the run, for the bootstrap.
        image: image_id or position of the test image that figures show; None is the one with the
            largest lesion, or the middle one.
        explanation: readout, activation and beta of `guided_backprop`.
        metrics: metrics in the tables, in this order.
        latex: those of the LaTeX table.
        protocol: sentence that says which protocol made the scores, or "".
        reference: the method that is compared with every other one; None is fpl, if it was scored.
        partial: whether tables may lack cells.
    """

    labels: Labels = field(default_factory=Labels)
    note: str = ""
    seed: int = DEFAULT_SEED
    image: int | str | None = None
    explanation: Mapping[str, Any] = field(default_factory=dict)
    metrics: Sequence[str] = TableOptions().metrics
    latex: Sequence[str] = TableOptions().latex
    protocol: str = ""
    reference: str | None = None
    partial: bool = False

    @property
    def about(self) -> str:
        """The note and the protocol, for figures that compare methods."""
        return sentences(self.note, self.protocol)
