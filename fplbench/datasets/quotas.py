"""Dividing a total into whole numbers."""

import math
from collections.abc import Mapping, Sequence


def apportion(total: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Divide a total in proportion to weights, by the method of largest remainders, with at least one for each.

    Args:
        total: at least the number of weights.
        weights: a weight for each name.

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


def even_quotas(available: Sequence[int], count: int) -> list[int]:
    """Divide `count` as evenly as the available numbers allow; what is left over goes to the first ones."""
    quotas = [0] * len(available)
    left = count
    open_ones = [index for index, number in enumerate(available) if number]
    while left and open_ones:
        share = max(left // len(open_ones), 1)
        for index in open_ones[:left]:
            given = min(share, available[index] - quotas[index])
            quotas[index] += given
            left -= given
        open_ones = [index for index in open_ones if quotas[index] < available[index]]
    return quotas


def divide(total: int, number: int) -> list[int]:
    """Divide a total into `number` parts that differ by one at most."""
    return [total * (index + 1) // number - total * index // number for index in range(number)]
