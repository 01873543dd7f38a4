"""The three data sets as their owners ship them, and their sampling to stacks."""

from fplbench.datasets.registry import DATASETS, Dataset, DatasetOptions, check_root
from fplbench.datasets.sampling import sample_dataset
from fplbench.datasets.splits import SamplingOptions

__all__ = ["DATASETS", "Dataset", "DatasetOptions", "SamplingOptions", "check_root", "sample_dataset"]
