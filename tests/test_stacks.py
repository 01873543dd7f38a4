import numpy as np
import pandas as pd
import pytest

from fplbench.errors import InputError
from fplbench.stacks import check_same_images, creating_stack, iterate, open_stack, read_index, spread, write_stack
from tests.helpers.files import names

IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
INDEX = [{"image_id": name, "patient": "p", "source": "s", "slice": 0} for name in "ab"]


def test_a_written_stack_comes_back_memory_mapped_with_its_index(tmp_path):
    write_stack(tmp_path / "new" / "stack.npy", IMAGES, INDEX)
    images = open_stack(tmp_path / "new" / "stack.npy")
    assert isinstance(images, np.memmap) and not images.flags.writeable
    assert np.array_equal(images, IMAGES)
    assert [row["image_id"] for row in read_index(tmp_path / "new" / "stack.npy")] == ["a", "b"]


def test_a_data_frame_can_be_an_index(tmp_path):
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
def test_what_is_not_a_stack_is_neither_written_nor_opened(tmp_path, images, message):
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
def test_a_damaged_file_is_refused(tmp_path, content):
    (tmp_path / "stack.npy").write_bytes(content)
    with pytest.raises(InputError, match=r"stack\.npy is not a readable \.npy array"):
        open_stack(tmp_path / "stack.npy")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"stack\.npy does not exist"):
        open_stack(tmp_path / "stack.npy")


@pytest.mark.parametrize("name", ["stack", "stack.txt", "stack.csv"])
def test_the_name_of_a_stack_ends_in_npy(tmp_path, name):
    with pytest.raises(InputError, match=rf"{name} does not end in \.npy"):
        write_stack(tmp_path / name, IMAGES, INDEX)
    assert not list(tmp_path.iterdir())


def test_a_list_is_not_a_stack(tmp_path):
    with pytest.raises(InputError, match="is of type list; a stack is a NumPy array"):
        write_stack(tmp_path / "stack.npy", IMAGES.tolist())


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (INDEX[:1], "must have one row for each image, but has 1 for 2"),
        ([{"image_id": "a"}, {"image_id": "b"}], "has no column 'patient'; an index needs image_id and patient"),
        ([{"patient": "p"}, {"patient": "q"}], "has no column 'image_id'"),
        ([INDEX[0], INDEX[0]], r"has the image_id 'a' in rows 0 and 1 \(counted from 0\)"),
        ([{"image_id": 1, "patient": "p"}, {"image_id": "1", "patient": "p"}], "has the image_id '1' in rows 0 and 1"),
        ([INDEX[0], INDEX[1] | {"window_low": 0}], "row 1 has other columns than the first row"),
        ({"image_id": ["a", "b"], "patient": ["p", "p"]}, "row 0 is of type str; each row must be a mapping"),
        (pd.DataFrame({"image_id": ["a", "b"]}), "has no column 'patient'"),
    ],
)
def test_an_index_that_cannot_be_used_is_not_written(tmp_path, index, message):
    with pytest.raises(InputError, match=message):
        write_stack(tmp_path / "stack.npy", IMAGES, index)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name,patient\na,p\nb,p\n", r"stack\.csv has no column 'image_id'"),
        ("image_id\na\nb\n", r"stack\.csv has no column 'patient'"),
        ("image_id,patient\na,p\na,p\n", r"stack\.csv has the image_id 'a' in rows 0 and 1"),
        ("image_id,patient\na,p\n", r"stack\.csv must have one row for each image, but has 1 for 2"),
        ("", r"stack\.csv has no column"),
    ],
)
def test_an_index_that_cannot_be_used_is_not_read(tmp_path, content, message):
    (tmp_path / "stack.csv").write_text(content)
    with pytest.raises(InputError, match=message):
        read_index(tmp_path / "stack.npy", images=2)


def test_images_alone_have_no_index(tmp_path):
    write_stack(tmp_path / "stack.npy", IMAGES)
    assert names(tmp_path) == ["stack.npy"]
    with pytest.raises(InputError, match=r"stack\.csv, the index of .*stack\.npy, does not exist"):
        read_index(tmp_path / "stack.npy")


def test_stacks_of_different_images_are_told_apart(tmp_path):
    write_stack(tmp_path / "clean.npy", IMAGES, INDEX)
    write_stack(tmp_path / "same.npy", IMAGES, INDEX)
    write_stack(tmp_path / "other.npy", IMAGES, INDEX[::-1])
    write_stack(tmp_path / "alone.npy", IMAGES)
    check_same_images(tmp_path / "clean.npy", tmp_path / "same.npy")
    check_same_images(tmp_path / "clean.npy", tmp_path / "alone.npy")
    with pytest.raises(InputError, match=r"other\.csv does not list the same images as .*clean\.csv: they differ from image 0"):
        check_same_images(tmp_path / "clean.npy", tmp_path / "other.npy")


def test_a_failure_leaves_nothing_behind_and_the_old_stack_untouched(tmp_path):
    write_stack(tmp_path / "stack.npy", IMAGES, INDEX)
    with pytest.raises(RuntimeError), creating_stack(tmp_path / "stack.npy", (2, 3, 4), INDEX) as stack:
        stack[:] = 0
        raise RuntimeError
    assert np.array_equal(open_stack(tmp_path / "stack.npy"), IMAGES)
    assert names(tmp_path) == ["stack.csv", "stack.npy"]


def test_chunks_cover_the_stack_in_order():
    assert [(part.start, part.stop) for part in iterate(np.zeros((5, 1, 1)), 2)] == [(0, 2), (2, 4), (4, 5)]


def test_images_are_chosen_at_even_distances():
    assert spread(9, 3).tolist() == [0, 4, 8]
    assert spread(2, 16).tolist() == [0, 1]
    assert spread(5, 1).tolist() == [0]
