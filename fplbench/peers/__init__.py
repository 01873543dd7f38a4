"""Learned denoisers that stand beside FPL, one file each, found by name.

A peer is a network and its options. Its training, its method and its place in the documentation follow from what it declares.
Importing this package does not import torch.
"""

from fplbench.peers.registry import PEERS, Peer, build, peer

__all__ = ["PEERS", "Peer", "build", "peer"]
