"""The figures of test images: what they show, of which image, and what they say about it."""

import numpy as np
import pytest
from PIL import Image

from fplbench import stacks
from fplbench.errors import InputError
from fplbench.explaining import maps
from fplbench.lesions.stack import write_lesions
from fplbench.reporting import explainability, figures
from fplbench.reporting import noise_figure as noise_sheets
from fplbench.reporting.example import Example
from fplbench.reporting.labels import Labels
from fplbench.reporting.lettering import LEAST_PIXELS, PAGE_PIXELS
from fplbench.reporting.noise_figure import noise_figure
from fplbench.reporting.panels import save, scale, sentence_figure

SHAPE = (5, 16, 16)


def lesion(image, name, pixels):
    return {
        "image_id": f"image{image}", "lesion": 1, "lesion_id": name, "patient": "p", "kind": "nodule", "shape": "mask",
        "readers": 1, "size_mm": 7, "malignancy": "", "pixels": pixels, "inserted": 0,
    }  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    clean = rng.integers(0, 256, SHAPE, dtype=np.uint8)
    index = [{"image_id": f"image{i}", "patient": "p", "window_low": -160, "window_high": 240} for i in range(5)]
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


def words(picture):
    """The words of an svg, where every line stands in a comment."""
    return " ".join(part.split(" -->")[0] for part in picture.read_text().split("<!-- ")[1:])


def test_the_example_explains_the_clean_the_noisy_and_the_first_denoised_image_and_says_so(folder, explained):
    clean = stacks.open_stack(paths(folder)[0])
    figures.example_figure(folder / "f.svg", *paths(folder), methods(folder), "weights", {"beta": 5}, image=3)
    [(restoration, images, explanation)] = explained
    assert restoration == "weights"
    assert explanation == {"beta": 5}
    np.testing.assert_array_equal(images, [clean[3], clean[3] // 2, clean[3] // 3])
    text = words(folder / "f.svg")
    for title in ("Features F: Clean", "Features F: Noisy", "Features F: FPL", "F: FPL − clean", "image denoised by FPL"):
        assert title in text


def test_without_a_restoration_network_no_features_are_shown(folder, explained):
    figures.example_figure(folder / "f.svg", *paths(folder), methods(folder))
    assert explained == []
    assert "Features" not in words(folder / "f.svg")


def test_the_middle_image_is_shown_unless_another_is_asked_for_or_has_a_lesion(folder, explained):
    figures.example_figure(folder / "f.png", *paths(folder), methods(folder), "weights")
    np.testing.assert_array_equal(explained[0][1][0], stacks.open_stack(paths(folder)[0])[2])
    masks = np.zeros(SHAPE, np.uint8)
    masks[1, 2:4, 2:4] = masks[4, 2:6, 2:4] = 1
    write_lesions(paths(folder)[0], masks, [lesion(1, "a", 4), lesion(4, "a", 8)])
    figures.example_figure(folder / "f.svg", *paths(folder), methods(folder), "weights")
    np.testing.assert_array_equal(explained[1][1][0], stacks.open_stack(paths(folder)[0])[4])
    assert "lesion (nodule, 7\xa0mm), outlined" in words(folder / "f.svg")


def test_an_image_goes_by_its_id_or_by_its_position(folder):
    clean = paths(folder)[0]
    assert [Example(clean, image).position for image in ("image3", 3, "3")] == [3, 3, 3]
    index = [{"image_id": str(4 - i), "patient": "p"} for i in range(5)]
    stacks.write_stack(folder / "digits.npy", np.zeros(SHAPE, np.uint8), index)
    assert Example(folder / "digits.npy", "3").position == 1  # the image of that name comes first
    assert Example(folder / "digits.npy", 3).position == 3


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (5, "has no image 5: it holds 5"),
        (-1, "has no image -1"),
        ("9", "no image 9"),
        ("imag3", "no image 'imag3': did you mean 'image3'"),
    ],
)
def test_an_image_that_is_not_there_is_named(folder, image, message):
    with pytest.raises(InputError, match=message):
        figures.example_figure(folder / "f.png", *paths(folder), methods(folder), image=image)


