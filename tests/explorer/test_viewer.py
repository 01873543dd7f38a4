"""What the viewer draws, with grey levels calculated by hand."""

import math

import pytest

from tests.explorer.made_up import BLACK, CLEAN, LEVELS, SPOT, SPOT_LEVEL, WHITE, explorer_data

pytestmark = pytest.mark.slow
FLAT = (1, 1)  # a pixel other than the spot, away from the lesion


def shown(low, high, level):
    """Grey on the screen of a grey level in a window; halves are rounded up."""
    return min(max(math.floor((level - low) / (high - low) * 255 + 0.5), 0), 255)


def test_the_page_starts_with_the_noisy_image_and_the_reference(open_page):
    page = open_page()
    assert (page.grey("left", *FLAT), page.grey("right", *FLAT)) == (120, 96)
    assert page.grey("left", *SPOT) == page.grey("right", *SPOT) == SPOT_LEVEL
    assert page.text("left-label") == "Noisy"
    assert page.text("right-label") == "FPL"


def test_the_page_starts_with_the_noise_that_the_data_name(open_page):
    page = open_page(data=explorer_data() | {"start": "poisson"})
    assert page.state["noise"] == "poisson"
    assert page.text("facts") == "2 of 4 test images shown"
    images = page.run("return [...document.getElementById('image').options].map((option) => option.textContent)")
    assert images == ["1 of 2 (test image 2): second", "2 of 2 (test image 4): fourth"]


@pytest.mark.parametrize(("noise", "method"), LEVELS)
def test_choosing_noise_method_and_image_changes_the_pixels(open_page, noise, method):
    from selenium.webdriver.support.ui import Select

    page = open_page()
    Select(page.element("noise")).select_by_value(noise)
    Select(page.element("right")).select_by_value(method)
    for image in (0, 1):
        Select(page.element("image")).select_by_value(str(image))
        page.settle()
        assert page.grey("right", *FLAT) == LEVELS[noise, method][image]
        assert page.grey("left", *FLAT) == LEVELS[noise, "noisy"][image]


def test_an_image_that_is_not_there_is_explained(open_page):
    data = explorer_data()
    data["methods"][3]["label"] = "Sharp"
    page = open_page("noise=poisson&right=sharp", data)
    assert page.text("right-sentence") == "There is no image of Sharp for Poisson noise."
    assert page.text("left-sentence") == ""
    assert page.canvas("right", *FLAT) == (0, 0, 0)
    assert "There are no scores of Sharp." in page.text("score-note")


@pytest.mark.parametrize(("low", "high"), [(0, 255), (84, 124), (95.5, 110.5), (-40, 80), (130, 383)])
def test_the_window_changes_grey_levels_as_computed(open_page, low, high):
    page = open_page(f"low={low}&high={high}")
    assert page.grey("left", *FLAT) == shown(low, high, 120)
    assert page.grey("right", *FLAT) == shown(low, high, 96)


def test_presets_are_in_hu_and_end_where_the_stored_window_ends(open_page):
    page = open_page()
    # A grey level spans 10 HU, from -1000: lung, -1350 to 150 HU, is cut to 0 to 115.
    expected = {"Full": (0, 255), "Lung": (0, 115), "Soft tissue": (84, 124), "Bone": (50, 230), "Liver": (95.5, 110.5)}
    buttons = page.element("presets").find_elements("tag name", "button")
    assert [button.text for button in buttons] == [*expected, "Auto"]
    for button, window in zip(buttons, expected.values(), strict=False):
        button.click()
        page.settle()
        assert (page.state["low"], page.state["high"]) == window
        assert page.grey("left", *FLAT) == shown(*window, 120)
    assert buttons[1].get_attribute("title") == "Lung: −1350 to 150 HU, of which −1000 to 150 HU are stored"
    assert page.text("stored").startswith("Stored: −1000 to 1550 HU in 256 grey levels of 10.0 HU.")


def test_presets_outside_the_stored_window_or_equal_to_it_are_left_out(open_page):
    for window, labels in (([-160, 240], ["Full", "Liver", "Auto"]), (None, ["Full", "Auto"])):
        page = open_page(data=explorer_data() | {"window": window})
        assert [button.text for button in page.element("presets").find_elements("tag name", "button")] == labels


