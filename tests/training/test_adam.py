import subprocess
import sys

import pytest
import torch

from fplbench.training.loop.adam import Adam

SCRIPT = """
import sys, torch
from fplbench.training.loop.adam import Adam
weights = torch.ones(3, requires_grad=True)
optimizer = Adam([weights], lr=0.1, fused=True)
optimizer.zero_grad()
weights.square().sum().backward()
optimizer.step()
assert "torch._dynamo" not in sys.modules
"""


def descend(optimizer_class: type, steps: int = 5) -> torch.Tensor:
    weights = torch.linspace(-1, 1, 7, requires_grad=True)
    optimizer = optimizer_class([weights], lr=0.1, fused=True)
    for _ in range(steps):
        optimizer.zero_grad()
        weights.pow(4).sum().backward()
        optimizer.step()
    return weights.detach()


def test_steps_are_those_of_torch():
    assert torch.equal(descend(Adam), descend(torch.optim.Adam))


@pytest.mark.slow
def test_the_compiler_is_not_imported():
    subprocess.run([sys.executable, "-c", SCRIPT], check=True)
