"""One thread for each library, so that tests take the same time on all machines and can run in parallel."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_collection_modifyitems(items):
    """Files whose tests run whole benchmarks come first, so that no worker is alone with one of them in the end."""
    items.sort(key=lambda item: item.path.parent.name not in ("workflow", "chaos"))
