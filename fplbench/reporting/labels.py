"""Labels of data sets, noises, methods and metrics, and the order of rows and columns."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fplbench.scoring.registry import SCORES, Metric

DATASETS = {"lidc": "LIDC", "lits": "LiTS", "rsna": "RSNA"}
UNPROCESSED = "noisy"
"""The method whose images are the noisy ones as they are."""
PAPER = {"fpl": "Our (FPL)"}
"""Labels of methods in tables that have the paper's form, where they differ."""
FIRST_METHODS = (UNPROCESSED, f"{UNPROCESSED}_grey_map", "fpl", "dpir")


METRICS: Mapping[str, Metric] = SCORES
"""Label, unit, digits and direction of each metric, by name."""


def in_unit(metric: str) -> str:
    """The unit of a metric in parentheses after a space, or "" for a metric without a unit."""
    return f" ({METRICS[metric].unit})" if METRICS[metric].unit else ""


def heading(metric: str) -> str:
    """Label and unit of a metric, such as "PSNR (dB)"."""
    return f"{METRICS[metric].label}{in_unit(metric)}"


def sign(metric: str) -> int:
    """1 if higher scores are better, -1 if lower ones are, 0 if neither are."""
    return {"higher": 1, "lower": -1}.get(METRICS[metric].direction or "", 0)


@dataclass(frozen=True)
class Labels:
    """Labels of data sets, noises and methods.

    Attributes:
        own: labels by name, which override those that the registries give. A name without any label is its own label.
    """

    own: Mapping[str, str] = field(default_factory=dict)

    def dataset(self, name: str) -> str:
        """Label of a data set."""
        return self.own.get(name) or DATASETS.get(name, name)

    def noise(self, name: str) -> str:
        """Short label of a noise, as abbreviated in Table 1 of the paper."""
        from fplbench.noise import NOISES

        return self.own.get(name) or (NOISES[name].label if name in NOISES else name)

    def noise_title(self, name: str) -> str:
        """Full name of a noise, for headings and captions."""
        from fplbench.noise import NOISES

        return self.own.get(name) or (NOISES[name].title if name in NOISES else name)

    def method(self, name: str) -> str:
        """Label of a method, as abbreviated in the heading of Table 2 of the paper."""
        from fplbench.methods import METHODS

        return self.own.get(name) or (METHODS[name].label if name in METHODS else name)

    def printed(self, name: str) -> str:
        """Label of a method in tables that have the paper's form."""
        return self.own.get(name) or PAPER.get(name) or self.method(name)

    def noises(self, names: Iterable[str]) -> list[str]:
        """Noises in the order of the paper's tables, which is alphabetical by label."""
        return sorted(names, key=lambda name: self.noise(name).casefold())

    def methods(self, names: Iterable[str]) -> list[str]:
        """Methods in the order of the paper's tables: the networks first, then the others, alphabetically by label.

        The unprocessed image comes before all of them, alone and with a grey map, and a tuned method directly after its
        untuned column.
        """
        from fplbench.denoising.columns import TUNED_SUFFIX

        def place(name: str) -> tuple[int, str]:
            plain = name.removesuffix(TUNED_SUFFIX)
            rank = FIRST_METHODS.index(plain) if plain in FIRST_METHODS else len(FIRST_METHODS)
            return rank, self.method(name).casefold()

        return sorted(set(names), key=place)
