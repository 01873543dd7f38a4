"""The sentence on the licence of a data set's images, for pages that show them."""

from fplbench.config import Config
from fplbench.datasets import LOADERS
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
    loader = dataset
    if config is not None and dataset in config.datasets:
        loader, own = config.dataset(dataset).loader, config.dataset_options(dataset)["licence"]
        if own is not None:
            return sentences(own)
    if loader not in LOADERS:
        return ""
    found = LOADERS[loader]
    return sentences(found.sharing, f"Please cite: {found.citation}" if found.citation else "")
