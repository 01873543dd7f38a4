"""Divider, zoom, keys, and the view in the address."""

from urllib.parse import parse_qs

import pytest

from tests.explorer.made_up import IDS, explorer_data

pytestmark = pytest.mark.slow
GLIDE = 0.2  # seconds; the divider takes 0.1 to its new place


def test_the_divider_moves_and_shows_more_of_the_other_image(open_page):
    page = open_page("lesions=0")
    left, top, width, height = page.stage()
    x, y = left + 0.4 * width, top + 0.3 * height
    assert set(page.screen()[round(y), round(x)]) == {120}  # left of the divider: noisy
    page.drag((left + 0.5 * width, y), (left + 0.25 * width, y))
    assert page.state["split"] == pytest.approx(25, abs=0.5)
    page.wait(GLIDE)
    assert set(page.screen()[round(y), round(x)]) == {96}  # right of it: FPL
    assert page.state["zoom"] == 1


def test_the_divider_follows_the_arrow_keys_only_while_it_has_the_focus(open_page):
    page = open_page()
    page.run("document.getElementById('slider').focus()")
    page.press("ARROW_LEFT", "ARROW_LEFT", "PAGE_UP")
    assert page.state["split"] == 50 - 2 - 2 + 10
    assert page.element("slider").get_attribute("aria-valuenow") == "56"
    assert page.state["image"] == 0
    page.press("HOME")
    assert page.state["split"] == 0
    page.wait(GLIDE)
    x, y, width, height = page.stage()
    page.drag((x + 1, y + height / 2), (x + width / 2, y + height / 2))
    page.press("ARROW_RIGHT")
    assert page.state["split"] == pytest.approx(50, abs=0.5)
    assert page.state["image"] == 1


def test_the_wheel_zooms_both_sides_about_the_pointer(open_page):
    page = open_page()
    before = page.place(12, 3)
    page.mouse("mouseMoved", *before)
    page.mouse("mouseWheel", *before, deltaX=0, deltaY=-600)
    page.settle()
    assert page.state["zoom"] == pytest.approx(2.46, abs=0.01)  # exp(600 * 0.0015)
    assert page.place(12, 3) == pytest.approx(before, abs=1.5)  # the pointer is on a whole CSS pixel, before is not
    assert page.grey("left", 12, 3) == 120
    assert page.grey("right", 12, 3) == 96


def test_dragging_moves_the_image_but_not_beyond_its_border(open_page):
    page = open_page("zoom=4&x=8&y=6")
    start = page.place(9, 6)
    page.drag(start, (start[0] + 50, start[1] - 30))
    assert page.place(9, 6) == pytest.approx((start[0] + 50, start[1] - 30), abs=0.5)
    for _ in range(8):
        page.drag(start, (start[0] + 300, start[1] + 300))
    left, top, _, _ = page.stage()
    x, y = page.run("const p = fplbench.place(-0.5, -0.5); return [p.x, p.y]")
    assert (x, y) == pytest.approx((left, top), abs=0.5)
    page.press("z")
    assert page.state["zoom"] == 1


def test_two_fingers_zoom_and_one_moves_the_divider(open_page):
    page = open_page()
    x, y = page.place(12, 3)
    page.touch(y, [x - 20, x + 20], [x - 30, x + 30], [x - 40, x + 40])
    assert page.state["zoom"] == pytest.approx(2, abs=0.1)
    assert page.state["split"] == 50
    left, _, width, _ = page.stage()
    page.touch(y, *[[left + share * width] for share in (0.5, 0.45, 0.35, 0.3)])
    assert page.state["split"] == pytest.approx(30, abs=0.5)
    assert page.state["zoom"] == pytest.approx(2, abs=0.1)


def test_keys(open_page):
    page = open_page()
    for keys, key, value in [
        ("ARROW_RIGHT", "image", 1),
        ("ARROW_RIGHT", "image", 0),
        ("ARROW_LEFT", "image", 1),
        ("1", "right", "clean"),
        ("Shift+3", "left", "fpl"),
        ("9", "right", "clean"),  # there is no ninth method
        ("0", "right", "clean"),
        ("]", "right", "noisy"),
        ("[", "right", "clean"),
        ("[", "right", "sharp"),  # before the first comes the last
        ("]", "right", "clean"),
        ("Shift+]", "left", "sharp"),
        ("Shift+[", "left", "fpl"),
        ("x", "left", "clean"),
        ("n", "noise", "poisson"),
        ("n", "noise", "gaussian"),
        ("Shift+n", "noise", "poisson"),
        ("l", "lesions", 0),
        ("d", "view", "difference"),
        ("f", "view", "features"),
        ("f", "view", "compare"),
        ("s", "smooth", 1),
        ("+", "zoom", 1.25),
        ("-", "zoom", 1),
        ("t", "theme", "light"),
    ]:
        page.press(keys)
        assert page.state[key] == value, keys


