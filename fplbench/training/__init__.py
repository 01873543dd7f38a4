"""The trainings of the benchmark, one file each, found by name.

A training turns stacks into the weights of a network. `fplbench.training.loop` is the loop that they share. Importing this
package does not import torch.
"""

from fplbench.training.registry import TRAININGS, Training, train, training

# Raised whenever a change makes the same configuration train to other weights; rules and states carry it.
TRAINING_VERSION = 3

__all__ = ["TRAININGS", "TRAINING_VERSION", "Training", "train", "training"]
