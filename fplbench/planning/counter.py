"""Counting operations where a gradient is taken inside a loss, as in L_FP."""

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


class Counter(TorchDispatchMode):
    """Context that counts as torch's FlopCounterMode does, with its formulas, and only the total.

    FlopCounterMode also says which module counts for what. For that it hooks into gradients, and stops at one that is taken with
    respect to an image.

    Attributes:
        operations: floating-point operations so far.
    """

    def __init__(self) -> None:
        super().__init__()
        self.operations = 0

    def __torch_dispatch__(self, function: Any, types: Any, arguments: Any = (), named: Any = None) -> Any:
        named = named or {}
        if function not in flop_registry and function is not torch.ops.prim.device.default:
            with self:
                parts = function.decompose(*arguments, **named)
                if parts is not NotImplemented:
                    return parts
        result = function(*arguments, **named)
        if formula := flop_registry.get(function._overloadpacket):
            self.operations += formula(*arguments, **named, out_val=result)
        return result


def operations_of(call: Callable[[], Any]) -> int:
    """Floating-point operations of a call."""
    with Counter() as counter:
        call()
    return counter.operations
