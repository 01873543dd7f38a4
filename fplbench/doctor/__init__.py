"""Whether the benchmark can run here, and what a run that stopped puts on the screen."""
