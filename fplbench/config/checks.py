"""What a config is checked for once its sections are read: that they fit each other, and that what they name exists."""

import importlib.util
import re

from fplbench.config.models import Config
from fplbench.config.resolved import needs
from fplbench.errors import InputError, nearest
from fplbench.explaining.options import ExplanationOptions
from fplbench.registry import parse_options
from fplbench.scoring.registry import SCORES, image_metrics
from fplbench.training import TRAININGS
from fplbench.training.denoiser import DenoiserOptions
from fplbench.training.explained import check_gradient

EVERYWHERE = ("generalisation", "ablation.noises", "detectability.noises")
"""Keys whose noises have to be on every data set."""
FIGURES = ("cost", "heat_map", "noise_sheet", "noises", "ranks", "training")
"""Names of figures of a whole run, which no data set can have."""
FIGURE_ENDINGS = ("features", "grey_maps", "inserted", "lesions", "paper", "recovery")
"""What the names of the figures of a data set end in."""
CANNOT = {"hu": "which needs Hounsfield units", "pair": "whose noisy images were acquired"}
"""Why there is no such noise on images that were changed, by what the noise needs."""


def check_dataset(config: Config, name: str) -> None:
    """Raise InputError where the name of a data set cannot be part of file names, or is taken."""
    if not re.fullmatch(r"[A-Za-z]\w*(-\w+)*", name):
        raise InputError(f"datasets.{name}: the name can have letters, digits, _ and -, and starts with a letter; rename it.")
    others = [other for other in config.datasets if other != name]
    taken = {"noises": config.noises, "methods": config.methods, "fair.methods": config.fair.methods, "datasets": others}
    for section, names in taken.items():
        if name.casefold() in map(str.casefold, names):
            raise InputError(f"datasets.{name}: {section} has that name too, in upper or lower case; rename the data set.")
    if name in FIGURES or any(name == f"{other}_{ending}" for other in others for ending in FIGURE_ENDINGS):
        raise InputError(f"datasets.{name}: a figure of the run has that name; rename the data set.")
    label = config.dataset(name).label
    if same := [other for other in others if config.dataset(other).label == label]:
        raise InputError(f"datasets.{name} and datasets.{same[0]} have the same label, {label!r}: give one of them another.")


def check_overrides(config: Config, dataset: str) -> None:
    """Raise InputError where a data set overrides the options of a noise that there is not."""
    own = config.datasets[dataset].get("noises") or {}
    for noise in own:
        if noise not in config.noises:
            raise InputError(f"datasets.{dataset}.noises.{noise} has no counterpart under noises: add {noise} there too.")


def check_datasets(config: Config, noise: str) -> None:
    """Raise InputError where a noise is limited to data sets that there are not, or to one that it cannot be made from."""
    names = config.noises[noise].get("datasets", list(config.datasets))
    if not isinstance(names, list) or not names:
        raise InputError(f"noises.{noise}.datasets is {names!r}; it is a list of data sets, such as [lidc].")
    for name in names:
        _check_named(config, f"noises.{noise}.datasets", str(name), "datasets")
        if "datasets" in config.noises[noise] and name not in config.unpaired and needs(noise) != "pair":
            raise InputError(f"noises.{noise}.datasets names {name!r}, whose images are pairs: no noise is added to them.")
    if needs(noise) == "pair" and not any(config.dataset(name).paired for name in names):
        raise InputError(
            f"noises.{noise} is the noise of paired images, which no data set here has: use loader: paired, or remove it."
        )
    reason = CANNOT.get(needs(noise) or "")
    for key in ("inserted", "detectability", "ablation"):
        if reason and noise in (getattr(config, key).noises or ()):
            raise InputError(f"{key}.noises names {noise!r}, {reason}; lesions and signals are inserted into windowed images.")
    if needs(noise) == "hu":
        other = next((name for name in names if name in config.unpaired and not config.dataset(name).hounsfield), None)
        if other:
            ct = [name for name in config.unpaired if config.dataset(name).hounsfield]
            raise InputError(
                f"noises.{noise} is made from Hounsfield units, which {other} does not have: limit it to CT, as in "
                f"noises.{noise}.datasets: [{next(iter(ct), 'lidc')}]."
            )


def check_together(config: Config) -> None:
    """Raise InputError where sections do not fit each other."""
    _check_folder(config)
    if config.sampling.size % 16:
        raise InputError(f"sampling.size is {config.sampling.size}: the U-Net needs a multiple of 16.")
    if not (config.datasets and config.noises and config.methods):
        raise InputError("datasets, noises and methods each need at least one name.")
    if not any(column.method for column in config.columns.values()):
        raise InputError("methods names rules of yours alone: add noisy, the unprocessed image, beside them.")
    for dataset in config.datasets:
        if not config.noises_of(dataset):
            raise InputError(f"datasets.{dataset} has no noise: every one under noises is limited to other data sets.")
    if config.reproducible == "strict" and config.numerics.tf32:
        raise InputError(
            "reproducible is strict, which computes in float32, but numerics.tf32 is true: set "
            "`numerics: {tf32: false}` or leave out reproducible."
        )
    if config.reproducible == "strict" and config.numerics.compile:
        raise InputError(
            "reproducible is strict, which uses the same kernels on every processor, but numerics.compile is true: set "
            "`numerics: {compile: false}` or leave out reproducible."
        )
    _check_metrics(config)
    _check_fair(config)
    _check_shown(config)
    for fit in config.fits.values():
        options = parse_options(fit.training.options, fit.options, f"training.{fit.training.name}, in FPL's seconds")
        if isinstance(options, DenoiserOptions) and (fit.training.name != "fpl" or config.trains_fpl):
            check_gradient(options, config.explanation)
    _check_ablation(config)
    for key, names, section in (
        ("feature_error", config.feature_error, "noises"),
        ("ablation.noises", config.ablation.noises, "noises"),
        ("ablation.datasets", config.ablation.datasets, "datasets"),
        ("generalisation", config.generalisation, "noises"),
        ("detectability.noises", config.detectability.noises, "noises"),
        ("fair.noises", config.fair.noises, "noises"),
        ("inserted.noises", config.inserted.noises, "noises"),
        ("inserted.datasets", config.inserted.datasets, "datasets"),
        ("figures.noise", [config.figures.noise], "noises"),
        ("calibration.datasets", config.calibration.datasets, "datasets"),
        ("notes", config.notes, "datasets"),
    ):
        for name in names or ():
            _check_named(config, key, str(name), section)
            if key in EVERYWHERE and (limit := limit_of(config, str(name))):
                raise InputError(f"{key} names {name!r}, which is limited to {', '.join(limit)}: name a noise of all.")


