"""What a peer declares of itself, and the registry that finds it by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from fplbench import packages
from fplbench.errors import InputError
from fplbench.options import Options
from fplbench.registry import Registry, parse_options

Output = Literal["image", "noise"]


@dataclass(frozen=True)
class Peer:
    """A denoising network as the benchmark knows it.

    Attributes:
        name: of its training, its method and its weight files.
        label: the column heading of the tables.
        build: from its options to the network, a torch module from images (N, 1, H, W) in [0, 1] to the same shape.
        options: the model of its options; one of them is `width`, and the defaults are the network of the paper.
        cites: the key of its source in docs/methods.md.
        output: what the network returns: the denoised image, or the noise to be subtracted.
        multiple: the sides of its images must be multiples of this; methods pad them.
        extra: the extra that installs the packages it needs, None if it needs none.
        requires: the modules of these packages.
        training: defaults of its training that are its authors' and not those of every training.
        small: options of a small variant, for tests and demonstrations.
    """

    name: str
    label: str
    build: Callable[[Any], Any]
    options: type[Options]
    cites: str
    output: Output
    multiple: int = 1
    extra: str | None = None
    requires: tuple[str, ...] = ()
    training: Mapping[str, Any] = field(default_factory=dict)
    small: Mapping[str, Any] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """First line of the documentation of the function that builds it."""
        return (self.build.__doc__ or "").strip().partition("\n")[0]

    @property
    def module(self) -> str:
        """The module that declares it."""
        return self.build.__module__

    def unusable(self) -> str | None:
        """Why the packages that it needs cannot be used here, in one sentence; None if they can."""
        return packages.unusable(self.name, self.requires, self.extra)


PEERS: Registry[Peer] = Registry("network", "fplbench.peers")


def peer(
    name: str, *, label: str, cites: str, options: type[Options], output: Output, **declared: Any
) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    """Decorator that registers a function from options to a network as a peer.

    Args:
        name: lower case with underscores.
        label: the column heading.
        cites: the key of its source.
        options: the model of its options.
        output: what the network returns, image or noise.
        **declared: further attributes of `Peer`: multiple, extra, requires, training, small.

    Raises:
        ValueError: the name is taken, the function has no documentation, or the options have no `width`.
    """
    if "width" not in options.model_fields:
        raise ValueError(f"the options of the network {name!r} need a width, as every training has one")

    def register(build: Callable[[Any], Any]) -> Callable[[Any], Any]:
        if not (build.__doc__ or "").strip():
            raise ValueError(f"the function of the network {name!r} needs a docstring whose first line says what it is")
        PEERS.add(name, Peer(name, label, build, options, cites, output, **declared))
        return build

    return register


def build(name: str, values: Mapping[str, Any]) -> Any:
    """Build the network of a peer, with random weights, so that `weights.save` can write it and `weights.load` build it again.

    Args:
        name: the peer.
        values: its options as a mapping.

    Returns:
        The torch module.

    Raises:
        InputError: the name or an option is unknown, or a package that the network needs cannot be used.
    """
    found = PEERS[name]
    options = parse_options(found.options, values, name)
    try:
        network = found.build(options)
    except Exception as error:
        if reason := found.unusable():
            raise InputError(reason) from error
        raise
    network.architecture, network.config = name, options.model_dump(mode="json")
    return network
