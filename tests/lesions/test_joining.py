import numpy as np
import pytest
from typer.testing import CliRunner

from fplbench.cli import app
from fplbench.errors import InputError
from fplbench.lesions.joining import image_of_draw, join_stacks
from fplbench.lesions.stack import COLUMNS, lesions_path, open_lesions, write_lesions
from fplbench.stacks import open_stack, read_index, write_stack
from tests.helpers.files import names


def write(path, count, side=8, lesions=True, **columns):
    """A stack of random images, each of which has lesion 1 in its corner."""
    images = np.random.default_rng(count).integers(0, 256, (count, side, side), np.uint8)
    names = [f"{path.stem}-{number}" for number in range(count)]
    write_stack(path, images, [{"image_id": name, "patient": "p", **columns} for name in names])
    if lesions:
        numbers = np.zeros_like(images)
        numbers[:, 0, 0] = 1
        rows = [dict.fromkeys(COLUMNS, "") | {"image_id": name, "lesion": 1, "lesion_id": f"{name}_1"} for name in names]
        write_lesions(path, numbers, rows)
    return path


def test_images_index_and_lesions_are_joined_in_the_order_given(tmp_path):
    """More images than are copied at once; the second index has a column of its own."""
    first = write(tmp_path / "b.npy", 70, annotated=1)
    second = write(tmp_path / "a.npy", 3, annotated=1, copy_of="b-0")
    result = CliRunner().invoke(app, ["join-stacks", str(tmp_path / "new" / "joined.npy"), str(first), str(second)])
    assert result.exit_code == 0, result.output
    joined = tmp_path / "new" / "joined.npy"
    np.testing.assert_array_equal(open_stack(joined), np.concatenate([open_stack(first), open_stack(second)]))
    rows = read_index(joined, 73)
    assert [row["image_id"] for row in rows] == [*(f"b-{number}" for number in range(70)), "a-0", "a-1", "a-2"]
    assert list(rows[0]) == ["image_id", "patient", "annotated", "copy_of"]
    assert [row["copy_of"] for row in rows[69:71]] == ["", "b-0"]
    numbers, table = open_lesions(joined)  # which also compares the table with the stack
    assert numbers.sum() == 73 and (numbers[:, 0, 0] == 1).all()
    assert [row["lesion_id"] for row in table[69:71]] == ["b-69_1", "a-0_1"]
    assert names(joined.parent) == [
        "joined.csv", "joined.npy", "joined_lesions.csv", "joined_lesions.npy",
    ]  # fmt: skip


def test_stacks_without_lesions_and_a_stack_alone_can_be_joined(tmp_path):
    paths = [write(tmp_path / f"{name}.npy", 2, lesions=False) for name in "ab"]
    join_stacks(tmp_path / "joined.npy", paths)
    assert len(open_stack(tmp_path / "joined.npy")) == 4 and not lesions_path(tmp_path / "joined.npy").exists()
    join_stacks(tmp_path / "alone.npy", [write(tmp_path / "c.npy", 3)])
    assert (tmp_path / "alone.csv").read_bytes() == (tmp_path / "c.csv").read_bytes()
    assert (tmp_path / "alone_lesions.csv").read_bytes() == (tmp_path / "c_lesions.csv").read_bytes()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: write(folder / "b.npy", 2, side=9), r"b\.npy holds 2 images of 9x9 pixels, but .*a\.npy 2 images of 8x8"),
        (lambda folder: write(folder / "b.npy", 2, lesions=False), r"a\.npy has a lesion stack, but .*b\.npy has none"),
        (
            lambda folder: write_stack(folder / "b.npy", np.zeros((1, 8, 8), np.uint8), [{"image_id": "a-1", "patient": "p"}]),
            r"'a-1' is in both .*a\.npy and .*b\.npy",
        ),
        (
            lambda folder: write(folder / "b.npy", 2).with_suffix(".csv").unlink(),
            r"b\.csv, the index of .*b\.npy, does not exist",
        ),
        (lambda folder: lesions_path(write(folder / "b.npy", 2)).with_suffix(".csv").unlink(), r"b_lesions\.csv does not exist"),
    ],
)
def test_stacks_that_do_not_fit_are_refused_and_nothing_is_left_behind(tmp_path, spoil, message):
    first = write(tmp_path / "a.npy", 2)
    spoil(tmp_path)
    with pytest.raises(InputError, match=message):
        join_stacks(tmp_path / "joined.npy", [first, tmp_path / "b.npy"])
    assert not [path for path in tmp_path.iterdir() if "joined" in path.name]


def test_a_stack_is_not_joined_into_itself_and_something_must_be_joined(tmp_path):
    first = write(tmp_path / "a.npy", 2)
    with pytest.raises(InputError, match="is one of the stacks to join"):
        join_stacks(tmp_path / "other" / ".." / "a.npy", [first])
    with pytest.raises(InputError, match="nothing to join"):
        join_stacks(tmp_path / "b.npy", [])


def test_a_failure_while_lesions_are_written_leaves_no_stack_that_looks_whole(tmp_path, monkeypatch):
    first = write(tmp_path / "a.npy", 2)
    monkeypatch.setattr("fplbench.lesions.stack.write_csv", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        join_stacks(tmp_path / "joined.npy", [first])
    assert not (tmp_path / "joined.npy").exists() and not (tmp_path / "joined.csv").exists()


def test_draws_of_the_same_images_are_told_apart_by_their_image_id_and_share_their_lesions(tmp_path):
    clean = write(tmp_path / "a.npy", 2)
    result = CliRunner().invoke(app, ["join-stacks", str(tmp_path / "joined.npy"), str(clean), str(clean), "--draws"])
    assert result.exit_code == 0, result.output
    ids = [row["image_id"] for row in read_index(tmp_path / "joined.npy", 4)]
    assert ids == ["a-0_draw-1", "a-1_draw-1", "a-0_draw-2", "a-1_draw-2"]
    numbers, table = open_lesions(tmp_path / "joined.npy")
    np.testing.assert_array_equal(numbers[2:], numbers[:2])
    assert [(row["image_id"], row["lesion_id"]) for row in table] == list(zip(ids, ["a-0_1", "a-1_1"] * 2, strict=True))
    assert [image_of_draw(name) for name in [*ids[:1], "a_draw-", "b"]] == ["a-0", "a_draw-", "b"]


def test_other_images_are_no_draws(tmp_path):
    paths = [write(tmp_path / f"{name}.npy", 2) for name in "ab"]
    with pytest.raises(InputError, match=r"b\.npy shows other images than .*a\.npy"):
        join_stacks(tmp_path / "joined.npy", paths, draws=True)
