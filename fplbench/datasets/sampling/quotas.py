"""Dividing a total into whole numbers."""

import math
from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush


def apportion(total: int, weights: Mapping[str, float]) -> dict[str, int]:
    """Divide a total in proportion to weights, by the method of largest remainders, with at least one for each.

    Args:
        total: at least the number of weights.
        weights: a positive weight for each name.

    Returns:
        The share of each name.
    """
    exact = {name: total * weight / sum(weights.values()) for name, weight in weights.items()}
    shares = {name: math.floor(value) for name, value in exact.items()}
    by_remainder = sorted(exact, key=lambda name: shares[name] - exact[name])
    for name in by_remainder[: total - sum(shares.values())]:
        shares[name] += 1
    for name in [name for name, share in shares.items() if share == 0]:
        shares[max(shares, key=lambda largest: shares[largest])] -= 1
        shares[name] = 1
    return shares


def apportion_scarce(total: int, weights: Mapping[str, float], first: Sequence[str]) -> dict[str, int]:
    """Divide a total in proportion to weights, or, if it is too small for all, give one to each of the first names.

    Args:
        total: any number, 0 included.
        weights: a positive weight for each name.
        first: the names, in the order in which they get something.
    """
    if total >= len(weights):
        return apportion(total, weights)
    return {name: int(first.index(name) < total) for name in weights}


def even_quotas(available: Sequence[int], count: int, floors: Sequence[int] | None = None) -> list[int]:
    """Divide `count` as evenly as the available numbers allow; what is left over goes to the first ones.

    Args:
        available: the most that each can give.
        count: what is to be divided.
        floors: the least that each gives, at most what it has; 0 for each by default. What exceeds their sum goes to those
            that give the least.
    """
    quotas = list(floors or [0] * len(available))
    lowest = [(quota, index) for index, quota in enumerate(quotas) if quota < available[index]]
    heapify(lowest)
    for _ in range(count - sum(quotas)):
        if not lowest:
            break
        _, index = heappop(lowest)
        quotas[index] += 1
        if quotas[index] < available[index]:
            heappush(lowest, (quotas[index], index))
    return quotas


def divide(total: int, number: int) -> list[int]:
    """Divide a total into `number` parts that differ by one at most."""
    return [total * (index + 1) // number - total * index // number for index in range(number)]
