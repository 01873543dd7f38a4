"""Profiles of hypothesis: few and always the same examples in the test suite, many and random ones with `make fuzz`."""

import os

from hypothesis import HealthCheck, settings

# Every example may call commands and write files, so that its time says nothing.
settings.register_profile(
    "quick", derandomize=True, database=None, deadline=None, max_examples=25, suppress_health_check=list(HealthCheck)
)
settings.register_profile("long", deadline=None, max_examples=2000, print_blob=True, suppress_health_check=list(HealthCheck))
settings.load_profile(os.environ.get("FPLBENCH_FUZZ", "quick"))
