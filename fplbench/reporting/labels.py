"""Labels of data sets, noises, methods and metrics, and the order of rows and columns."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

DATASETS = {"lidc": "LIDC", "lits": "LiTS", "rsna": "RSNA"}
PAPER = {"fpl": "Our (FPL)"}
FIRST_METHODS = ("noisy", "fpl", "dpir")


@dataclass(frozen=True)
class Metric:
    """A metric as tables and figures show it."""

    label: str
    unit: str
    digits: int
    higher_is_better: bool

    @property
    def in_unit(self) -> str:
        """The unit in parentheses after a space, or "" for a metric without a unit."""
        return f" ({self.unit})" if self.unit else ""

    @property
    def heading(self) -> str:
        """Label and unit, such as "PSNR (dB)"."""
        return f"{self.label}{self.in_unit}"


METRICS = {
    "psnr": Metric("PSNR", "dB", 2, True),
    "ssim": Metric("SSIM", "", 2, True),
    "feature_error": Metric("Feature error", "", 3, False),
    "psnr_uint8": Metric("Wrapped PSNR", "dB", 2, True),
}


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

        registered = METHODS[name].label if name in METHODS else name
        return self.own.get(name) or PAPER.get(name) or registered

    def noises(self, names: Iterable[str]) -> list[str]:
        """Noises in the order of the paper's tables, which is alphabetical by label."""
        return sorted(names, key=lambda name: self.noise(name).casefold())

    def methods(self, names: Iterable[str]) -> list[str]:
        """Methods in the order of the paper's tables: the networks first, then the others, alphabetically by label.

        The unprocessed image comes before all of them, and a tuned method directly after its untuned column.
        """
        from fplbench.denoising.columns import TUNED_SUFFIX

        def place(name: str) -> tuple[int, str]:
            plain = name.removesuffix(TUNED_SUFFIX)
            rank = FIRST_METHODS.index(plain) if plain in FIRST_METHODS else len(FIRST_METHODS)
            return rank, self.method(name).casefold()

        return sorted(set(names), key=place)
