"""Profiles of hypothesis: few and always the same examples in the test suite, many and random ones with `make fuzz`."""

import os

import pytest
from hypothesis import HealthCheck, settings

# Every example may call commands and write files, so that its time says nothing.
settings.register_profile(
    "quick", derandomize=True, database=None, deadline=None, max_examples=25, suppress_health_check=list(HealthCheck)
)
settings.register_profile("long", deadline=None, max_examples=2000, print_blob=True, suppress_health_check=list(HealthCheck))
settings.load_profile(os.environ.get("FPLBENCH_FUZZ", "quick"))


@pytest.fixture(scope="module", autouse=True)
def subnormal_numbers():
    """Numbers below 1e-38, which tests that run networks in the same process have switched off for it."""
    import torch

    torch.set_flush_denormal(False)
