"""Training: one resumable loop, and for each network what it learns."""

# Raised whenever a change makes the same configuration train to other weights; rules and states carry it.
TRAINING_VERSION = 2
