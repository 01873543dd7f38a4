import pytest

from fplbench.errors import InputError
from fplbench.noise import synthesize_stack
from fplbench.noise.window import index_window
from fplbench.stacks import open_stack, write_stack


def rows(*windows):
    return [{"window_low": str(low), "window_high": str(high)} for low, high in windows]


def test_window_of_a_ct_stack():
    assert index_window(rows((-160, 240), (-160, 240))) == (-160.0, 240.0)


def test_no_window_without_columns_with_several_windows_or_without_hounsfield_units():
    assert index_window([{"image_id": "a"}]) is None
    assert index_window(rows((-160, 240), (-1000, 400))) is None
    assert index_window(rows((0, 255))) is None
    assert index_window(rows(("", ""))) is None


def test_a_window_that_is_not_a_number_is_refused():
    with pytest.raises(InputError, match="window_low 'abc'"):
        index_window(rows(("abc", 240)))


def test_fat_follows_from_the_window_in_the_index(phantom, tmp_path):
    images = (phantom * 255).round().astype("uint8")
    base = [{"image_id": k, "patient": "p", "source": "s", "slice": k} for k in range(2)]
    window = {"window_low": -160, "window_high": 240}
    write_stack(tmp_path / "ct.npy", images, [row | window for row in base])
    write_stack(tmp_path / "other.npy", images, base)
    synthesize_stack("chemical_shift", tmp_path / "ct.npy", tmp_path / "a.npy", {}, seed=1)
    synthesize_stack("chemical_shift", tmp_path / "other.npy", tmp_path / "b.npy", {"window": [-160, 240]}, seed=1)
    synthesize_stack("chemical_shift", tmp_path / "other.npy", tmp_path / "c.npy", {}, seed=1)
    assert (open_stack(tmp_path / "a.npy") == open_stack(tmp_path / "b.npy")).all()
    assert (open_stack(tmp_path / "a.npy") != open_stack(tmp_path / "c.npy")).any()
