"""Which clean image belongs to which noisy one: by unique identifier, by position in the body, or by name."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from fplbench.datasets.registry import Slice

Match = Literal["uid", "position", "name"]
MATCHES: tuple[Match, ...] = get_args(Match)
TOLERANCE = 0.01  # mm; positions of the same slice differ by rounding

CLEAN_ALONE = "a clean image without a noisy one"
NOISY_ALONE = "a noisy image without a clean one"
AMBIGUOUS = "an image with several possible partners"


class Member(NamedTuple):
    """A clean or noisy slice.

    Attributes:
        slice: the slice.
        uid: digest of its unique identifier; "" without one.
        name: of its file.
        owner: whose slice it is: what the clean and the noisy slices of a patient, or at least of a scan, have in common.
    """

    slice: Slice
    uid: str
    name: str
    owner: str


@dataclass(frozen=True)
class Pairing:
    """Pairs of clean and noisy slices, and those that are in none.

    Attributes:
        match: how they were matched.
        pairs: clean and noisy slice of each pair, in the order of the clean ones.
        omitted: why a file is left out, by path.
        partly: paths of files with slices of both kinds, some in pairs and others without a partner.
        ambiguous: number of slices with several possible partners.
    """

    match: Match
    pairs: list[tuple[Slice, Slice]]
    omitted: dict[str, str]
    partly: list[str]
    ambiguous: int


def pair(clean: Sequence[Member], noisy: Sequence[Member], match: Match | None) -> Pairing:
    """Find the noisy slice of each clean one.

    Args:
        clean: the clean slices.
        noisy: the noisy ones.
        match: uid: equal unique identifiers; position: the same patient and the same position along the body, to a hundredth of a
            millimetre; name: equal names. In files with several slices, the number of the slice too for uid and name. None:
            the way that pairs most slices, of several the first; without a pair the one that has most possible partners.
    """
    ways = (_pair_by(way, clean, noisy) for way in ([match] if match else MATCHES))
    return max(ways, key=lambda found: (len(found.pairs), 0 if found.pairs else found.ambiguous))


def _pair_by(match: Match, clean: Sequence[Member], noisy: Sequence[Member]) -> Pairing:
    keys = _places([*clean, *noisy]) if match == "position" else _labels(match, clean) + _labels(match, noisy)
    by_key: dict[Hashable, list[Slice]] = defaultdict(list)
    for key, member in zip(keys[len(clean) :], noisy, strict=True):
        if key is not None:
            by_key[key].append(member.slice)
    times = Counter(keys[: len(clean)])
    pairs, alone, unclear = [], {one.slice: NOISY_ALONE for one in noisy}, set[Slice]()
    for key, (one, *_) in zip(keys, clean, strict=False):
        partners = by_key.get(key, [])
        if len(partners) == 1 and times[key] == 1:
            pairs.append((one, partners[0]))
            del alone[partners[0]]
        elif partners:
            unclear |= {one, *partners}
        else:
            alone[one] = CLEAN_ALONE
    reasons = alone | dict.fromkeys(unclear, AMBIGUOUS)
    paired = {one.source for both in pairs for one in both}
    omitted = {one.source: reason for one, reason in reasons.items() if one.source not in paired}
    partly = sorted({one.source for one in reasons} & paired)
    return Pairing(match, pairs, omitted, partly, len(unclear))


def _labels(match: Match, members: Sequence[Member]) -> list[Hashable]:
    """Unique identifier or name of each slice, None without one, and its number where a file has several slices."""
    several = Counter(one.slice.source for one in members)
    labels = [one.uid if match == "uid" else one.name for one in members]
    return [
        (label, one.slice.number if several[one.slice.source] > 1 else 0) if label else None
        for label, one in zip(labels, members, strict=True)
    ]


def _places(members: Sequence[Member]) -> list[Hashable]:
    """Owner and place of each slice; None without a position. Slices of an owner within TOLERANCE have the same place."""
    order = sorted(
        (number for number, one in enumerate(members) if one.slice.position is not None),
        key=lambda number: (members[number].owner, members[number].slice.position),
    )
    places: list[Hashable] = [None] * len(members)
    previous, place = ("", 0.0), 0
    for number in order:
        owner, position = members[number].owner, members[number].slice.position or 0.0
        if owner != previous[0] or position - previous[1] > TOLERANCE + 1e-6:
            place, previous = place + 1, (owner, position)
        places[number] = (owner, place)
    return places
