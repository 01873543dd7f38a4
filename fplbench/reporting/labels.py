"""Short names for tables and figures, and the order they stand in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

DATASETS = {"lidc": "LIDC", "lits": "LiTS", "rsna": "RSNA"}
PAPER = {"fpl": "Our (FPL)"}
FIRST_METHODS = ("noisy", "fpl", "dpir")


@dataclass(frozen=True)
class Metric:
    """A score as tables show it."""

    label: str
    unit: str
    digits: int
    higher_is_better: bool


METRICS = {
    "psnr": Metric("PSNR", "dB", 2, True),
    "ssim": Metric("SSIM", "", 2, True),
    "feature_error": Metric("Feature error", "", 3, False),
    "psnr_uint8": Metric("Wrapped PSNR", "dB", 2, True),
}


@dataclass(frozen=True)
class Labels:
    """Labels of noises, methods and data sets; `own` has precedence, then the registries, then the name itself."""

    own: Mapping[str, str] = field(default_factory=dict)

    def dataset(self, name: str) -> str:
        """Label of a data set."""
        return self.own.get(name) or DATASETS.get(name, name)

    def noise(self, name: str) -> str:
        """Label of a noise, as Table 1 of the paper abbreviates it."""
        from fplbench.noise import NOISES

        return self.own.get(name) or (NOISES[name].label if name in NOISES else name)

    def method(self, name: str) -> str:
        """Label of a method, as the head of Table 2 of the paper abbreviates it."""
        from fplbench.methods import METHODS

        registered = METHODS[name].label if name in METHODS else name
        return self.own.get(name) or PAPER.get(name) or registered

    def noises(self, names: Iterable[str]) -> list[str]:
        """Noises in the order of the paper's tables, which is alphabetical by label."""
        return sorted(names, key=lambda name: self.noise(name).casefold())

    def methods(self, names: Iterable[str]) -> list[str]:
        """Methods in the order of the paper's tables: the trained ones first, the others alphabetical by label.

        The unprocessed image stands before all, and a tuned method behind itself with its defaults.
        """

        from fplbench.denoising.columns import TUNED_SUFFIX

        def place(name: str) -> tuple[int, str]:
            plain = name.removesuffix(TUNED_SUFFIX)
            rank = FIRST_METHODS.index(plain) if plain in FIRST_METHODS else len(FIRST_METHODS)
            return rank, self.method(name).casefold()

        return sorted(set(names), key=place)
