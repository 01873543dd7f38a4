import numpy as np
import pytest
from PIL import Image

from fplbench import stacks
from fplbench.errors import InputError
from fplbench.explaining import maps
from fplbench.reporting import explainability, figures
from fplbench.reporting.labels import Labels
from fplbench.reporting.noise_figure import noise_figure
from fplbench.reporting.panels import draw, save, scale

SHAPE = (5, 16, 16)


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    clean = rng.integers(0, 256, SHAPE, dtype=np.uint8)
    index = [{"image_id": f"image{i}", "patient": "p", "source": "s", "slice": i} for i in range(5)]
    stacks.write_stack(tmp_path / "data" / "test.npy", clean, index)
    for noise in ("poisson", "gaussian"):
        stacks.write_stack(tmp_path / "noisy" / noise / "test.npy", clean // 2)
    for divisor, method in ((3, "fpl"), (4, "wavelet")):
        stacks.write_stack(tmp_path / "denoised" / f"{method}.npy", clean // divisor)
    return tmp_path


@pytest.fixture
def explained(monkeypatch):
    """Stand in for the network: the map of an image is the image; keep what was asked for."""
    calls = []

    def feature_maps(restoration, images, **explanation):
        calls.append((restoration, images.copy(), explanation))
        return images.astype(np.float32)

    monkeypatch.setattr(maps, "feature_maps", feature_maps)
    return calls


def paths(folder):
    return folder / "data" / "test.npy", folder / "noisy" / "gaussian" / "test.npy"


def methods(folder):
    return [folder / "denoised" / "fpl.npy", folder / "denoised" / "wavelet.npy"]


def test_the_example_explains_the_noisy_image_and_the_first_method(folder, explained):
    clean = stacks.open_stack(paths(folder)[0])
    figures.example_figure(folder / "f.png", *paths(folder), methods(folder), "weights", {"beta": 5}, image=3)
    [(restoration, images, explanation)] = explained
    assert restoration == "weights"
    assert explanation == {"beta": 5}
    np.testing.assert_array_equal(images, [clean[3] // 2, clean[3] // 3])
    assert Image.open(folder / "f.png").width > 1000


def test_without_a_restoration_network_no_features_are_shown(folder, explained):
    figures.example_figure(folder / "f.png", *paths(folder), methods(folder))
    assert explained == []
    assert Image.open(folder / "f.png").width > 1000


def test_the_middle_image_is_shown_unless_another_is_asked_for(folder, explained):
    figures.example_figure(folder / "f.png", *paths(folder), methods(folder), "weights")
    np.testing.assert_array_equal(explained[0][1][0], stacks.open_stack(paths(folder)[0])[2] // 2)


def test_panels_are_those_of_the_paper_with_their_scores():
    clean = np.full((16, 16), 100, np.uint8)
    denoised = {Labels().method(name): clean + np.uint8(5) for name in ("fpl", "dpir", "wavelet", "filter_combination")}
    panels = figures.example_panels(clean, clean + np.uint8(10), denoised)
    assert [panel.title.split("\n")[0] for panel in panels] == [
        "Clean", "Noisy", "Our (FPL)", "DPIR", "Wave. Den.", "Filt. Comb.",
    ]  # fmt: skip
    assert panels[1].title.split("\n")[1].startswith("28.13 dB / 0.99")
    assert panels[2].title.split("\n")[1].startswith("34.15 dB")
    assert (panels[1].black, panels[1].white) == (0, 255)


def test_maps_share_one_scale_that_single_pixels_do_not_set():
    features = np.random.default_rng(0).uniform(-1, 1, (3, 64, 64))
    features[0, 0, 0] = 1e6
    black, white = scale(features)
    assert (black, white) == pytest.approx((-1, 1), abs=0.02)
    black, white = scale(np.zeros((2, 4, 4)))
    assert black < white


def test_every_noise_has_a_panel_in_a_full_grid(folder):
    noisy = [folder / "noisy" / noise / "test.npy" for noise in ("poisson", "gaussian")]
    noise_figure(folder / "n.png", paths(folder)[0], noisy, note="A note.")
    assert Image.open(folder / "n.png").format == "PNG"
    panels = [figures.Panel("", np.zeros((2, 2), np.uint8))] * 14
    assert len([axis for axis in draw(panels, 7).axes if axis.images]) == 14


def test_a_stack_of_another_shape_is_named(folder, explained):
    stacks.write_stack(folder / "denoised" / "fpl.npy", np.zeros((4, 16, 16), np.uint8))
    with pytest.raises(InputError, match=r"fpl.npy holds 4 images of 16x16 pixels"):
        figures.example_figure(folder / "f.png", *paths(folder), methods(folder), "weights")
    assert not (folder / "f.png").exists()


def test_an_image_that_is_not_there_is_named(folder, explained):
    with pytest.raises(InputError, match=r"has no image 5: it holds 5"):
        figures.example_figure(folder / "f.png", *paths(folder), methods(folder), "weights", image=5)


def test_a_name_without_a_picture_format_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"figure.txt is not a picture"):
        save(draw([figures.Panel("", np.zeros((2, 2)))], 1), tmp_path / "figure.txt")


def test_explainability_rows_have_one_scale_each_and_state_it():
    images = {"Clean": np.zeros((8, 8), np.uint8), "Noisy": np.zeros((8, 8), np.uint8)}
    features = np.stack([np.full((8, 8), 2.0), np.full((8, 8), 3.0)])
    panels, scales = explainability.explainability_panels(images, features)
    assert len(panels) == 6
    assert {(panel.black, panel.white) for panel in panels[:2]} == {(0, 255)}
    assert {(panel.black, panel.white) for panel in panels[2:4]} == {(2, 3)}
    assert {(panel.black, panel.white) for panel in panels[4:]} == {(-1, 1)}
    assert [panel.title for panel in panels[4:]] == ["error 0.000", "error 0.250"]
    assert "from 2 (black) to 3 (white)" in scales


def test_explainability_draws_every_method(folder, explained):
    explainability.explainability_figure(folder / "e.png", *paths(folder), methods(folder), "weights")
    assert explained[0][1].shape == (4, 16, 16)
    assert Image.open(folder / "e.png").width > 600


def test_a_note_without_a_full_stop_does_not_run_into_the_scales(folder, explained):
    explainability.explainability_figure(folder / "e.svg", *paths(folder), methods(folder), "weights", note="A demo")
    assert "A demo. Top: images" in (folder / "e.svg").read_text()


def test_headings_name_the_noise_in_full(folder):
    figures.example_figure(folder / "f.svg", *paths(folder), methods(folder), image=0)
    text = (folder / "f.svg").read_text()
    assert "Gaussian Noise: image image0" in text
    assert "Gauss." not in text


def test_feature_maps_are_titled_by_what_they_are_of_and_share_a_scale(explained):
    images = {"Noisy": np.zeros((8, 8), np.uint8), "Wave. Den.": np.full((8, 8), 9, np.uint8)}
    panels = figures.feature_panels("weights", images, {})
    assert [panel.title for panel in panels] == ["Features: Noisy", "Features: Wave. Den."]
    assert {(panel.black, panel.white) for panel in panels} == {(0, 9)}


def test_a_stack_with_other_images_is_refused(folder):
    rows = [{"image_id": f"other{i}", "patient": "p"} for i in range(5)]
    stacks.write_stack(folder / "denoised" / "fpl.npy", np.zeros(SHAPE, np.uint8), rows)
    with pytest.raises(InputError, match=r"fpl.csv does not list the same images"):
        figures.example_figure(folder / "f.png", *paths(folder), methods(folder))
