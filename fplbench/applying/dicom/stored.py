"""What the files of a scan store, with the last slices kept."""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from weakref import WeakValueDictionary

import numpy as np

from fplbench.applying.dicom.file import Frame, ImageFile
from fplbench.applying.dicom.reading import DicomReader

# Writers ask again for slices that were read a while ago, as reading runs ahead of them.
KEPT = 32  # slices
KEPT_BYTES = 2**26


class StoredFrames:
    """The stored integers of each slice, and the values that they stand for, read when they are needed."""

    def __init__(self, images: Sequence[tuple[ImageFile, Frame]], reader: DicomReader) -> None:
        """Read slices with a reader."""
        self._images, self._reader = images, reader
        self._kept: OrderedDict[int, np.ndarray] = OrderedDict()
        self._values: WeakValueDictionary[int, np.ndarray] = WeakValueDictionary()
        self._lock = Lock()

    def __getitem__(self, number: int) -> np.ndarray:
        """(H, W), integers. InputError if the file cannot be decoded, or its image has another size than its header says."""
        with self._lock:
            if number not in self._kept:
                file, frame = self._images[number]
                self._kept[number] = self._reader.stored(file.path, frame.index)
            self._kept.move_to_end(number)
            stored = self._kept[number]
            while len(self._kept) > max(2, min(KEPT, KEPT_BYTES // stored.nbytes)):
                self._kept.popitem(last=False)
            return stored

    def values(self, number: int) -> np.ndarray:
        """float32 (H, W), read only. They are computed once as long as whoever has asked for them holds them."""
        values = self._values.get(number)
        if values is None:
            values = self._images[number][1].coding.values(self[number])
            values.flags.writeable = False
            self._values[number] = values
        return values