def test_dragging_with_the_right_button_changes_level_and_width_only(open_page):
    page = open_page("low=60&high=160")  # level 110, width 100
    x, y = page.place(12, 3)
    page.drag((x, y), (x + 40, y + 20), "right")  # half a grey level for each pixel
    assert (page.state["low"], page.state["high"]) == (120 - 60, 120 + 60)
    assert page.grey("left", *FLAT) == shown(60, 180, 120)
    assert (page.state["split"], page.state["zoom"]) == (50, 1)


def test_difference_from_the_clean_image(open_page):
    page = open_page("view=difference&range=32&lesions=0")
    # Noisy is 20 above the clean image: 20/32 of orange. FPL is 4 below: 4/32 of sky blue.
    assert page.canvas("left", *FLAT) == (144, 99, 0)
    assert page.canvas("right", *FLAT) == (11, 23, 29)
    assert page.canvas("left", *SPOT) == (0, 0, 0)
    assert (page.text("scale-black"), page.text("scale-white")) == ("−320 HU", "+320 HU")
    assert page.text("scale-meaning") == "Each image minus the clean one"


def test_difference_of_the_two_sides_beyond_its_range(open_page):
    page = open_page("view=difference&of=sides&range=16")  # 96 - 120 = -24
    assert page.canvas("left", *FLAT) == page.canvas("right", *FLAT) == (86, 180, 233)
    assert page.text("right-label") == "FPL − Noisy"


def test_feature_maps_with_their_scale(open_page):
    page = open_page("view=features")
    assert (page.grey("left", *FLAT), page.grey("right", *FLAT)) == (255, 51)
    assert (page.text("scale-black"), page.text("scale-white")) == (str(BLACK).replace("-2.0", "−2"), f"{WHITE:.0f}")
    assert page.text("scale-meaning") == "Feature maps of the restoration network"
    assert (page.text("scale-middle"), page.run("return document.getElementById('scale-middle').style.left")) == ("0", "40%")
    page.mouse("mouseMoved", *page.place(*FLAT))
    assert page.text("read-right") == "FPL −1"


def test_noises_and_methods_without_feature_maps_say_so(open_page):
    page = open_page("view=features&noise=poisson")
    assert page.text("left-sentence") == page.text("right-sentence") == "There are no feature maps for Poisson noise."
    page = open_page("view=features&right=sharp")
    assert page.text("right-sentence").startswith("There is no feature map of <img")


def test_lesions_are_outlined_along_their_pixels(open_page):
    page = open_page("lesions=1")
    left, top, width, height = page.stage()
    scale = min(width / 16, height / 12)
    # By hand: the image is in the middle of the viewer, and the lesion is the pixel x = 8, y = 6.
    x, y = left + width / 2 + (8.5 - 8) * scale, top + height / 2 + (6 - 6) * scale
    column, row = round(x), round(y)
    edge = page.screen()[row - 2 : row + 3, column].astype(int)
    assert any(red - blue > 80 and green - blue > 80 for red, green, blue in edge)  # yellow
    page.press("l")
    assert page.state["lesions"] == 0
    edge = page.screen()[row - 2 : row + 3, column]
    assert set(edge.ravel().tolist()) == {96}
    assert page.text("lesion-list") == "Outlined: nodule-1 (nodule)"


def test_the_read_out_gives_grey_level_and_hu_of_both_methods(open_page):
    page = open_page()
    page.mouse("mouseMoved", *page.place(*FLAT))
    assert page.text("read-place") == "x 1  y 1"
    assert page.text("read-left") == "Noisy 120 (200 HU)"
    assert page.text("read-right") == "FPL 96 (−40 HU)"
    assert page.text("read-clean") == "Clean 100 (0 HU)"
    assert page.text("read-difference") == "right − left −24 (−240 HU)"
    page.press("Shift+1")
    assert (page.text("read-left"), page.text("read-clean")) == ("Clean 100 (0 HU)", "")  # once is enough
    page.press("Shift+2")
    page.press("ARROW_RIGHT")  # the pointer rests, the image changes
    assert page.text("read-clean") == f"Clean {CLEAN[1]} (−500 HU)"


def test_the_read_out_has_no_hu_without_a_window(open_page):
    page = open_page(data=explorer_data() | {"window": None})
    page.mouse("mouseMoved", *page.place(*FLAT))
    assert page.text("read-left") == "Noisy 120"
    assert page.text("scale-white") == "grey level 255"
