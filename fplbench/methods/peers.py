"""The methods of the peers: a method for each network that `fplbench.peers` declares."""

import numpy as np

from fplbench.denoising.learned import LearnedOptions, run_denoiser
from fplbench.denoising.registry import method
from fplbench.peers import PEERS, Peer


def register(peer: Peer) -> None:
    """Register the method of a peer, under its name, with the weights of its training."""

    def denoise(noisy: np.ndarray, options: LearnedOptions) -> np.ndarray:
        return run_denoiser(noisy, options, peer.name, peer.name, peer.output, peer.multiple)

    denoise.__doc__ = peer.summary
    packages = {"extra": peer.extra, "requires": peer.requires, "modules": (peer.module,)}
    declared = {"cites": peer.cites, "options": LearnedOptions, "group": "networks", "weights": peer.name, **packages}
    method(peer.name, label=peer.label, **declared)(denoise)


for _peer in PEERS.values():
    register(_peer)
