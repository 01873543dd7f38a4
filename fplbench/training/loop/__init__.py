"""The training loop that all trainings share: batches, optimiser, log, state, checks. Its modules import torch."""
