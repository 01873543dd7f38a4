"""Reading the three data sets as their owners distribute them, and drawing stacks from them."""

from fplbench.datasets.registry import DATASETS, Dataset, DatasetOptions, check_root
from fplbench.datasets.sampling import sample_dataset
from fplbench.datasets.splits import SamplingOptions

__all__ = ["DATASETS", "Dataset", "DatasetOptions", "SamplingOptions", "check_root", "sample_dataset"]
