"""A new trained method takes three small files and no rule."""

import shutil

import pytest

from tests.helpers.workflow import ROOT, TRAINING, plan, write_config

NETWORK = '''
"""One convolution."""

import torch
from torch import nn


class Blur(nn.Module):
    """A 3x3 convolution."""

    def __init__(self, width: int = 1):
        super().__init__()
        self.config = {"width": width}
        self.convolution = nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Convolve images (N, 1, H, W)."""
        return self.convolution(images)
'''
TRAINING_FILE = '''
"""Training of the convolution."""

from fplbench.training.options import TrainingOptions
from fplbench.training.registry import training


@training("blur", options=TrainingOptions, inputs=("clean", "noisy"), per=("dataset", "noise"))
def blur(inputs, out, options, seed, device):
    """Train the convolution on pairs of clean and noisy images."""
'''
METHOD = '''
"""The trained convolution."""

from pathlib import Path

from pydantic import Field

from fplbench.denoising.registry import method
from fplbench.options import Options


class BlurOptions(Options):
    """Options of the trained convolution."""

    weights: Path | None = Field(None, description="Weight file.")
    device: str = Field("auto", description="Where to compute.")


@method("blur", label="Blur", cites="blur2026", options=BlurOptions, group="networks", weights="blur")
def blur(noisy, options):
    """Convolve with the trained kernel."""
    return noisy
'''


@pytest.fixture
def repository(tmp_path):
    """A copy of the repository with the three files."""
    for name in ("fplbench", "workflow", "profiles"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", tmp_path)
    for folder, text in (("networks", NETWORK), ("training", TRAINING_FILE), ("methods", METHOD)):
        (tmp_path / "fplbench" / folder / "blur.py").write_text(text)
    return tmp_path


def test_three_files_make_the_jobs_of_a_trained_method(repository, tmp_path):
    write_config(tmp_path, methods={"noisy": {}, "blur": {}}, training={"blur": TRAINING}, feature_error=[], inserted={})
    jobs = plan(tmp_path, "--configfile", "config.yaml", repository=repository)
    assert jobs["train_blur"] == jobs["denoise_networks"] == 2
    assert "train_fpl" not in jobs and "train_restoration" not in jobs
