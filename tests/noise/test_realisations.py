"""The record beside a noisy stack, and further realisations of its noise."""

import json

import numpy as np
import pytest
from scipy import stats

from fplbench.errors import InputError
from fplbench.noise import draw_again, read_record, synthesize_stack
from fplbench.stacks import open_stack, read_index, write_stack

WINDOW = {"window_low": -160, "window_high": 240}


@pytest.fixture
def stacks(tmp_path):
    """Function that writes a clean stack of a constant and adds a noise to it."""

    def make(name, images=6, value=128, **options):
        index = [{"image_id": f"i{k}", "patient": "p", **WINDOW} for k in range(images)]
        clean, noisy = tmp_path / "clean.npy", tmp_path / "noisy" / "train.npy"
        write_stack(clean, np.full((images, 64, 64), value, np.uint8), index)
        synthesize_stack(name, clean, noisy, options, seed=3, axes="lidc/train")
        return clean, noisy

    return make


def test_the_record_tells_how_the_stack_was_made(stacks):
    _, noisy = stacks("chemical_shift", shift=[2, 4])
    record = read_record(noisy)
    assert (record.noise, record.seed, record.axes) == ("chemical_shift", 3, "lidc/train")
    assert record.options["shift"] == [2, 4] and record.options["edge"] == 0.45
    assert record.options["window"] == [-160, 240]  # from the index
    assert json.loads(noisy.with_suffix(".json").read_text()) == record.model_dump()


def test_the_recorded_options_make_the_same_stack(stacks, tmp_path):
    clean, noisy = stacks("structured", amplitude=[0.05, 0.1])
    record = read_record(noisy)
    synthesize_stack(record.noise, clean, tmp_path / "same.npy", record.options, seed=record.seed, axes=record.axes)
    assert (tmp_path / "same.npy").read_bytes() == noisy.read_bytes()


def test_realisations_differ_from_each_other_and_are_repeatable(stacks, tmp_path):
    clean, noisy = stacks("gaussian")
    for draw in (1, 2):
        draw_again(clean, noisy, tmp_path / f"{draw}.npy", draw, threads=draw)
    draw_again(clean, noisy, tmp_path / "again.npy", 2)
    images = [open_stack(path).astype(float) - 128 for path in (noisy, tmp_path / "1.npy", tmp_path / "2.npy")]
    assert (tmp_path / "again.npy").read_bytes() == (tmp_path / "2.npy").read_bytes()
    # Correlations of independent samples are normal with deviation 1 / sqrt(number of pixels).
    pairs = np.corrcoef([each.ravel() for each in images])[np.triu_indices(3, 1)]
    assert np.abs(pairs).max() < stats.norm.ppf(1 - 1e-3 / 6) / np.sqrt(images[0].size)
    # They have the same level: a deviation from n pixels has the relative standard error 1 / sqrt(2 n).
    for each in images:
        assert each.std() == pytest.approx(0.09 * 255, rel=4 / np.sqrt(2 * each.size))


def test_a_range_is_drawn_anew_from_the_same_range(stacks, tmp_path):
    clean, noisy = stacks("gaussian", images=60, sigma=[0.02, 0.08])
    levels = [[float(row["sigma"]) for row in read_index(noisy)]]
    for draw in (1, 2):
        draw_again(clean, noisy, tmp_path / f"{draw}.npy", draw)
        levels.append([float(row["sigma"]) for row in read_index(tmp_path / f"{draw}.npy")])
        measured = (open_stack(tmp_path / f"{draw}.npy") / 255).std(axis=(1, 2))
        assert np.all(np.abs(measured / levels[-1] - 1) < 5 / np.sqrt(2 * 64**2))
    assert np.abs(np.corrcoef(levels)[np.triu_indices(3, 1)]).max() < 0.5
    for each in levels:
        assert stats.kstest(each, stats.uniform(0.02, 0.06).cdf).pvalue > 1e-3


def test_a_noise_without_random_numbers_is_the_same_again(stacks, tmp_path):
    clean, noisy = stacks("wrap_around", value=100)
    draw_again(clean, noisy, tmp_path / "1.npy", 1)
    assert np.array_equal(open_stack(tmp_path / "1.npy"), open_stack(noisy))


def test_a_stack_without_a_record_cannot_be_drawn_again(stacks, tmp_path):
    clean, noisy = stacks("gaussian")
    noisy.with_suffix(".json").unlink()
    assert read_record(noisy) is None
    with pytest.raises(InputError, match=r"train\.json, which tells how it was made, does not exist"):
        draw_again(clean, noisy, tmp_path / "1.npy", 1)


def test_wrong_arguments_are_refused(stacks, tmp_path):
    clean, noisy = stacks("gaussian")
    with pytest.raises(InputError, match="draw is 0, but must be at least 1"):
        draw_again(clean, noisy, tmp_path / "1.npy", 0)
    with pytest.raises(InputError, match="is the noisy stack, which would be overwritten"):
        draw_again(clean, noisy, noisy, 1)
    with pytest.raises(InputError, match="is the clean stack, which would be overwritten"):
        draw_again(clean, noisy, clean, 1)
    write_stack(tmp_path / "other.npy", np.zeros((6, 64, 64), np.uint8), [{"image_id": k, "patient": "p"} for k in range(6)])
    with pytest.raises(InputError, match="does not list the same images"):
        draw_again(tmp_path / "other.npy", noisy, tmp_path / "1.npy", 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", "not a readable record of a noise"), ("{}", "noise"), ('{"noise": "g", "options": {}, "seed": 1, "axes": 3}', "axes")],
)
def test_a_damaged_record_is_refused(text, words, stacks):
    _, noisy = stacks("gaussian")
    noisy.with_suffix(".json").write_text(text)
    with pytest.raises(InputError, match=words):
        read_record(noisy)
