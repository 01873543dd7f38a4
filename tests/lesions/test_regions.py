import numpy as np
import pytest

from fplbench.lesions.regions import even_soft_tissue, lungs, shows_lung


def ellipse(size, centre, axes):
    rows, columns = np.mgrid[:size, :size]
    return np.hypot((rows - centre[0] * size) / (axes[0] * size), (columns - centre[1] * size) / (axes[1] * size)) <= 1


def chest(size=128):
    """A chest in HU, and its parts: two lungs, a trachea between them, a vessel in one of them, air and a table outside."""
    parts = {
        "body": ellipse(size, (0.5, 0.5), (0.35, 0.45)),
        "left": ellipse(size, (0.5, 0.7), (0.22, 0.15)),
        "right": ellipse(size, (0.5, 0.3), (0.22, 0.15)),
        "trachea": ellipse(size, (0.4, 0.5), (0.04, 0.04)),
        "vessel": ellipse(size, (0.5, 0.7), (0.03, 0.03)),
    }
    table = np.zeros((size, size), bool)
    table[-8:-4] = True
    hu = np.full((size, size), -1000, np.float32)
    for name, value in {"body": 40, "left": -850, "right": -850, "trachea": -990, "vessel": 30}.items():
        hu[parts[name]] = value
    hu[table] = 100
    return hu, parts | {"table": table}


def test_lungs_are_what_was_drawn_without_airway_vessel_and_outside_air():
    hu, parts = chest()
    found = lungs(hu)
    drawn = (parts["left"] | parts["right"]) & ~parts["vessel"]
    assert not (found & ~drawn).any()
    # All but their rim, where the mean over 3x3 pixels may lie above the threshold.
    assert np.count_nonzero(found) > 0.9 * np.count_nonzero(drawn)


def test_lungs_are_found_below_noise():
    hu, parts = chest()
    hu += np.random.default_rng(1).normal(0, 20, hu.shape).astype(np.float32)
    found = lungs(hu)
    drawn = (parts["left"] | parts["right"]) & ~parts["vessel"]
    assert np.count_nonzero(found & drawn) > 0.9 * np.count_nonzero(drawn)
    assert not (found & (parts["trachea"] | ~parts["body"])).any()


def test_an_image_of_air_has_no_lungs():
    assert not lungs(np.full((64, 64), -1000, np.float32)).any()


def abdomen(size=128):
    """A liver with a vessel, a kidney of bright cortex, muscle, fat between them, in HU."""
    parts = {
        "body": ellipse(size, (0.5, 0.5), (0.36, 0.45)),
        "liver": ellipse(size, (0.45, 0.3), (0.2, 0.16)),
        "vessel": ellipse(size, (0.45, 0.3), (0.03, 0.03)),
        "muscle": ellipse(size, (0.75, 0.6), (0.05, 0.12)),
        "heart": ellipse(size, (0.45, 0.7), (0.22, 0.18)),
    }
    hu = np.full((size, size), -160, np.float32)
    for name, value in {"body": -100, "liver": 60, "vessel": 150, "muscle": 55, "heart": 240}.items():
        hu[parts[name]] = value
    return hu + np.random.default_rng(2).normal(0, 8, hu.shape).astype(np.float32), parts


def test_even_soft_tissue_is_the_liver_without_edge_and_vessel():
    hu, parts = abdomen()
    found = even_soft_tissue(hu, pixel_mm=2.8)
    assert not (found & (~parts["liver"] | parts["vessel"])).any()
    assert np.count_nonzero(found) > 0.5 * np.count_nonzero(parts["liver"])


def test_a_small_piece_of_soft_tissue_does_not_count():
    hu, parts = abdomen()
    hu[parts["liver"]] = -100
    assert not even_soft_tissue(hu, pixel_mm=2.8).any()  # muscle is left, of pi 0.05 0.12 128^2 2.8^2 = 2421 mm^2


@pytest.mark.parametrize(
    ("window", "shown"), [((-1000, 400), True), ((-1350, 150), True), ((-160, 240), False), ((-1024, -600), False)]
)
def test_a_lung_window_shows_air_lung_and_tissue_apart(window, shown):
    assert shows_lung(window) is shown
