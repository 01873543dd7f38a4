"""The annotations of LIDC-IDRI as marks in images, and the masks that are drawn from them."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fplbench.datasets.annotations import count
from fplbench.datasets.files import LINK_OUT, leads_out
from fplbench.datasets.identity import Identity
from fplbench.datasets.registry import Header, Masks, Slice, Unreadable, Wanted
from fplbench.errors import InputError
from fplbench.lesions.lidc_nodules import Nodule
from fplbench.lesions.lidc_scans import Series, arrange_series, folders
from fplbench.lesions.lidc_sources import Sources
from fplbench.lesions.marks import Annotations, Lesion, Mark

if TYPE_CHECKING:
    from fplbench.datasets.loaders.lidc import LidcOptions

DATABASE = "lidc_annotations.sqlite"  # `fplbench fetch lidc-annotations` writes it


def annotate(headers: Mapping[str, Header], slices: Sequence[Slice], options: "LidcOptions") -> Annotations:
    """What the readers of LIDC-IDRI marked in the images of a folder.

    A series is annotated by the first XML file below the root that names it, or else by the database. All images of such a
    series are annotated, with or without nodules; those of other series are missing from the marks.

    Args:
        headers: the headers by path relative to the root.
        slices: the images that can be drawn.
        options: the root, and where the database is.

    Returns:
        The marks, each with a Patch to draw its mask from, and sentences on what cannot be used or is left out.

    Raises:
        InputError: the database that the options name does not exist, or that in the root is a link that leads out of it.
    """
    series, identity = arrange_series(headers, slices), Identity(options.pseudonymise)
    database = find_database(options)
    sources = Sources(series, identity)
    sources.read_files(options.root, folders(headers))
    if database is not None:
        sources.read_database(database)
    marks, absent = _mark(sources)
    notes = [*_left_out(sources), *_absent(absent, identity)]
    if len(sources.nodules) < len(series):
        notes.append(
            f"Series without annotations that can be used: {len(series) - len(sources.nodules)} of {len(series)}; "
            "`fplbench fetch lidc-annotations` gets those of LIDC-IDRI."
        )
    return Annotations(marks, sources.faults, sources.read, notes)


def lesion_masks(path: Path, wanted: Sequence[Wanted], options: "LidcOptions") -> Iterator[tuple[str, Masks]]:
    """The masks of the nodules in an image.

    Raises:
        Unreadable: a nodule does not fit the image.
    """
    for one in wanted:
        try:
            yield one.slice.image_id, [(mark.lesion, mark.drawing.paste(one.shape)) for mark in one.marks]
        except ValueError:
            raise Unreadable(f"a nodule leaves its image of {one.shape[0]}x{one.shape[1]} pixels") from None


def find_database(options: "LidcOptions") -> Path | None:
    """The database to use: the one that the options name, or else the one in the root, if there is one.

    Raises:
        InputError: the options name a file that does not exist, or the file in the root is a link that leads out of it.
    """
    if options.annotations is None:
        path = options.root / DATABASE
        if not path.is_file():
            return None
        if leads_out(path, options.root):
            raise InputError(f"{path} is {LINK_OUT}: set datasets.lidc.annotations to its target.")
        return path
    if not options.annotations.is_file():
        raise InputError(
            f"datasets.lidc.annotations is {options.annotations}, which is not a file: download the annotations with "
            f"`fplbench fetch lidc-annotations {options.annotations.parent}`, or leave the key out."
        )
    return options.annotations


def _mark(sources: Sources) -> tuple[dict[str, tuple[Mark, ...]], Counter[str]]:
    """The marks of each annotated image; and for each patient, the number of images with a nodule that are not at hand.

    The nodules of a patient are numbered from the feet up, those of a second series after those of the first.
    """
    found: dict[str, list[Mark]] = defaultdict(list)
    unknown = set(sources.unknown)
    numbers: Counter[str] = Counter()
    absent: Counter[str] = Counter()
    for name in sorted(sources.nodules):
        series = sources.series[name]
        for nodule in sorted((one for one in sources.nodules[name] if one.regions), key=lambda one: one.order):
            numbers[series.patient] += 1
            lesion = _lesion(nodule, series, numbers[series.patient])
            for place in sorted(nodule.regions):
                image = series.find(place)
                if image is not None:
                    found[image].append(Mark(lesion, nodule.regions[place]))
                    continue
                absent[series.patient] += 1
                # A second image at the same position, which is never drawn, has the outline.
                unknown.update(filter(None, [series.at(place.position)]))
    names = (one.image_id for name in sources.nodules for one in sources.series[name].slices)
    return {name: tuple(found.get(name, ())) for name in names if name not in unknown}, absent


def _lesion(nodule: Nodule, series: Series, number: int) -> Lesion:
    return Lesion(
        lesion_id=re.sub(r"[^\w.+-]", "_", f"{series.patient}_nodule-{number}"),
        kind="nodule",
        readers=nodule.readers,
        size_mm=None if series.spacing is None else round(nodule.size(series.spacing), 2),
        malignancy=nodule.malignancy,
    )


def _left_out(sources: Sources) -> Iterator[str]:
    """What is left out on purpose, with counts."""
    for reason, names in sorted(sources.left_out.items()):
        yield f"Left out: {count(len(names), 'XML file')}{reason} (the first is {names[0]})."
    single = sum(not nodule.regions for found in sources.nodules.values() for nodule in found)
    if single:
        yield f"Left out: {count(single, 'nodule')} that only one reader outlined."
    if sources.points:
        yield f"Left out: {count(sources.points, 'mark')} of nodules under 3 mm, which are single points."


def _absent(absent: Counter[str], identity: Identity) -> Iterator[str]:
    for patient, images in sorted(absent.items()):
        yield f"Not in the folder: {count(images, 'image')} with an outlined nodule of {identity.of(patient)}."
