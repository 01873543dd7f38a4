"""One scan through a model: its slices, what was removed, their statistics, and the quality page."""

import hashlib
import importlib
import textwrap
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

import numpy as np

from fplbench import __version__
from fplbench.applying.models.denoisers import NAMED, Denoiser
from fplbench.applying.options import ApplyOptions
from fplbench.applying.running import suitability
from fplbench.applying.running.journal import Journal
from fplbench.applying.running.pipeline import run_pipeline
from fplbench.applying.running.progress import Progress
from fplbench.applying.scan import Kind, Plane, Scan, Stamp, Writer
from fplbench.applying.units import denoise_plane, to_grey
from fplbench.errors import InputError
from fplbench.files import file_hash
from fplbench.networks.card_text import NOT_CLINICAL, window_text
from fplbench.options import as_text

if TYPE_CHECKING:
    from fplbench.applying.running.feature_maps import FeatureMaps

FAR = 1e3  # widths of the window; values farther from it, such as 3.4e38 for "no value", do not count in the statistics
LONGEST_OPTIONS = 400  # characters in a description, for which DICOM has 1024
LARGEST = 1e13  # value of a window; the sums of squares of values as far from it as that are still finite as float32


class ScanRun:
    """The run of one scan, which continues where its journal ends.

    Args:
        scan: the scan.
        root: the folder that its files are named relative to.
        denoiser: the model.
        maps: from grey levels to a map of features; None if none is wanted.
        options: what is written.
        folder: where files go once all of the scan are complete.
        journal: what is finished.
        progress: the progress bar.
        page: the file of the quality page, relative to `folder`.
    """

    def __init__(
        self,
        scan: Scan,
        root: Path,
        denoiser: Denoiser,
        maps: "FeatureMaps | None",
        options: ApplyOptions,
        folder: Path,
        journal: Journal,
        progress: Progress,
        page: str,
    ) -> None:
        self.scan, self.root, self.denoiser, self.maps, self.options = scan, root, denoiser, maps, options
        self.folder, self.journal, self.progress, self.page = folder, journal, progress, page

    def record(self) -> dict[str, Any]:
        """Denoise what is left to do, complete the output, and return what apply.json says of the scan.

        Raises:
            InputError: a file cannot be read, or the window is not known.
        """
        if self.facts["left_out"]:
            return self.facts
        if not self.facts["outputs"]:
            writers = self._writers()
            done = self.journal.slices()
            self._denoise([number for number in range(self.scan.facts.slices) if number not in done], writers)
            outputs = {kind: self._relative(writer.finish()) for kind, writer in writers.items()}
            self.facts["outputs"] = {**outputs, "quality": self._relative([self._write_page()])}
            self.journal.keep(self.facts)
        self.journal.hand_over([path for paths in self.facts["outputs"].values() for path in paths], self.folder)
        return self.facts

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What holds for the whole scan, from the journal if an interrupted run has found it."""
        found = self.journal.facts()
        if found is None:
            found = self._look()
            self.journal.keep(found)
        return found

    @property
    def window(self) -> tuple[float, float]:
        """Lowest and highest value that the model sees."""
        low, high = self.facts["window"]
        return low, high

    def _look(self) -> dict[str, Any]:
        """Look at the scan before the first slice."""
        facts, card = self.scan.facts, self.denoiser.card
        fit = suitability.fit(self.scan, card, self.options, self.denoiser.trained)
        _check_size(fit.window, facts.label)
        return {
            "name": facts.name,
            "label": facts.label,
            "modality": facts.modality,
            "spacing": facts.spacing,
            "slices": facts.slices,
            "rows": facts.rows,
            "columns": facts.columns,
            "hounsfield": facts.hounsfield,
            "window": fit.window,
            "noise": fit.noise,
            "about_noise": suitability.noise_sentence(fit.noise, card, fit.window if facts.hounsfield else None),
            "warnings": [*fit.warnings, *facts.notes],
            "left_out": fit.left_out,
            "inputs": {path.relative_to(self.root).as_posix(): file_hash(path) for path in self.scan.files},
            "outputs": {},
        }

    def _writers(self) -> dict[Kind, Writer]:
        kinds: list[Kind] = ["denoised"]
        kinds += ["residual"] if self.options.residual else []
        kinds += ["features"] if self.maps else []
        return {kind: self.scan.writer(kind, self.journal.files / kind, self._stamp(kind)) for kind in kinds}

    def _stamp(self, kind: Kind) -> Stamp:
        """What files of a kind say of their origin; maps of features depend on the restoration network too."""
        low, high = self.window
        parts = [self.denoiser.digest, repr(low), repr(high)]
        parts += [self.maps.digest] if kind == "features" and self.maps else []
        digest = hashlib.sha256(" ".join(parts).encode()).hexdigest()
        options = options_text(self.denoiser)
        model = f"{self.denoiser.label} ({options})" if options else self.denoiser.label
        description = (
            f"Denoised with {model} by fplbench {__version__} within the window "
            f"{window_text(self.window, self.scan.facts.hounsfield)}. {NOT_CLINICAL}"
        )
        return Stamp(self.denoiser.label, digest, description)

    def _denoise(self, numbers: Sequence[int], writers: dict[Kind, Writer]) -> None:
        """Denoise slices and write them, each with all that belongs to it before it counts as finished."""
        from fplbench.applying.quality import slice_statistics

        facts, window, one_map = self.scan.facts, self.window, Lock()

        def work(plane: Plane) -> tuple[np.ndarray, np.ndarray | None]:
            after = denoise_plane(plane.values, plane.valid, window, self.denoiser, self.denoiser.eight_bit)
            if self.maps is None:
                return after, None
            with one_map:
                return after, self.maps(to_grey(after, window))

        def finish(plane: Plane, result: tuple[np.ndarray, np.ndarray | None]) -> None:
            after, features = result
            written = writers["denoised"].write(plane.number, after)
            if "residual" in writers:
                with np.errstate(invalid="ignore"):  # infinite values have no difference
                    change = written - plane.values
                writers["residual"].write(plane.number, change)
            if features is not None:
                writers["features"].write(plane.number, features)
            near = _near(plane, window)
            self.journal.add(slice_statistics(near, written, window, facts.hounsfield, facts.spacing, facts.slices))
            self.progress.step()

        if numbers:
            # The page needs it: other threads denoise meanwhile.
            Thread(target=importlib.import_module, args=("matplotlib.figure",)).start()
            run_pipeline(iter(self.scan.planes(numbers)), work, finish, self.denoiser.parallel, self.denoiser.begin)

    def _write_page(self) -> Path:
        """Write the quality page, and return its file."""
        from fplbench.applying.quality import write_quality_page

        about = {
            "model": self.denoiser.label,
            "window": self.window,
            "card": self.denoiser.card,
            "options": options_text(self.denoiser),
            "digest": self.denoiser.digest,
            "eight_bit": self.denoiser.eight_bit,
            "version": __version__,
            "noise": self.facts["about_noise"],
            "noise_outside": suitability.noise_is_outside(self.facts["noise"], self.denoiser.card),
            "warnings": self.facts["warnings"],
        }
        path = self.journal.files / self.page
        write_quality_page(path, self.scan.facts, about, list(self.journal.slices().values()))
        return path

    def _relative(self, paths: Sequence[Path]) -> list[str]:
        return [path.relative_to(self.journal.files).as_posix() for path in paths]


def options_text(denoiser: Denoiser) -> str:
    """The options of a method as words, such as "strength 20, patch 7"; those of how a network runs are not among them."""
    own = {name: as_text(value).removesuffix(".0") for name, value in denoiser.options.items() if name not in NAMED}
    text = ", ".join(f"{name} {value}" for name, value in own.items())
    return textwrap.shorten(text, LONGEST_OPTIONS, placeholder=" ...")


def _check_size(window: tuple[float, float], label: str) -> None:
    """InputError if values of a window are too large for the statistics."""
    if not max(map(abs, window)) <= LARGEST:
        raise InputError(
            f"{label} would get the window {window_text(window)}, but values beyond {LARGEST:g} cannot be measured: check the "
            "file, or choose another window with --window LOW HIGH."
        )


def _near(plane: Plane, window: tuple[float, float]) -> Plane:
    """The slice with NaN, which does not count, where values are very far from the window."""
    low, high = window
    far = FAR * (high - low)
    near = (plane.values >= low - far) & (plane.values <= high + far)
    return plane if near.all() else plane._replace(values=np.where(near, plane.values, np.float32(np.nan)))
