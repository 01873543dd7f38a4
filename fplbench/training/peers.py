"""The trainings of the peers: a supervised training for each network that `fplbench.peers` declares."""

import copy
from pathlib import Path
from typing import Any

from pydantic import create_model

from fplbench.peers import PEERS, Peer, build
from fplbench.training.denoiser import DenoiserOptions, train_denoiser
from fplbench.training.registry import Input, Inputs, training

INPUTS: tuple[Input, ...] = ("clean", "noisy", "validation_clean", "validation_noisy", "explained", "features")


def options_of(peer: Peer) -> type[DenoiserOptions]:
    """The model of a training's options: the network's own, and those of every supervised training.

    The defaults are those that the peer declares for its network and its training.

    Raises:
        ValueError: a network's option has the name of a training's, or the peer declares a default for an option that is none.
    """
    own, general = peer.options.model_fields, DenoiserOptions.model_fields
    if taken := sorted(own.keys() & general.keys() - {"width"}):
        raise ValueError(f"the options {', '.join(taken)} of the network {peer.name!r} have names of options of its training")
    if unknown := sorted(peer.training.keys() - general.keys()):
        raise ValueError(f"the network {peer.name!r} declares defaults for {', '.join(unknown)}, which no training has")
    bases: tuple[Any, ...] = (DenoiserOptions, peer.options)
    fields: dict[str, Any] = {"width": (own["width"].annotation, own["width"])}
    for name, default in peer.training.items():
        field = copy.copy(general[name])
        field.default = default
        fields[name] = (field.annotation, field)
    return create_model(
        f"{peer.options.__name__.removesuffix('Options')}TrainingOptions",
        __base__=bases,
        __doc__=f"Options of the training of {peer.label}.",
        __module__=__name__,
        **fields,
    )


def register(peer: Peer) -> None:
    """Register the training of a peer, under its name."""
    own = list(peer.options.model_fields)

    def train(inputs: Inputs, out: Path, options: DenoiserOptions, seed: int, device: str) -> None:
        values = {name: getattr(options, name) for name in own}
        train_denoiser(peer.name, lambda: build(peer.name, values), peer.output, inputs, out, options, seed, device)

    train.__doc__ = f"Train {peer.label}. {peer.summary}"
    training(peer.name, options=options_of(peer), inputs=INPUTS, per=("dataset", "noise"))(train)


for _peer in PEERS.values():
    register(_peer)