def _check_folder(config: Config) -> None:
    """Raise InputError where the folder of the results has a name that Snakemake or a command would take for something else."""
    if re.search(r"[{}<>\x00-\x1f\x7f]|^-", config.results):
        raise InputError(
            f"results is {config.results!r}, but a folder whose name has braces, angle brackets or line breaks, or begins with a "
            "hyphen, cannot be used; name another folder."
        )


def _check_ablation(config: Config) -> None:
    """Raise InputError where a variant of the ablation has a loss without a gradient, or options that do not fit each other."""
    for name in config.ablation.screened_on or ():
        if name not in (config.ablation.noises or ()):
            raise InputError(f"ablation.screened_on names {name!r}, which is not among ablation.noises.")
    once = [name for name in config.ablation.noises or () if needs(name) == "pair"]
    if once and config.ablation.draws > 1:
        raise InputError(f"ablation.draws is {config.ablation.draws}, but {once[0]} was acquired once: set it to 1.")
    for name, variant in config.ablation_variants().items():
        if variant.explanation is not None:
            options = parse_options(TRAININGS["fpl"].options, variant.fpl, f"ablation.variants.{name}")
            assert isinstance(options, DenoiserOptions)
            check_gradient(options, ExplanationOptions(**variant.explanation))


def _check_fair(config: Config) -> None:
    """Raise InputError where the fair comparison cannot be made as the config has it."""
    fair = config.fair
    for key in ("seconds_per_step", "steps"):
        for name in getattr(fair, key):
            if name not in TRAININGS:
                raise InputError(f"fair.{key} names {name!r}, which is not a training: {nearest(name, TRAININGS)}")
    if len({*fair.budgets}) < len(fair.budgets):
        raise InputError("fair.budgets names a budget twice.")
    if config.protocol == "fair" and "seconds" in fair.budgets and not (fair.seconds_per_step or fair.steps):
        raise InputError(
            "fair.budgets has seconds, but fair.seconds_per_step is empty: `fplbench step-seconds --config CONFIG` prints it."
        )
    if not fair.methods:
        raise InputError("fair.methods needs at least one name.")
    for name, entry in fair.methods.items():
        if entry.get("rule"):
            raise InputError(f"fair.methods.{name} has rule: true; the column of a rule belongs under methods.")
        if name in config.methods and {*entry} - {"optional"}:
            raise InputError(f"fair.methods.{name} is under methods too: give its options there.")


def _check_shown(config: Config) -> None:
    """Raise InputError where a key names a column that there is not, or an image of a data set that there is not."""
    # A resolved config names fpl too, even where it is not a column.
    reference = [config.reference] if config.reference != "fpl" else []
    own = {"reference": reference, "figures.methods": config.figures.methods}
    for key, names in own.items():
        for name in names or ():
            if name not in config.columns:
                raise InputError(f"{key} names {name!r}, which is not a column: {nearest(name, config.columns)}")
    if isinstance(config.figures.image, dict):
        for name in config.figures.image:
            _check_named(config, "figures.image", name, "datasets")


def _check_metrics(config: Config) -> None:
    """Raise InputError where a key names a metric that is not known, or that images alone cannot be scored by."""
    for name in config.metrics:
        if name not in image_metrics():
            raise InputError(f"metrics names {name!r}, which is not a score of images: {nearest(name, image_metrics())}")
    if "vif" in config.metrics and importlib.util.find_spec("sewar") is None:
        raise InputError("metrics names 'vif', which needs the package sewar: install it with `pip install -e '.[vif]'`.")
    for key, names in {"tables.metrics": config.tables.metrics, "tables.latex": config.tables.latex}.items():
        for name in names:
            if name not in SCORES:
                raise InputError(f"{key} names {name!r}, which is not a metric: {nearest(name, SCORES)}")


def _check_named(config: Config, key: str, name: str, section: str) -> None:
    """Raise InputError where a key names a noise or data set that the config does not have."""
    known = getattr(config, section)
    if name not in known:
        close = nearest(name, known) if len(known) > 3 else f"it has {', '.join(known)}."
        raise InputError(
            f"{key} names {name!r}, which is not under {section}: {close} A section {section} replaces the paper's list; to "
            f"add to a list, give two files: --configfile config/config.yaml yours.yaml."
        )


def limit_of(config: Config, noise: str) -> list[str]:
    """The data sets that a noise is limited to; none where it is on all that are compared."""
    limit = [name for name in config.datasets if noise in config.noises_of(name)]
    return limit if {*limit} != {*config.compared} else []
