"""Small networks, so that methods that need one can be tested."""

from pathlib import Path
from typing import Any


def write_networks(folder: Path) -> dict[str, Path]:
    """Small untrained networks, by the training that a method's weights come from."""
    import torch

    from fplbench.networks import DRUNet, UNet, weights
    from fplbench.peers import PEERS

    torch.manual_seed(1)
    networks = {name: UNet(width=4) for name in ("fpl", "residual_same_steps", "noise2void", "neighbor2neighbor")}
    networks |= {"drunet": DRUNet(width=4, blocks=1)}
    networks |= {name: small_peer(name) for name, peer in PEERS.items() if not peer.unusable()}
    files = {}
    for training, network in networks.items():
        for parameter in network.parameters():
            if not parameter.any():  # of layers that start as zero, so that the network starts as the identity
                torch.nn.init.normal_(parameter, std=0.1)
        files[training] = folder / f"{training}.safetensors"
        weights.save(network, files[training])
    return files


def small_peer(name: str, seed: int = 1) -> Any:
    """The small variant of a peer, untrained."""
    import torch

    from fplbench.peers import PEERS, build

    torch.manual_seed(seed)
    return build(name, PEERS[name].small)