def test_the_tenth_method_has_the_key_0(open_page):
    data = explorer_data()
    data["methods"] += [{"name": f"method{number}", "label": f"Method {number}"} for number in range(5, 12)]
    page = open_page(data=data)
    page.press("0")
    assert page.state["right"] == "method10"
    options = page.run("return [...document.getElementById('right').options].map((option) => option.textContent)")
    assert options[-3:] == ["9  Method 9", "0  Method 10", "Method 11"]


def test_windows_belong_to_images(open_page):
    page = open_page("view=difference")
    before = page.state
    page.press("w")
    x, y = page.place(12, 3)
    page.drag((x, y), (x + 40, y + 20), "right")
    assert page.state == before
    disabled = "return [...document.querySelectorAll('#presets button, #level, #width')].map((control) => control.disabled)"
    assert set(page.run(disabled)) == {True}
    page.press("d")
    assert set(page.run(disabled)) == {False}


def test_w_goes_through_all_presets_and_starts_again(open_page):
    page = open_page()
    windows = []
    for _ in range(5):
        page.press("w")
        windows.append((page.state["low"], page.state["high"]))
    # The clean image has one grey level but for the spot, 100: that of the automatic window, which is a level wide.
    assert windows == [(0, 115), (84, 124), (50, 230), (95.5, 110.5), (100, 101)]
    page.press("w")
    assert (page.state["low"], page.state["high"]) == (0, 255)


def test_help_opens_and_closes_by_keys_and_lists_them(open_page):
    page = open_page()
    for key in ("h", "?"):
        page.press(key)
        assert page.run("return document.getElementById('help').open")
        page.press("n")  # belongs to the help now
        assert page.state["noise"] == "gaussian"
        page.press("ESCAPE")
        assert not page.run("return document.getElementById('help').open")
    assert "window" in page.text("keys")


def test_lists_keep_their_keys(open_page):
    page = open_page()
    page.run("document.getElementById('noise').focus()")
    page.press("l")
    assert page.state["lesions"] == 1


def test_all_controls_are_reached_by_tab_with_a_visible_focus(open_page):
    page = open_page()
    seen = []
    for _ in range(60):
        page.press("TAB")
        name, tag, outline = page.run("""const element = document.activeElement;
            return [element.id, element.tagName, getComputedStyle(element).outlineStyle]""")
        if tag == "BODY":
            break
        seen += [name] if name else []
        assert outline != "none", f"{tag} {name}"
    else:
        pytest.fail("The tab key does not come round.")
    controls = ["theme", "slider", "noise", "image", "next", "left", "right", "view-features", "zoom-in", "level", "width"]
    assert [name for name in seen if name in controls] == controls
    assert {"lesions", "smooth", "metric", "rows", "help-button"} <= set(seen)


def test_the_address_holds_the_view_and_gives_it_back(open_page):
    page = open_page()
    page.press("ARROW_RIGHT", "n", "1", "Shift+3", "d", "w", "+", "l")
    page.run("fplbench.link()")
    state = page.state
    fragment = page.run("return location.hash.slice(1)")
    assert {key: values[0] for key, values in parse_qs(fragment).items()} == {key: f"{value}" for key, value in state.items()}
    assert state["zoom"] == 1.25
    assert open_page(fragment).state == state


def test_a_changed_address_changes_the_view(open_page):
    page = open_page()
    page.run("location.hash = 'noise=poisson&image=1&right=clean'")
    page.wait(0.05)
    page.settle()
    assert (page.grey("left", 1, 1), page.grey("right", 1, 1)) == (90, 50)
    assert IDS[3] in page.text("image-label")


def test_wrong_addresses_give_the_first_view(open_page):
    page = open_page("noise=none&image=99&left=<script>&low=abc&high=NaN&zoom=-3&view=x&theme=pink&metric=")
    expected = open_page().state
    assert page.state == expected
