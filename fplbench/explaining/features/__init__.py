"""The features, one file each, found by name. Importing this package does not import torch."""
