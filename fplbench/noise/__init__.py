"""The paper's thirteen kinds of noise and artefact in medical images, and some more.

Each kind is a function of a stack of images, registered under its name with its label, options and reference. Use
`synthesize` for images in memory and `synthesize_stack` for files.
"""

from fplbench.noise.realisations import draw_again
from fplbench.noise.records import Record, read_record
from fplbench.noise.registry import NOISES, Noise, noise
from fplbench.noise.synthesis import synthesize, synthesize_stack

__all__ = ["NOISES", "Noise", "Record", "draw_again", "noise", "read_record", "synthesize", "synthesize_stack"]
