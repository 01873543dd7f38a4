"""Thirteen kinds of noise and artefact of medical images, and two more.

Each kind is a function over a stack of images, registered under its name with its label, options and literature; see
`synthesize` for images in memory and `synthesize_stack` for files.
"""

from fplbench.noise.registry import NOISES, Noise, noise
from fplbench.noise.synthesis import synthesize, synthesize_stack

__all__ = ["NOISES", "Noise", "noise", "synthesize", "synthesize_stack"]
