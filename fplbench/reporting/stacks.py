"""Stacks of which a page or a figure shows a few images.

They are not compared with their seals: reading all of a stack would take longer than the page. Jobs that compute with them do so.
"""

from functools import partial

from fplbench import stacks
from fplbench.lesions import stack as lesion_stack
from fplbench.scoring import matching

open_stack = partial(stacks.open_stack, check=False)
open_lesions = partial(lesion_stack.open_lesions, check=False)
open_matching = partial(matching.open_matching, check=False)
