"""Pairs of clean and noisy images of the same slices, such as CT at full and at low dose, in one folder.

The images are read by another loader, which the option `of` names.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from fplbench.datasets.identity import Identity
from fplbench.datasets.loaders.ct import CT
from fplbench.datasets.loaders.mr import MR
from fplbench.datasets.loaders.radiograph import RADIOGRAPH
from fplbench.datasets.persons import BIDS, FILE, MAPPING, NIFTI, PATIENT
from fplbench.datasets.reading.pair_options import PairedCtOptions, PairedMrOptions, PairedRadiographOptions
from fplbench.datasets.reading.pair_places import BOTH, NEITHER
from fplbench.datasets.reading.pairing import MATCHES, TOLERANCE, Member, Pairing, pair
from fplbench.datasets.reading.patterns import name_within
from fplbench.datasets.registry import LOADERS, Dataset, Header, NotAnImage, Plane, Slice, Unreadable
from fplbench.errors import InputError

log = logging.getLogger(__name__)

AT_ONCE = 256  # slices of a volume that are read together with their noisy ones
OTHER_SIZE = "an image of another size than its partner"


class Names(NamedTuple):
    """Names of a file as a clean and as a noisy image; None where it is none."""

    clean: str | None
    noisy: str | None


def names_of(path: str, options: Any) -> Names:
    """The names of a file, from its path relative to the root."""
    return Names(name_within(path, options.clean), name_within(path, options.noisy))


def read_header(path: Path, options: Any) -> Header:
    """Read what the loader of the images needs of a clean or noisy image.

    Raises:
        NotAnImage: the file is neither, or both, judging by its path, or the loader leaves it out.
        Unreadable: the loader cannot read it.
    """
    names = names_of(path.relative_to(options.root).as_posix(), options)
    if names == (None, None):
        raise NotAnImage(NEITHER)
    if None not in names:
        raise NotAnImage(BOTH)
    return LOADERS[options.of].read_header(path, options)


def arrange(headers: dict[str, Header], options: Any, name: str = "paired") -> tuple[list[Slice], dict[str, str]]:
    """The clean slices that have a noisy one, with that as their partner, and why other files are left out.

    Raises:
        InputError: there is no pair, or none whose images have the same size.
    """
    arranged: dict[str, list[tuple[Slice, str]]] = {}
    omitted: dict[str, str] = {}
    for side in Names._fields:
        names = {path: known for path in headers if (known := getattr(names_of(path, options), side)) is not None}
        slices, others = LOADERS[options.of].arrange({path: headers[path] for path in names}, options, name)
        arranged[side] = [(one, names[one.source]) for one in slices]
        omitted |= others
    members = _members(arranged, headers)
    found = pair(members["clean"], members["noisy"], options.match)
    if not found.pairs:
        raise _no_pairs(members, found, options)
    _report(found, options)
    slices, omitted = [], omitted | found.omitted
    for one, other in found.pairs:
        if _size(headers[one.source]) == _size(headers[other.source]):
            slices.append(replace(one, partner=(other.source, other.number)))
        else:
            omitted |= dict.fromkeys((one.source, other.source), OTHER_SIZE)
    if not slices:
        raise InputError(
            f"{options.root} has {len(found.pairs)} pairs that match by {found.match}, but in each the noisy image has another "
            "size than the clean one. Correct clean and noisy, which say where these images are, or choose another match."
        )
    return slices, omitted


def _size(header: Header) -> tuple[int, int] | None:
    """Rows and columns, where headers have them; those of radiographs are compared when the pixels are read."""
    return (header["rows"], header["columns"]) if "rows" in header else None


def _members(arranged: Mapping[str, Sequence[tuple[Slice, str]]], headers: Mapping[str, Header]) -> dict[str, list[Member]]:
    """The slices of each side with what they are matched by: their unique identifiers, their names, and whose they are.

    Anonymised images have an owner in common only if they are of one study, which is often another one for the noisy images.
    Otherwise the owner is the folder of a slice, or a volume itself, without what tells clean from noisy.
    """
    shared = set.intersection(*({one.patient for one, _ in ones} for ones in arranged.values()))

    def owner(one: Slice, name: str) -> str:
        if one.identified_by in (PATIENT, BIDS, MAPPING) or one.patient in shared:
            return one.patient
        return name if one.identified_by in (FILE, NIFTI) else PurePosixPath(name).parent.as_posix()

    return {
        side: [Member(one, headers[one.source].get("instance") or "", name, owner(one, name)) for one, name in ones]
        for side, ones in arranged.items()
    }


def _report(found: Pairing, options: Any) -> None:
    """Log how the pairs were matched, which files are used in part, and whether partners lie at different positions."""
    log.info("Pairs: %d, matched by %s.", len(found.pairs), found.match)
    if found.partly:
        example = Identity(options.pseudonymise).of(found.partly[0])
        log.warning("Pairs: of %d used files, some slices have no partner, for example in %s.", len(found.partly), example)
    positions = [(one.position, other.position) for one, other in found.pairs]
    apart = [abs(one - other) for one, other in positions if one is not None and other is not None]
    moved = sum(distance > TOLERANCE for distance in apart)
    if moved:
        log.warning(
            "Pairs: in %d of %d, matched by %s, clean and noisy image lie at different positions along the body, up to %.3g mm "
            "apart.",
            moved, len(found.pairs), found.match, max(apart),
        )  # fmt: skip


def _no_pairs(members: dict[str, list[Member]], found: Pairing, options: Any) -> InputError:
    """The error for a folder without a pair: how many images of each kind there are, and how they were matched."""
    identity = Identity(options.pseudonymise)
    known = []
    for side, ones in members.items():
        example = f", such as {identity.of(ones[0].slice.source)}" if ones else ""
        known.append(f"{len(ones)} {side} images ({side}: {getattr(options, side)!r}{example})")
    tried = options.match or f"{', '.join(MATCHES[:-1])} or {MATCHES[-1]}"
    several = f"; {found.ambiguous} have several possible partners" if found.ambiguous else ""
    advice = "Correct clean and noisy, which say where these images are, or choose another match."
    if found.ambiguous:
        advice = "Make clean and noisy narrower, such as */full_1mm/B30, so that they describe one image of each slice."
    return InputError(f"{options.root} has {' and '.join(known)}, but no pair that matches by {tried}{several}. {advice}")


def read_images(path: Path, slices: Sequence[Slice], options: Any) -> Iterator[Plane]:
    """Read clean slices of a file, each with its noisy image, as the loader of the images reads both; their sizes can differ.

    Raises:
        Unreadable: a noisy image cannot be read; what the loader raises for the clean one.
    """
    by_partner: dict[str, list[Slice]] = defaultdict(list)
    for one in slices:
        assert one.partner is not None  # arrange gives each slice one
        by_partner[one.partner[0]].append(one)
    for partner, members in _parts(by_partner):
        clean = LOADERS[options.of].read_images(path, members, options)
        for plane, noisy in _together(clean, _noisy_images(partner, members, options)):
            yield plane._replace(noisy=noisy)


def _parts(by_partner: Mapping[str, list[Slice]]) -> Iterator[tuple[str, list[Slice]]]:
    """The slices of each partner, at most so many at once as may have to be held in memory, where its slices are in reverse."""
    for partner, members in by_partner.items():
        ordered = sorted(members, key=lambda one: one.number)
        yield from ((partner, ordered[start : start + AT_ONCE]) for start in range(0, len(ordered), AT_ONCE))


def _noisy_images(partner: str, members: Sequence[Slice], options: Any) -> Iterator[tuple[Slice, Any]]:
    """Each clean slice with the values of its noisy image, all of them in one file."""
    clean = {}
    for one in members:
        assert one.partner is not None
        clean[replace(one, source=partner, number=one.partner[1], partner=None)] = one
    try:
        for plane in LOADERS[options.of].read_images(options.root / partner, list(clean), options):
            yield clean[plane.slice], plane.values
    except (Unreadable, NotAnImage) as error:
        raise Unreadable(f"its noisy image cannot be used: {error}") from None
    except OSError as error:
        raise Unreadable(f"its noisy image cannot be read: {error.strerror or 'it is damaged'}") from None
    except Exception as error:  # a damaged file can raise any exception inside a decoder
        if isinstance(error, MemoryError) or "memory" in str(error).lower():
            raise  # it may be read again, with more memory
        raise Unreadable("its noisy image is damaged") from None


def _together(clean: Iterator[Plane], noisy: Iterator[tuple[Slice, Any]]) -> Iterator[tuple[Plane, Any]]:
    """Planes with their noisy images, read in step, so that files with the same order of slices need not be held in memory."""
    planes: dict[Slice, Plane] = {}
    images: dict[Slice, Any] = {}
    for plane, image in zip_longest(clean, noisy):
        if plane is not None:
            planes[plane.slice] = plane
        if image is not None:
            images[image[0]] = image[1]
        for one in planes.keys() & images.keys():
            yield planes.pop(one), images.pop(one)


def _kind(inner: Dataset, options: type[Any]) -> Dataset:
    """Pairs of the images of a data set."""
    return replace(
        inner,
        name="paired",
        label="Pairs",
        options=options,
        contents="the clean and the noisy images",
        read_header=read_header,
        arrange=arrange,
        read_images=read_images,
        header_options=(*inner.header_options, "of", "clean", "noisy"),
        paired=True,
    )


KINDS = {
    "ct": _kind(CT, PairedCtOptions),
    "mr": _kind(MR, PairedMrOptions),
    "radiograph": _kind(RADIOGRAPH, PairedRadiographOptions),
}
LOADERS.add("paired", replace(KINDS["ct"], kinds=KINDS))
