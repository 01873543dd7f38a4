"""A benchmark of medical image denoising: Tables 2 to 4 of Dong and Basu (arXiv 2310.20101), and your method beside them."""

__version__ = "0.1.0"

DEFAULT_SEED = 2310
"""Seed of a config, and of every command, that names none."""
