"""One thread for every library, so that tests take the same time on any machine, and several can run beside each other."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
