import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from fplbench.cli import app
from fplbench.errors import InputError
from fplbench.noise import NOISES
from fplbench.reporting.noise_sheet import Picture, _draw_noise, _magnify, contact_sheet
from fplbench.stacks import write_stack


@pytest.fixture
def stacks(tmp_path):
    paths = {}
    for dataset in ("lidc", "rsna"):
        rows = [{"image_id": f"{dataset}{k}", "patient": "p", "source": "s", "slice": k} for k in range(3)]
        write_stack(tmp_path / f"{dataset}.npy", np.full((3, 48, 48), 100, np.uint8), rows)
        paths[dataset] = tmp_path / f"{dataset}.npy"
    return paths


@pytest.fixture
def axes():
    from matplotlib.figure import Figure

    return Figure().subplots(1, 2)


def test_every_data_set_widens_the_sheet(stacks, tmp_path):
    contact_sheet(tmp_path / "one.png", {"lidc": stacks["lidc"]}, {}, seed=1)
    contact_sheet(tmp_path / "two.png", stacks, {"lidc": {"gaussian": {"sigma": 0.2}}}, seed=1, captions={"rsna": "radiograph"})
    one, two = (Image.open(tmp_path / name) for name in ("one.png", "two.png"))
    assert two.width - one.width == 540 and two.height == one.height
    assert np.ptp(np.asarray(two.convert("L"))) > 200


def test_the_sheet_says_what_it_shows(stacks, tmp_path):
    options = {"lidc": {"gaussian": {"sigma": 0.2}, "thermal": {"sigma": None, "temperature": 77}}}
    contact_sheet(tmp_path / "sheet.svg", {"lidc": stacks["lidc"]}, options, seed=1, captions={"lidc": "lung"})
    # In an svg, every line of text stands in a comment.
    text = (tmp_path / "sheet.svg").read_text()
    for words in ("Clean", "lung", "sigma 0.2 ", "temperature 77", "moves ", "± ", *NOISES["rician"].title.split()):
        assert words in text
    assert "temperature 310" not in text


def test_the_largest_difference_is_framed_and_magnified(axes):
    difference = np.zeros((70, 70), np.float32)
    difference[50:53, 60:63] = -0.4
    _magnify(axes[0], Picture(0.5 + difference, difference, ""))
    (frame,), (inset,) = axes[0].patches, axes[0].child_axes
    assert frame.get_x() < 60 and frame.get_x() + frame.get_width() > 62
    assert frame.get_y() < 50 and frame.get_y() + frame.get_height() > 52
    assert inset.get_images()[0].get_array().min() == pytest.approx(0.1)
    # The frame is at the lower right, so the magnified part is at the lower left.
    axes[0].figure.draw_without_rendering()
    assert inset.get_window_extent().x0 == pytest.approx(axes[0].get_window_extent().x0)


def test_the_scale_follows_the_differences(axes):
    weak, strong = (np.full((8, 8), value, np.float32) for value in (0.004, 0.12))
    for difference, scale in ((weak, 0.01), (strong, 0.15)):
        _draw_noise(axes, "Noise", [Picture(difference, difference, "level 1")])
        assert axes[1].get_images()[-1].get_clim() == (-scale, scale)
        assert axes[0].texts[-1].get_text() == f"Noise\n± {scale:g}"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lidc": {"gaussian": {"sgima": 1}}}, r"noises\.gaussian\.sgima"),
        ({"rsna": {"gausian": {}}}, "'gausian' is not a noise"),
        ({"lits": {}}, "options name 'lits', which is not on the sheet"),
        ({"lidc": 3}, "options of lidc are 3"),
        ({"lidc": {"gaussian": 3}}, "options of lidc, gaussian are 3"),
    ],
)
def test_wrong_options_are_named(options, words, stacks, tmp_path):
    with pytest.raises(InputError, match=words):
        contact_sheet(tmp_path / "sheet.png", stacks, options, seed=1)
    assert not (tmp_path / "sheet.png").exists()


def test_a_missing_image_caption_or_kind_of_picture_is_named(stacks, tmp_path):
    with pytest.raises(InputError, match="has 3 images; there is no image 3"):
        contact_sheet(tmp_path / "sheet.png", stacks, {}, seed=1, image=3)
    with pytest.raises(InputError, match="captions name 'lits', which is not on the sheet"):
        contact_sheet(tmp_path / "sheet.png", stacks, {}, seed=1, captions={"lits": "liver"})
    result = CliRunner().invoke(app, ["noise-sheet", str(tmp_path / "sheet.xyz"), f"lidc={stacks['lidc']}"])
    assert isinstance(result.exception, InputError)
    assert "does not end in .png, .pdf or .svg" in str(result.exception)
