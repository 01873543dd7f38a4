"""The sentence on the licence of a data set's images, for pages that show them."""

from fplbench.config import Config
from fplbench.datasets import DATASETS
from fplbench.reporting.sentences import sentences


def sharing_note(config: Config | None, dataset: str) -> str:
    """Whether images of a data set may be redistributed, and what to cite.

    Args:
        config: the config of the run. Where it gives the licence of the images, that is the note, without the reference of the
            data set, as the images may have another source.
        dataset: name of the data set.

    Returns:
        One or more sentences; "" for a data set that is not known here.
    """
    if config is not None and dataset in config.datasets:
        own = config.dataset_options(dataset)["licence"]
        if own is not None:
            return sentences(own)
    if dataset not in DATASETS:
        return ""
    return sentences(DATASETS[dataset].sharing, f"Please cite: {DATASETS[dataset].citation}")
