"""BM3D, and that its processes change nothing."""

import subprocess
import sys

import numpy as np
import pytest

from fplbench.denoising import running
from fplbench.methods import METHODS, denoise

pytest.importorskip("bm3d")


def noisy_scene(size, sigma, images=1):
    """A smooth scene of `size` pixels a side under Gaussian noise, and the scene."""
    rows, columns = np.mgrid[:size, :size]
    scene = 128 + 60 * np.sin(rows / 9) * np.cos(columns / 11)
    noise = sigma * np.random.default_rng(0).standard_normal((images, size, size))
    return np.clip(np.rint(scene + noise), 0, 255).astype(np.uint8), np.broadcast_to(scene, noise.shape)


def error(images, scene):
    return np.sqrt(np.mean((images - scene) ** 2))


def test_equals_the_package_in_grey_levels():
    from bm3d import BM3DProfile, bm3d

    noisy, _ = noisy_scene(32, 20)
    profile = BM3DProfile()
    profile.num_threads = 1
    expected = np.clip(np.rint(bm3d(noisy[0].astype(float), 20, profile)), 0, 255)
    np.testing.assert_array_equal(denoise("bm3d", noisy, sigma=20)[0], expected)


def test_removes_most_of_gaussian_noise_at_its_level():
    noisy, scene = noisy_scene(64, 20)
    assert error(denoise("bm3d", noisy, sigma=20), scene) < 0.3 * error(noisy, scene)


def test_a_level_that_fits_is_better_than_one_that_does_not():
    noisy, scene = noisy_scene(48, 20)
    errors = {sigma: error(denoise("bm3d", noisy, sigma=sigma), scene) for sigma in (2, 20)}
    assert errors[20] < errors[2]


def test_has_a_job_of_its_own_and_needs_processes():
    assert METHODS["bm3d"].group == "alone" and METHODS["bm3d"].processes


@pytest.mark.slow
def test_the_result_does_not_depend_on_the_number_of_processes():
    noisy, _ = noisy_scene(24, 20, images=5)
    np.testing.assert_array_equal(denoise("bm3d", noisy, threads=2), denoise("bm3d", noisy))


@pytest.mark.slow
def test_images_are_denoised_in_processes_one_at_a_time(monkeypatch):
    sizes = []

    def counted(processes, function, method, noisy, *rest):
        sizes.append((processes, len(noisy)))
        return original(processes, function, method, noisy, *rest)

    original = running.submit
    monkeypatch.setattr(running, "submit", counted)
    denoise("bm3d", noisy_scene(16, 20, images=3)[0], threads=2)
    assert sizes == [(2, 1)] * 3


@pytest.mark.slow
def test_a_script_without_a_main_guard_can_use_processes(tmp_path):
    """A process that is started anew would import such a script, and run it again."""
    script = tmp_path / "script.py"
    script.write_text(
        "import numpy as np\n"
        "from fplbench.methods import denoise\n"
        "print('started')\n"
        "print(denoise('bm3d', np.full((2, 16, 16), 90, np.uint8), threads=2).mean())\n"
    )
    process = subprocess.run([sys.executable, script], check=True, capture_output=True, text=True)
    assert process.stdout.splitlines() == ["started", "90.0"]
