"""From files to scans: which images belong together, in which order, and what is unusual about them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from statistics import median_low

import numpy as np

from fplbench.applying.dicom.file import Frame, ImageFile
from fplbench.datasets.formats.dicom import digest
from fplbench.datasets.formats.planes import Axes, direction, project

GAP = 1.5  # a distance of more than this many usual ones is a gap
SAME = 1e-3  # mm
SHARED = "Different images have the same SOPInstanceUID: all are kept, and what is made of them gets UIDs of its own."
AT_ORIGIN = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Series:
    """Images that make up a scan.

    Attributes:
        folder: the folder that holds all of its files, relative to the input, "." for the input itself.
        name: its name, unique among the scans of an input; "." if it is all that the input holds.
        images: its slices in order: the file and the frame of each.
        notes: sentences on what is unusual.
    """

    folder: str
    name: str
    images: tuple[tuple[ImageFile, Frame], ...]
    notes: tuple[str, ...]


def group_series(files: Iterable[ImageFile]) -> list[Series]:
    """Group images by series, and order each.

    Images of different sizes in a series are scans of their own, and so is each multi-frame file. Series are in the order of
    their names.
    """
    members = _members(files)
    sizes = Counter(key[0] for key in members if key[1] is None)
    groups = list(members.values())
    folders = [_common_folder(group) for group in groups]
    series = []
    for (key, group), folder, name in zip(members.items(), folders, _names(groups, folders), strict=True):
        images, notes = _in_order(group)
        if folders.count(folder) > 1:
            own = PurePosixPath(name).name
            notes.insert(0, f"Its folder holds {folders.count(folder)} scans, so it is written to a folder of its own, {own}.")
        if sizes[key[0]] > 1 and key[1] is None:
            size = f"{group[0].rows}x{group[0].columns}"
            notes.append(f"Its series has images of several sizes; those of {size} pixels are a scan of their own.")
        series.append(Series(folder, name, tuple(images), tuple(notes)))
    return sorted(series, key=lambda one: one.name)


def _members(files: Iterable[ImageFile]) -> dict[tuple, list[ImageFile]]:
    """Files that belong together, by series and size or by file."""
    members: dict[tuple, list[ImageFile]] = defaultdict(list)
    for file in files:
        several = len(file.frames) > 1
        members[file.group, file.path if several else None, file.rows, file.columns].append(file)
    return members


def _common_folder(group: Sequence[ImageFile]) -> str:
    parents = [PurePosixPath(file.path).parent for file in group]
    common = parents[0]
    while not all(parent.is_relative_to(common) for parent in parents):
        common = common.parent
    return common.as_posix()


def _names(groups: Sequence[Sequence[ImageFile]], folders: Sequence[str]) -> list[str]:
    """The folder of each scan; where it holds several, with the number of the series, or a hash where numbers are the same."""
    names = list(folders)
    for add in (_number, _hash):
        counts = Counter(names)
        names = [
            name if counts[name] == 1 else (PurePosixPath(folder) / add(group)).as_posix()
            for name, folder, group in zip(names, folders, groups, strict=True)
        ]
    return names


def _number(group: Sequence[ImageFile]) -> str:
    return f"series-{group[0].series_number}" if group[0].series_number is not None else _hash(group)


def _hash(group: Sequence[ImageFile]) -> str:
    file = group[0]
    return "series-" + digest(
        f"{file.group} {file.rows} {file.columns} {(file.path if file.shared else file.instance) if len(file.frames) > 1 else ''}"
    )


def _in_order(group: Sequence[ImageFile]) -> tuple[list[tuple[ImageFile, Frame]], list[str]]:
    """The images of a scan in order, and notes on them."""
    images = [(file, frame) for file in group for frame in file.frames]
    order = [(file.order, file.path, frame.index) for file, frame in images]
    positions, notes = _positions([frame for _, frame in images])
    if positions is None:
        ranks = sorted(range(len(images)), key=lambda i: order[i])
    else:
        ranks = sorted(range(len(images)), key=lambda i: (positions[i], order[i]))
        notes += _spacing_notes([positions[i] for i in ranks])
    files = [file for file, _ in images]
    if not all(file.series for file in files):
        notes.append("Its files have no SeriesInstanceUID: those of one folder, study and number are taken for a series.")
    if any(file.shared for file in files):
        notes.append(SHARED)
    if any(file.padding_ignored for file in files):
        notes.append("Its padding value is one of tissue, so it is ignored.")
    if any(file.lossy for file in files):
        notes.append("Its images were compressed with loss.")
    if any(file.reformatted for file in files):
        notes.append("Its slices were reformatted from others, so their noise may be unlike that of slices as they are acquired.")
    if images[0][1].coding.inverted:
        notes.append("Low stored values are bright (MONOCHROME1): they are mirrored for the model, and back in the output.")
    modalities = {file.modality for file in files}
    if len(modalities) > 1:
        notes.append("Its files name several modalities; that of the first slice counts.")
    return [images[i] for i in ranks], notes


def _positions(frames: Sequence[Frame]) -> tuple[list[float] | None, list[str]]:
    """Positions along the normal, mm, ascending towards the head, the back or the left; None where there is no such order."""
    if len(frames) < 2:
        return None, []
    places = [frame.place for frame in frames]
    axes = [frame.axes for frame in frames]
    if any(one is None for one in (*places, *axes)):
        locations = [frame.location for frame in frames]
        if any(one is None for one in locations) or len(set(locations)) < len(locations):
            return None, ["Positions of slices are not known, so they are in the order of their numbers."]
        return [float(one) for one in locations if one is not None], []
    known: list[Axes] = []
    if any(direction(project(AT_ORIGIN, one, axial=False)[1], known) for one in axes):
        return None, ["Its slices have different orientations, so they are in the order of their numbers."]
    return [round(project(place, axes[0], axial=False)[0], 3) for place in places if place is not None], []


def _spacing_notes(positions: Sequence[float]) -> list[str]:
    """Notes on repeated positions and on gaps; positions are ascending."""
    distances = np.diff(positions)
    notes = []
    repeated = int((distances <= SAME).sum())
    if repeated:
        times = "once" if repeated == 1 else f"{repeated} times"
        notes.append(f"Positions are repeated {times}, as in a series of several times or contrasts; all slices are kept.")
    distances = distances[distances > SAME]
    if len(distances) > 1:
        usual = float(median_low(distances))  # of two distances, the longer one is the gap
        missing = int(sum(round(one / usual) - 1 for one in distances if one > GAP * usual))
        if missing:
            slices = "A slice seems" if missing == 1 else f"{missing} slices seem"
            notes.append(f"{slices} to be missing: neighbours are up to {distances.max():g} mm apart, and usually {usual:g} mm.")
    return notes
