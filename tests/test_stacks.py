import numpy as np
import pandas as pd
import pytest

from fplbench.errors import InputError
from fplbench.stacks import creating_stack, iterate, open_stack, read_index, write_stack

IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
INDEX = [{"image_id": name, "patient": "p", "source": "s", "slice": 0} for name in "ab"]


def test_a_written_stack_comes_back_memory_mapped_with_its_index(tmp_path):
    write_stack(tmp_path / "new" / "stack.npy", IMAGES, INDEX)
    images = open_stack(tmp_path / "new" / "stack.npy")
    assert isinstance(images, np.memmap) and not images.flags.writeable
    assert np.array_equal(images, IMAGES)
    assert [row["image_id"] for row in read_index(tmp_path / "new" / "stack.npy")] == ["a", "b"]


def test_a_data_frame_is_an_index_too(tmp_path):
    write_stack(tmp_path / "stack.npy", IMAGES, pd.DataFrame(INDEX))
    assert read_index(tmp_path / "stack.npy")[1]["image_id"] == "b"


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (IMAGES.astype(np.float32), "float32"),
        (IMAGES[0], r"shape \(3, 4\)"),
        (IMAGES[:0], r"shape \(0, 3, 4\)"),
    ],
)
def test_what_is_no_stack_is_neither_written_nor_opened(tmp_path, images, message):
    with pytest.raises(InputError, match=message):
        write_stack(tmp_path / "stack.npy", images)
    assert not list(tmp_path.iterdir())
    np.save(tmp_path / "foreign.npy", images)
    with pytest.raises(InputError, match=message):
        open_stack(tmp_path / "foreign.npy")


def test_a_pickle_is_never_loaded(tmp_path):
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="not a readable"):
        open_stack(tmp_path / "objects.npy")


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY\x01\x00"])
def test_a_damaged_file_is_named(tmp_path, content):
    (tmp_path / "stack.npy").write_bytes(content)
    with pytest.raises(InputError, match=r"stack\.npy is not a readable \.npy array"):
        open_stack(tmp_path / "stack.npy")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"stack\.npy does not exist"):
        open_stack(tmp_path / "stack.npy")


@pytest.mark.parametrize("name", ["stack", "stack.txt", "stack.csv"])
def test_a_stack_ends_in_npy(tmp_path, name):
    with pytest.raises(InputError, match=rf"{name} does not end in \.npy"):
        write_stack(tmp_path / name, IMAGES, INDEX)
    assert not list(tmp_path.iterdir())


def test_an_index_of_another_length_is_refused(tmp_path):
    with pytest.raises(InputError, match="2 rows for 1 images"):
        write_stack(tmp_path / "stack.npy", IMAGES[:1], INDEX)


def test_a_failure_leaves_nothing_behind_and_an_older_stack_untouched(tmp_path):
    write_stack(tmp_path / "stack.npy", IMAGES, INDEX)
    with pytest.raises(RuntimeError), creating_stack(tmp_path / "stack.npy", (2, 3, 4), INDEX) as stack:
        stack[:] = 0
        raise RuntimeError
    assert np.array_equal(open_stack(tmp_path / "stack.npy"), IMAGES)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["stack.csv", "stack.npy"]


def test_chunks_cover_the_stack_in_order():
    assert [(part.start, part.stop) for part in iterate(np.zeros((5, 1, 1)), 2)] == [(0, 2), (2, 4), (4, 5)]
