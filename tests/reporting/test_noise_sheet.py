import numpy as np
import pytest
from PIL import Image

from fplbench import DEFAULT_SEED
from fplbench.errors import InputError
from fplbench.noise import NOISES
from fplbench.reporting import noise_sheet
from fplbench.reporting.noise_sheet import Picture, _draw_noise, _magnify, _sheet, contact_sheet
from fplbench.stacks import write_stack
from tests.helpers.scores import run, write_config


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


@pytest.mark.slow
def test_every_data_set_widens_the_sheet(stacks, tmp_path):
    contact_sheet(tmp_path / "one.png", {"lidc": stacks["lidc"]}, {}, seed=1)
    contact_sheet(tmp_path / "two.png", stacks, {"lidc": {"gaussian": {"sigma": 0.2}}}, seed=1, captions={"rsna": "radiograph"})
    one, two = (Image.open(tmp_path / name) for name in ("one.png", "two.png"))
    assert two.width - one.width == 540
    assert (one.height - two.height) % 26 == 0  # the text below takes fewer lines, of 26 dots
    assert np.ptp(np.asarray(two.convert("L"))) > 200


@pytest.mark.slow
def test_the_sheet_says_what_it_shows(stacks, tmp_path):
    options = {"lidc": {"gaussian": {"sigma": 0.2}, "thermal": {"sigma": None, "temperature": 77}}}
    contact_sheet(tmp_path / "sheet.svg", {"lidc": stacks["lidc"]}, options, seed=1, captions={"lidc": "lung"})
    # In an svg, every line of text stands in a comment.
    text = (tmp_path / "sheet.svg").read_text()
    for words in (
        "Clean",
        "lung",
        "Image lidc1, from 0",
        "levels (white)",
        "sigma 0.2 ",
        "temperature 77",
        "moves ",
        "± ",
        *NOISES["rician"].title.split(),
    ):
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


def test_long_captions_and_levels_are_wrapped_within_their_columns(stacks, tmp_path):
    note = "The images are abdominal slices of that CT, not LiTS images"
    images = [np.full((48, 48), 100, np.uint8)] * 2
    picture = Picture(np.zeros((48, 48), np.float32), np.zeros((48, 48), np.float32), "sources 3, " * 9)
    figure = _sheet(images, [note, note], {"gaussian": [picture, picture]}, note * 3)
    figure.draw_without_rendering()
    left, right = figure.axes[0], figure.axes[2]
    ends = [text.get_window_extent().x1 for text in (left._left_title, figure.axes[4]._left_title)]
    assert max(ends) < right.get_window_extent().x0
    assert all(text.get_window_extent().x1 <= figure.bbox.x1 for text in (right._left_title, figure._supxlabel))
    assert all(text.get_window_extent().x0 >= 0 for text in (left._left_title, figure._supxlabel))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lidc": {"gaussian": {"sgima": 1}}}, r"noises\.gaussian\.sgima"),
        ({"rsna": {"gausian": {}}}, "'gausian' is not a noise"),
        ({"lits": {}}, "options name 'lits', which is not on the sheet"),
    ],
)
def test_wrong_options_are_named(options, words, stacks, tmp_path):
    with pytest.raises(InputError, match=words):
        contact_sheet(tmp_path / "sheet.png", stacks, options, seed=1)
    assert not (tmp_path / "sheet.png").exists()


def test_a_missing_image_caption_or_kind_of_picture_is_named(stacks, tmp_path):
    with pytest.raises(InputError, match=r"lidc.npy has no image 3: it holds 3"):
        contact_sheet(tmp_path / "sheet.png", stacks, {}, seed=1, images={"lidc": 3})
    with pytest.raises(InputError, match="captions name 'lits', which is not on the sheet"):
        contact_sheet(tmp_path / "sheet.png", stacks, {}, seed=1, captions={"lits": "liver"})
    with pytest.raises(InputError, match=r"sheet.xyz is not a picture: the name must end in .png, .pdf or .svg"):
        contact_sheet(tmp_path / "sheet.xyz", stacks, {}, seed=1)


@pytest.fixture
def asked(monkeypatch):
    """What the command asked for, in place of a sheet."""
    calls = []
    monkeypatch.setattr(noise_sheet, "contact_sheet", lambda *arguments, **options: calls.append((arguments, options)))
    return calls


def test_the_command_takes_levels_notes_image_and_seed_from_the_config(stacks, tmp_path, asked):
    config = write_config(
        tmp_path / "config.json",
        datasets={"lidc": {}, "rsna": {"noises": {"gaussian": {"sigma": 0.31}}}},
        noises={"gaussian": {"sigma": 0.21}},
        note="A made-up run",
        notes={"rsna": "Radiographs"},
        seed=7,
        figures={"image": {"lidc": 0, "rsna": "rsna2"}},
    )
    command = ["noise-sheet", tmp_path / "sheet.png", *(f"{dataset}={path}" for dataset, path in stacks.items())]
    run(*command, "--config", config)
    (arguments, options), *_ = asked
    assert arguments[:2] == (tmp_path / "sheet.png", stacks)
    assert {dataset: noises["gaussian"]["sigma"] for dataset, noises in arguments[2].items()} == {"lidc": 0.21, "rsna": 0.31}
    captions = {"lidc": "LIDC", "rsna": "RSNA: Radiographs"}
    assert options == {"seed": 7, "images": {"lidc": 0, "rsna": "rsna2"}, "captions": captions, "note": "A made-up run."}
    run(*command, "--config", config, "--image", 2)
    assert asked[-1][1]["images"] == {"lidc": "2", "rsna": "2"}


def test_the_command_without_a_config_takes_the_defaults(stacks, tmp_path, asked):
    run("noise-sheet", tmp_path / "sheet.png", f"mine={stacks['lidc']}")
    [(arguments, options)] = asked
    assert arguments == (tmp_path / "sheet.png", {"mine": stacks["lidc"]}, {})
    assert options == {"seed": DEFAULT_SEED, "images": {"mine": None}, "captions": {"mine": "mine"}, "note": ""}


@pytest.mark.slow
def test_the_command_draws_a_sheet(stacks, tmp_path):
    run("noise-sheet", tmp_path / "sheet.png", f"lidc={stacks['lidc']}")
    assert np.ptp(np.asarray(Image.open(tmp_path / "sheet.png").convert("L"))) > 200
