"""Where the labels of points go, so that they cover neither each other nor a point, and one sees which is whose."""

from collections.abc import Sequence

import numpy as np

# Right, left, above, below, and the four corners.
DIRECTIONS = np.array([(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)], float)
RINGS = 24


def label_places(
    points: np.ndarray, sizes: Sequence[tuple[float, float]], frame: tuple[float, float], marker: float, step: float
) -> tuple[np.ndarray, np.ndarray]:
    """Places of labels: each in the first free place around its point, near places before far ones.

    The places that are tried lie in eight directions, at distances that grow by `step`. A place is free if the label covers no
    other label and no mark, and no other mark is as near to it as its own. Where there is none, the label goes where it covers
    least.

    Args:
        points: float (N, 2), x and y, in any unit of length.
        sizes: width and height of each label.
        frame: width and height of the area from (0, 0) that no label leaves.
        marker: half the side of the mark at each point.
        step: distance between places, and between a mark and its label.

    Returns:
        The centres of the labels, float (N, 2), and whether each needs a line to its point, bool (N,), as it is not next to it,
        or as another mark is as near.
    """
    centres, lines = np.zeros((len(points), 2)), np.zeros(len(points), bool)
    marks = [(point, np.full(2, marker)) for point in points]
    labels: list[tuple[np.ndarray, np.ndarray]] = []
    for number, size in enumerate(sizes):
        half = np.array(size) / 2
        places = _places(points[number], half, np.array(frame), marker, step)
        covered = np.sum([shared_area(places, half, *box) for box in (*marks, *labels)], axis=0)
        own = gap(places, half, points[number])
        others = [gap(places, half, point) for other, point in enumerate(points) if other != number]
        doubtful = np.min(others, axis=0) <= own if others else np.zeros(len(places), bool)
        chosen = np.lexsort((np.arange(len(places)), doubtful, covered))[0]
        centres[number] = places[chosen]
        lines[number] = doubtful[chosen] or own[chosen] > marker + 2 * step
        labels.append((places[chosen], half))
    return centres, lines


def _places(point: np.ndarray, half: np.ndarray, frame: np.ndarray, marker: float, step: float) -> np.ndarray:
    """The centres that are tried, float (K, 2), near ones first."""
    distances = np.repeat(marker + step * np.arange(1, RINGS + 1), len(DIRECTIONS))[:, None]
    places = point + np.tile(DIRECTIONS, (RINGS, 1)) * (half + distances)
    inside = ((places >= half) & (places <= frame - half)).all(axis=1)
    return places[inside] if inside.any() else point[None]


def shared_area(centres: np.ndarray, half: np.ndarray, other: np.ndarray, other_half: np.ndarray) -> np.ndarray:
    """Areas that boxes share with another box, float (K,).

    Args:
        centres: of the boxes, float (K, 2).
        half: half the width and height of each of them.
        other: centre of the other box.
        other_half: half its width and height.
    """
    shared = np.minimum(centres + half, other + other_half) - np.maximum(centres - half, other - other_half)
    return np.prod(np.maximum(shared, 0), axis=1)


def gap(centres: np.ndarray, half: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Distances of boxes from a point, float (K,); 0 inside."""
    return np.linalg.norm(np.maximum(np.abs(point - centres) - half, 0), axis=1)
