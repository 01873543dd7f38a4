"""CVF-SID: self-supervised, trained on noisy images alone."""

from pathlib import Path

import numpy as np
from pydantic import Field

from fplbench.denoising.registry import method
from fplbench.device import Device
from fplbench.errors import InputError
from fplbench.networks.inference import load_network, to_tensor, to_uint8
from fplbench.options import Options
from fplbench.stacks import iterate


class CvfSidOptions(Options):
    """Options of CVF-SID."""

    weights: Path | None = Field(None, description="Weight file that `fplbench train cvf_sid` wrote.")
    device: Device = Field("auto", description="Where to compute.")
    batch: int = Field(4, ge=1, description="Images in each pass through the network.")


@method("cvf_sid", label="CVF-SID", cites="neshatavar2022", options=CvfSidOptions, group="networks", weights="cvf_sid")
def cvf_sid(noisy: np.ndarray, options: CvfSidOptions) -> np.ndarray:
    """The clean image of a decomposition into clean image and two kinds of noise (Neshatavar et al. 2022)."""
    import torch

    from fplbench.networks.cvf_sid import CvfSid

    if options.weights is None:
        raise InputError("The method 'cvf_sid' needs its option weights: a weight file that `fplbench train cvf_sid` wrote.")
    network = load_network(options.weights, CvfSid, options.device)
    device = next(network.parameters()).device
    denoised = np.empty_like(noisy)
    with torch.inference_mode():
        for batch in iterate(noisy, options.batch):
            denoised[batch] = to_uint8(network.denoise(to_tensor(noisy[batch], device)))
    return denoised
