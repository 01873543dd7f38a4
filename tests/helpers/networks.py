"""Small networks, so that methods that need one can be tested."""

from pathlib import Path
from typing import Any


def write_networks(folder: Path) -> dict[str, Path]:
    """Small untrained networks, by the training that a method's weights come from."""
    import torch

    from fplbench.networks import CvfSid, DRUNet, UNet, weights
    from fplbench.peers import PEERS

    torch.manual_seed(1)
    networks = {
        "fpl": UNet(width=4),
        "residual_same_steps": UNet(width=4),
        "drunet": DRUNet(width=4, blocks=1),
        "cvf_sid": CvfSid(width=4),
    }
    networks |= {name: small_peer(name) for name, peer in PEERS.items() if not peer.unusable()}
    files = {}
    for training, network in networks.items():
        files[training] = folder / f"{training}.safetensors"
        weights.save(network, files[training])
    return files


def small_peer(name: str, seed: int = 1) -> Any:
    """The small variant of a peer, untrained."""
    import torch

    from fplbench.peers import PEERS, build

    torch.manual_seed(seed)
    return build(name, PEERS[name].small)