def test_panels_are_those_of_the_paper_with_their_scores_and_differences(folder):
    example = Example(folder / "data" / "test.npy")
    example.clean = np.full((16, 16), 100, np.uint8)
    names = ("fpl", "dpir", "wavelet", "filter_combination")
    images = [("Noisy", example.clean + np.uint8(10)), *((Labels().method(name), example.clean - np.uint8(5)) for name in names)]
    columns, bars = figures.example_columns(example, images)
    above = [column[0] for column in columns]
    assert [panel.title.split("\n")[0] for panel in above] == ["Clean", "Noisy", "FPL", "DPIR", "Wave. Den.", "Filt. Comb."]
    assert above[1].title.split("\n")[1].startswith("28.13 dB / 0.99")  # 20 log10(255 / 10)
    assert above[2].title.split("\n")[1].startswith("34.15 dB")
    assert {(panel.black, panel.white) for panel in above} == {(0, 255)}
    below = [column[1] for column in columns[1:]]
    assert [float(panel.image.mean()) for panel in below] == [10, -5, -5, -5, -5]
    # 5 of 255 steps of 400 HU are 7.8 HU; 10 is the next round number, and 6.375 steps.
    assert {(panel.black, panel.white) for panel in below} == {(-6.375, 6.375)}
    assert [bar.ticks for bar in bars] == [("−160", "", "240"), ("−10", "0", "+10")]
    assert [bar.title for bar in bars] == ["Images, HU", "Differences, HU"]


def test_maps_share_one_scale_that_single_pixels_do_not_set():
    features = np.random.default_rng(0).uniform(-1, 1, (3, 64, 64))
    features[0, 0, 0] = 1e6
    black, white = scale(features)
    assert (black, white) == pytest.approx((-1, 1), abs=0.02)
    black, white = scale(np.zeros((2, 4, 4)))
    assert black < white


def test_every_noise_has_a_panel_in_the_order_of_the_tables(folder):
    noisy = [folder / "noisy" / noise / "test.npy" for noise in ("poisson", "gaussian")]
    noise_figure(folder / "n.svg", paths(folder)[0], noisy, note="A note", dataset="lidc")
    text = words(folder / "n.svg")
    assert text.index("Clean") < text.index("Gauss.") < text.index("Poisson")
    for part in ("LIDC: image image2", "−160", "240", "A note."):
        assert part in text


def test_a_stack_of_another_shape_is_named(folder, explained):
    stacks.write_stack(folder / "denoised" / "fpl.npy", np.zeros((4, 16, 16), np.uint8))
    with pytest.raises(InputError, match=r"fpl.npy holds 4 images of 16x16 pixels"):
        figures.example_figure(folder / "f.png", *paths(folder), methods(folder), "weights")
    assert not (folder / "f.png").exists()


def test_a_name_without_a_picture_format_is_refused_before_anything_is_drawn(folder, explained):
    with pytest.raises(InputError, match=r"figure.txt is not a picture"):
        save(sentence_figure("Nothing."), folder / "figure.txt")
    with pytest.raises(InputError, match=r"f.txt is not a picture"):
        figures.example_figure(folder / "f.png", *paths(folder), methods(folder), "weights", also=folder / "f.txt")
    assert explained == []


def test_explainability_rows_have_one_scale_each_and_state_it():
    features = np.stack([np.full((8, 8), 2.0), np.full((8, 8), 3.0)])
    first, columns, bars = explainability.explainability_columns(
        ["Clean", "Noisy"], np.zeros((2, 8, 8), np.uint8), {"": features}
    )
    assert [panel.title for panel in first] == ["Clean", "F: Clean"]
    [(image, own, difference)] = columns
    assert (image.black, image.white) == (0, 255)
    assert {(panel.black, panel.white) for panel in (first[1], own)} == {(2, 3)}
    assert (difference.black, difference.white) == pytest.approx((-1, 1))
    assert difference.title == "error 0.250"  # |3 - 2|^2 / |2|^2
    assert [bar.ticks for bar in bars] == [("2", "", "3"), ("−1", "0", "+1")]


def test_maps_of_two_networks_have_rows_and_scales_of_their_own():
    features = np.stack([np.full((8, 8), 2.0), np.full((8, 8), 3.0)])
    maps = {"": features, ", lesions": 10 * features}
    first, [column], bars = explainability.explainability_columns(["Clean", "Noisy"], np.zeros((2, 8, 8), np.uint8), maps)
    assert [panel.title for panel in first] == ["Clean", "F: Clean", "F, lesions: Clean"]
    assert [panel.title for panel in column] == ["Noisy", "F", "error 0.250", "F, lesions", "error 0.250"]
    assert [bar.ticks for bar in bars] == [("2", "", "3"), ("−1", "0", "+1"), ("20", "", "30"), ("−10", "0", "+10")]
    assert [bar.title for bar in bars[1:3]] == ["Differences of F", "Features F, lesions"]


