import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from fplbench.cli import app
from fplbench.denoising import running
from fplbench.errors import InputError
from fplbench.methods import METHODS, Method, denoise, denoise_file
from fplbench.registry import Registry
from fplbench.stacks import open_stack, read_index, write_stack


@pytest.fixture
def noisy(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (40, 16, 24)).astype(np.uint8)
    index = [{"image_id": f"i{k}", "patient": "p", "source": "file, one", "slice": k, "sigma": 0.1} for k in range(40)]
    write_stack(tmp_path / "noisy.npy", images, index)
    return tmp_path / "noisy.npy"


@pytest.fixture
def registered(monkeypatch):
    """A registry of its own, to which a test adds a method."""
    registry = Registry("method", "fplbench.methods")
    registry._loaded = True
    monkeypatch.setattr(running, "METHODS", registry)
    return lambda function: registry.add("method", Method("method", "Method", function))


@pytest.mark.parametrize("threads", [1, 3])
def test_files_hold_what_denoise_gives_and_the_index_of_the_noisy_stack(noisy, tmp_path, threads):
    denoise_file("median_filter", noisy, tmp_path / "new" / "out.npy", {"size": 5}, threads)
    expected = denoise("median_filter", open_stack(noisy), size=5)
    np.testing.assert_array_equal(open_stack(tmp_path / "new" / "out.npy"), expected)
    assert read_index(tmp_path / "new" / "out.npy") == read_index(noisy)


def test_what_a_method_records_becomes_a_column_of_the_index(noisy, tmp_path, registered):
    registered(lambda images, options: (images, {"mean": [round(float(image.mean()), 3) for image in images]}))
    denoise_file("method", noisy, tmp_path / "out.npy", {}, 2)
    recorded = [float(row["mean"]) for row in read_index(tmp_path / "out.npy")]
    np.testing.assert_allclose(recorded, open_stack(noisy).mean(axis=(1, 2)), atol=5e-4)
    assert "mean" not in read_index(noisy)[0]


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (lambda images, options: images.astype(float), "returned float64 images"),
        (
            lambda images, options: images[:, 1:],
            r"shape \(16, 15, 24\); it must return",
        ),
        (lambda images, options: 1 / 0, "division by zero"),
    ],
)
def test_a_method_that_fails_leaves_no_file(noisy, tmp_path, registered, function, sentence):
    registered(function)
    with pytest.raises((InputError, ZeroDivisionError), match=sentence):
        denoise_file("method", noisy, tmp_path / "out" / "out.npy", {}, 2)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_method_cannot_change_the_noisy_file(noisy, tmp_path, registered):
    def spoil(images, options):
        images[:] = 0
        return images

    registered(spoil)
    with pytest.raises(ValueError, match="read-only"):
        denoise_file("method", noisy, tmp_path / "out.npy", {})


def test_an_unknown_method_names_the_nearest():
    with pytest.raises(InputError, match="'medan_filter' is not a method: did you mean 'median_filter'"):
        denoise("medan_filter", np.zeros((1, 8, 8), np.uint8))


@pytest.mark.parametrize("images", [np.zeros((8, 8), np.uint8), np.zeros((1, 8, 8)), np.zeros((0, 8, 8), np.uint8)])
def test_an_array_that_is_no_stack_is_refused(images):
    with pytest.raises(InputError, match="a stack"):
        denoise("noisy", images)


@pytest.mark.slow
def test_no_classical_method_loads_torch():
    """Neither looking the methods up nor running one may import torch: it takes two seconds, a thousand times."""
    names = [name for name, method in METHODS.items() if not method.gpu and not method.extra]
    script = (
        "import sys, numpy\n"
        "from fplbench.methods import METHODS, denoise\n"
        "assert len(METHODS) > 10\n"
        "assert not {'torch', 'cv2', 'scipy', 'skimage', 'pywt'} & set(sys.modules)\n"
        "import fplbench.cli\n"
        "for name in sys.argv[1:]:\n"
        "    denoise(name, numpy.eye(32, dtype=numpy.uint8)[None] * 99)\n"
        "    assert 'torch' not in sys.modules, name\n"
    )
    subprocess.run([sys.executable, "-c", script, *names], check=True)


def test_labels_and_citations_are_declared():
    assert len({method.label for method in METHODS.values()}) == len(METHODS)
    for name, method in METHODS.items():
        assert method.summary, name
        assert method.cites or name in ("noisy", "noisy_grey_map"), name


def test_at_least_one_thread_is_needed():
    with pytest.raises(InputError, match="threads is 0: at least one is needed"):
        denoise("noisy", np.zeros((1, 8, 8), np.uint8), threads=0)


def test_a_device_is_refused_where_the_method_does_not_use_it(noisy, tmp_path):
    arguments = ["denoise", "median_filter", str(noisy), str(tmp_path / "out.npy"), "--device"]
    result = CliRunner().invoke(app, [*arguments, "cuda"])
    assert "'median_filter' runs on the CPU only: leave out --device cuda" in str(result.exception)
    assert CliRunner().invoke(app, [*arguments, "cpu"]).exit_code == 0


def test_float_images_are_told_how_to_convert():
    with pytest.raises(InputError, match=r"holds float32 values; .* np\.rint\(255 \* images\)\.astype\(np\.uint8\)"):
        denoise("noisy", np.zeros((1, 8, 8), np.float32))
