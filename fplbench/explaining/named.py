"""Several explanations by name, the weight files of the networks that they explain, and the images that they are tried on."""

import os
from collections.abc import Collection, Iterable, Mapping
from typing import Any, get_args

from fplbench.errors import InputError, nearest
from fplbench.explaining.options import ExplanationOptions, Network
from fplbench.registry import parse_options

PathLike = str | os.PathLike[str]
ROLES: tuple[str, ...] = get_args(Network)


def named_explanations(values: Mapping[str, Any], reserved: Collection[str] = ()) -> dict[str, ExplanationOptions]:
    """Explanations by name.

    Args:
        values: fields of `ExplanationOptions` by name.
        reserved: names that mean something else.

    Raises:
        InputError: a name is reserved, an option is unknown or has a wrong value.
    """
    explanations = {}
    for name, options in values.items():
        if name in reserved:
            raise InputError(f"{name!r} cannot be the name of an explanation, as it is that of a control: choose another one.")
        if not isinstance(options, Mapping):
            raise InputError(f'The explanation {name!r} is {options!r}; its options must be an object, such as {{"beta": 10}}.')
        explanations[name] = parse_options(ExplanationOptions, options, f"explanations.{name}")
    return explanations


def check_networks(explanations: Mapping[str, ExplanationOptions], networks: Mapping[str, PathLike]) -> None:
    """Raise InputError unless all networks have known roles, and each explanation has the weight file of the network it needs."""
    check_roles(networks)
    for name, options in explanations.items():
        if options.needs_network and options.network not in networks:
            raise InputError(
                f"The explanation {name!r} is of the {options.network} network, whose weight file is missing: add "
                f"--network {options.network}=PATH."
            )


def check_roles(networks: Iterable[str]) -> None:
    """Raise InputError unless all roles of explained networks are known."""
    for role in networks:
        if role not in ROLES:
            raise InputError(f"There is no explained network {role!r}: {nearest(role, ROLES)}")
