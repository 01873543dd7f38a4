"""Letters that refer from the values of a published table to the notes on what is wrong with them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from string import ascii_lowercase

from fplbench import published
from fplbench.published import ANY, TEXT, Erratum
from fplbench.reporting.paper_cells import Comparison, Value


@dataclass(frozen=True)
class Marks:
    """The notes on a table and their letters.

    Attributes:
        letters: letter by note, in alphabetical order.
        texts: notes on the paper's text, which have no letter, as no value is in doubt.
    """

    letters: Mapping[str, str]
    texts: tuple[str, ...]

    def on_metric(self, comparison: Comparison, metric: str) -> str:
        """Letters of the notes on all values of a metric."""
        values = [row.values[metric] for row in comparison.rows if metric in row.values]
        found = [erratum for value in values for erratum in value.errata]
        return self._letters(erratum for erratum in found if erratum.noise == erratum.method == ANY)

    def on_noise(self, comparison: Comparison, noise: str) -> str:
        """Letters of the notes on a noise and all of its methods."""
        found = [erratum for row in comparison.of(noise) for value in row.values.values() for erratum in value.errata]
        return self._letters(erratum for erratum in found if erratum.noise != ANY and erratum.method == ANY)

    def on_value(self, value: Value) -> str:
        """Letters of the notes on single values."""
        return self._letters(erratum for erratum in value.errata if erratum.method != ANY)

    @property
    def notes(self) -> list[str]:
        """The notes, each after its letter, and those on the text."""
        return [*(f"{letter}: {note}" for note, letter in self.letters.items()), *self.texts]

    def _letters(self, found: Iterable[Erratum]) -> str:
        return ", ".join(sorted({self.letters[erratum.note] for erratum in found}))


def marks(comparison: Comparison) -> Marks:
    """The letters of the notes on the values of a comparison, in the order of the errata."""
    found = {erratum.note for row in comparison.rows for value in row.values.values() for erratum in value.errata}
    notes = [note for note in dict.fromkeys(erratum.note for erratum in published.errata()) if note in found]
    texts = dict.fromkeys(erratum.note for erratum in published.errata() if erratum.kind == TEXT)
    return Marks(dict(zip(notes, ascii_lowercase, strict=False)), tuple(texts) if comparison.rows else ())
