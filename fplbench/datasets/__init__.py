"""Reading data sets as their owners distribute them, and drawing stacks from them."""

from fplbench.datasets.registry import LOADERS, Dataset, DatasetOptions, find_dataset
from fplbench.datasets.roots import check_root
from fplbench.datasets.sampling.sample import sample_dataset
from fplbench.datasets.sampling.splits import SamplingOptions

__all__ = ["LOADERS", "Dataset", "DatasetOptions", "SamplingOptions", "check_root", "find_dataset", "sample_dataset"]
