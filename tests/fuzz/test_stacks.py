"""Stacks and indices with any bytes: what is read is what was written, or the file is refused in a sentence."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fplbench.errors import InputError
from fplbench.stacks import open_stack, read_index, write_stack

IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
CORPUS = [b"\x93NUMPY\x01\x00", b"(" * 200, b"-" * 200 + b"1", b"{'descr': '|u1', 'shape': (2, 3, 3), 'fortran_order': False}"]


def check(path):
    """Open a stack, or have it refused in a sentence; the pixels are those that were written, in their order."""
    try:
        images = open_stack(path)
    except InputError as error:
        assert "\n" not in str(error) and str(error).endswith(".")
        return
    assert images.tobytes() == IMAGES.tobytes()


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    path = tmp_path_factory.mktemp("stacks") / "stack.npy"
    np.save(path, IMAGES)
    return path, path.read_bytes()


@pytest.mark.parametrize("change", [0x00, 0x0A, 0x20, 0x28, 0x39, 0x80, 0xFF, None])
def test_every_byte_of_a_header_can_be_another(stack, change):
    path, content = stack
    for place in range(len(content) - IMAGES.size):
        mutated = bytearray(content)
        mutated[place] = mutated[place] ^ 1 if change is None else change
        path.write_bytes(mutated)
        check(path)


@given(st.binary(max_size=300), st.integers(0, 160), st.integers(0, 40))
def test_a_header_with_other_bytes_within(stack, inserted, place, removed):
    path, content = stack
    path.write_bytes(content[:place] + inserted + content[place + removed :])
    try:
        images = open_stack(path)
    except InputError:
        return
    assert images.tobytes() == path.read_bytes()[-images.size :]


@pytest.mark.parametrize("header", CORPUS)
def test_a_header_that_once_failed(stack, header):
    path, _ = stack
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + IMAGES.tobytes())
    check(path)


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(b"image_id,patient\n\0,\0\n")
@example(b'image_id,patient\n"a,p\n')
@example("\ufeffimage_id,patient\na,p\n".encode())
def test_an_index_of_any_bytes_is_a_table_or_is_refused(stack, content):
    path, _ = stack
    for head in (b"", b"image_id,patient\n", b"image_id,patient,slice\r\n"):
        path.with_suffix(".csv").write_bytes(head + content)
        try:
            rows = read_index(path)
        except InputError as error:
            assert "stack.csv" in str(error)
            continue
        assert all({"image_id", "patient"} <= row.keys() and all(isinstance(text, str) for text in row.values()) for row in rows)


WORDS = st.text(st.characters(codec="utf-8"), max_size=20)


@given(st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=2, max_size=2, unique_by=lambda row: row[0]))
@example([("a\r", "\n", '"'), ("a\r\n", ",", "'")])
@example([("", "", ""), (" ", "\u2028", "\x85")])
def test_identifiers_of_any_letters_come_back(stack, rows):
    path, _ = stack
    index = [dict(zip(("image_id", "patient", "source"), row, strict=True)) for row in rows]
    write_stack(path, IMAGES, index)
    assert read_index(path, images=2) == index


@pytest.mark.parametrize("name", ["\ud800", "a\udcff"])
def test_a_name_that_no_file_can_hold_is_refused(tmp_path, name):
    """Names of files that are not UTF-8 come as lone surrogates from the operating system."""
    index = [{"image_id": "a", "patient": "p", "source": name}, {"image_id": name, "patient": "p", "source": "s"}]
    with pytest.raises(InputError, match="cannot be written in UTF-8"):
        write_stack(tmp_path / "stack.npy", IMAGES, index)
    assert not list(tmp_path.iterdir())