def test_the_lesion_network_is_explained_beside_the_restoration_network(folder, explained):
    explainability.explainability_figure(folder / "e.svg", *paths(folder), methods(folder), "weights", lesion="lesion weights")
    assert [each[0] for each in explained] == ["weights", "lesion weights"]
    assert "F, lesions: Clean" in words(folder / "e.svg")


def test_explainability_draws_every_method(folder, explained):
    explainability.explainability_figure(folder / "e.svg", *paths(folder), methods(folder), "weights", note="A demo")
    assert explained[0][1].shape == (4, 16, 16)
    text = words(folder / "e.svg")
    for title in ("F: Clean", "Noisy", "FPL", "Wave. Den.", "A demo."):
        assert title in text


def test_headings_name_the_data_set_and_the_noise_in_full_and_the_image(folder):
    figures.example_figure(folder / "f.svg", *paths(folder), methods(folder), image=0, dataset="lits")
    assert "LiTS, Gaussian Noise: image image0" in words(folder / "f.svg")


def test_a_stack_with_other_images_is_refused(folder):
    rows = [{"image_id": f"other{i}", "patient": "p"} for i in range(5)]
    stacks.write_stack(folder / "denoised" / "fpl.npy", np.zeros(SHAPE, np.uint8), rows)
    with pytest.raises(InputError, match=r"fpl.csv does not list the same images"):
        figures.example_figure(folder / "f.png", *paths(folder), methods(folder))


def test_the_unprocessed_image_is_shown_once_and_a_method_is_needed(folder):
    noisy = folder / "denoised" / "noisy.npy"
    stacks.write_stack(noisy, np.load(paths(folder)[1]))
    figures.example_figure(folder / "f.svg", *paths(folder), [noisy, *methods(folder)])
    assert words(folder / "f.svg").count("Noisy − clean") == 1
    with pytest.raises(InputError, match="at least one method that denoises"):
        figures.example_figure(folder / "f.svg", *paths(folder), [noisy])


def test_labels_with_dollar_signs_are_not_mathematics(folder):
    labels = Labels({"fpl": "a $\\frac$ b"})
    figures.example_figure(folder / "f.svg", *paths(folder), methods(folder), labels=labels)
    assert "a $\\frac$ b − clean" in words(folder / "f.svg")


def test_a_picture_of_a_large_image_is_not_smaller_than_it(folder, tmp_path):
    rng = np.random.default_rng(0)
    rows = [{"image_id": "a", "patient": "p"}]
    stacks.write_stack(tmp_path / "large.npy", rng.integers(0, 256, (1, 700, 700), dtype=np.uint8), rows)
    noise_figure(tmp_path / "n.png", tmp_path / "large.npy", [])
    assert Image.open(tmp_path / "n.png").width > 700


@pytest.mark.parametrize("kind", ["example", "features", "noises"])
@pytest.mark.parametrize("count", [1, 4, 11])
def test_lettering_can_be_read_on_the_page_of_the_report_and_no_place_is_empty(folder, explained, monkeypatch, kind, count):
    drawn = []
    for module in (figures, explainability, noise_sheets):
        monkeypatch.setattr(module, "save", lambda figure, *_: drawn.append(figure))
    clean = stacks.open_stack(paths(folder)[0])
    several = [folder / "several" / f"method_{number}.npy" for number in range(count)]
    noises = [folder / f"noise_{number}" / "test.npy" for number in range(count)]
    for path in [*several, *noises]:
        stacks.write_stack(path, clean // 2)
    if kind == "example":
        figures.example_figure(folder / "f.png", *paths(folder), several, "weights")
    elif kind == "features":
        explainability.explainability_figure(folder / "f.png", *paths(folder), several, "weights")
    else:
        noise_sheets.noise_figure(folder / "f.png", paths(folder)[0], noises)
    [figure] = drawn
    smallest = min(text.get_fontsize() for text in figure.texts)
    assert smallest / 72 * PAGE_PIXELS / figure.get_figwidth() >= LEAST_PIXELS
    # Clean above F; each image above its difference; F of two above their differences; magnified parts; four scales.
    numbers = {"example": 2 * 2 * (count + 4) + 4, "features": 2 + 3 * (count + 1) + 3, "noises": count + 1 + 1}
    assert len(figure.axes[0].images) == numbers[kind]
    assert all(np.ptp(image.get_array()) > 0 for image in figure.axes[0].images)
