"""One thread for each library, so that tests take the same time on all machines and can run in parallel."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
