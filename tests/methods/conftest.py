import shutil
import subprocess

import pytest


@pytest.fixture(scope="session")
def imagemagick():
    """Skips where `convert` is missing or some other program of that name."""
    program = shutil.which("convert")
    if (
        program is None
        or "ImageMagick Studio" not in subprocess.run([program, "-version"], capture_output=True, text=True).stdout
    ):
        pytest.skip("ImageMagick is not installed")


@pytest.fixture(scope="session")
def network_files(tmp_path_factory):
    """Small untrained networks, by the kind of weights a method declares."""
    import torch

    from fplbench.networks import CvfSid, DRUNet, UNet, weights

    folder = tmp_path_factory.mktemp("networks")
    torch.manual_seed(1)
    files = {}
    for kind, network in {
        "fpl": UNet(width=4),
        "residual_cnn": UNet(width=4),
        "drunet": DRUNet(width=4, blocks=1),
        "cvf_sid": CvfSid(width=4),
    }.items():
        files[kind] = folder / f"{kind}.safetensors"
        weights.save(network, files[kind])
    return files
