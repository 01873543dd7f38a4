"""Tables, plot, and the page as a whole."""

import pytest

from tests.explorer.made_up import MARKUP, explorer_data

pytestmark = pytest.mark.slow

TEXTS = ("title", "about", "note", "licence", "storage")
ROWS = """return [...document.querySelectorAll('#means tbody tr')].filter((row) => !row.hidden)
          .map((row) => [...row.cells].map((cell) => cell.textContent))"""


def cell(page, row, column):
    page.run("document.querySelector('#means tbody').rows[arguments[0]].cells[arguments[1]].click()", row, column)
    page.settle()


def sort(page, column):
    page.run("document.querySelectorAll('#means th button')[arguments[0]].click()", column)
    page.wait(0.03)  # the library sorts after a millisecond


def test_the_table_has_all_means_and_marks_the_best(open_page):
    page = open_page()
    assert page.run(ROWS) == [
        ["Gaussian noise", "Noisy", "21.50", "0.047", "–"],
        ["Gaussian noise", "FPL", "32.00", "0.031", "0.500"],
        ["Gaussian noise", MARKUP, "27.00", "0.037", "–"],
        ["Poisson noise", "Noisy", "24.00", "0.042", "–"],
        ["Poisson noise", "FPL", "28.00", "0.036", "0.500"],
    ]
    best = page.run("return [...document.querySelectorAll('#means td.best')].map((cell) => cell.textContent)")
    assert best == ["32.00", "0.031", "28.00", "0.036"]


def test_the_table_sorts_by_its_headings(open_page):
    page = open_page()

    def column(place):
        return [row[place] for row in page.run(ROWS)]

    sort(page, 2)
    assert column(2) == ["32.00", "28.00", "27.00", "24.00", "21.50"]
    sort(page, 2)
    assert column(2) == ["21.50", "24.00", "27.00", "28.00", "32.00"]
    sort(page, 3)  # lower is better, so the lowest come first
    assert column(3) == ["0.031", "0.036", "0.037", "0.042", "0.047"]
    sort(page, 0)
    assert column(0) == ["Gaussian noise"] * 3 + ["Poisson noise"] * 2
    sorted_by = page.run("return [...document.querySelectorAll('#means th')].map((th) => th.getAttribute('aria-sort'))")
    assert sorted_by == ["ascending", None, None, None, None]


def test_a_cell_of_the_sorted_table_selects_its_noise_method_and_metric(open_page):
    page = open_page()
    sort(page, 2)
    cell(page, 1, 3)  # FPL of Poisson noise is second; the error is the fourth column
    assert (page.state["noise"], page.state["right"], page.state["metric"]) == ("poisson", "fpl", "error")
    assert page.grey("right", 1, 1) == 108
    assert page.run("return scrollY + document.activeElement.tagName") == "40BODY"  # back at the image, below the header
    page.run("document.querySelector('#means td[tabindex=\"0\"]').focus()")
    page.press("ARROW_UP", "ENTER")  # from cell to cell: to FPL of Gaussian noise
    assert (page.state["noise"], page.state["image"]) == ("gaussian", 0)


def test_a_metric_without_scores_of_images_is_in_the_table_only(open_page):
    page = open_page("metric=vif")
    assert page.state["metric"] == "psnr"
    assert page.run("return [...document.getElementById('metric').options].map((option) => option.value)") == ["psnr", "error"]
    cell(page, 4, 4)  # the last column of FPL on Poisson noise
    assert (page.state["noise"], page.state["right"], page.state["metric"]) == ("poisson", "fpl", "psnr")
    assert page.text("plot-note") == ""


def test_the_notes_of_the_table_are_below_it(open_page):
    page = open_page()
    notes = page.run("return [...document.querySelectorAll('#means-note p')].map((note) => note.textContent)")
    assert notes == explorer_data()["notes"]


def test_a_metric_that_some_images_have_is_plotted_for_these(open_page):
    data = explorer_data()
    data["scores"]["values"]["gaussian"]["noisy"]["vif"] = [None, 0.5, None, None]
    page = open_page("metric=vif", data)
    assert page.text("legend") == "Noisy"
    page.press("ARROW_RIGHT", "n")
    assert page.text("plot-note") == "There are no scores of VIF for these methods on Poisson noise."


def test_the_table_can_be_limited_to_the_shown_noise(open_page):
    from selenium.webdriver.support.ui import Select

    page = open_page("noise=poisson")
    Select(page.element("rows")).select_by_value("shown")
    assert [row[1] for row in page.run(ROWS)] == ["Noisy", "FPL"]
    page.press("n")
    page.run("document.activeElement.blur()")
    page.press("n")
    assert len(page.run(ROWS)) == 3


def test_scores_of_the_shown_image(open_page):
    page = open_page()
    script = "return [...document.getElementById('score-rows').rows].map((row) => [...row.cells].map((cell) => cell.textContent))"
    assert page.run(script) == [["PSNR (dB)\xa0↑", "21.00", "31.00"], ["Error\xa0↓", "0.048", "0.032"]]
    page.press("ARROW_RIGHT", "4")  # the fourth test image, and the method without a score of the second one
    assert page.run(script)[0] == ["PSNR (dB)\xa0↑", "23.00", "29.00"]
    page.press("ARROW_LEFT")
    assert page.run(script)[0] == ["PSNR (dB)\xa0↑", "21.00", "–"]


def test_a_click_in_the_plot_selects_the_shown_image_near_it(open_page):
    page = open_page()
    script = """const over = document.querySelector('.u-over').getBoundingClientRect();
                return [over.left + over.width * (arguments[0] - 0.5) / 4, over.top + over.height / 2]"""
    for test_image, image in ((4, 1), (2, 0)):  # the page shows the second and fourth test image
        page.drag(*[page.run(script, test_image)] * 2)
        assert page.state["image"] == image
    page.drag(*[page.run(script, 3)] * 2)
    assert page.state["image"] == 0
    assert page.text("plot-note") == "The page has no picture of third; choose a marked image."
    assert page.text("legend") == "NoisyFPL"


def test_many_images_are_ranked_by_the_scores_of_the_first_method(open_page):
    data = explorer_data()
    ids = [f"image {number}" for number in range(250)]
    falling = [250.0 - number for number in range(250)]
    data["images"] = [data["images"][0] | {"id": ids[0]}, data["images"][1] | {"id": ids[249]}]
    data["scores"] |= {"ids": ids, "values": {"gaussian": {"noisy": {"psnr": falling}, "fpl": {"psnr": falling[::-1]}}}}
    page = open_page("image=1", data)
    over = "const over = document.querySelector('.u-over').getBoundingClientRect(); return [over.right - 3, over.bottom - 20]"
    page.drag(*[page.run(over)] * 2)
    assert page.state["image"] == 0  # the first image has the highest score, so it is the last one on the axis
    assert page.console() == []


def test_texts_are_shown_as_they_are(open_page):
    page = open_page("right=sharp&image=1", explorer_data() | {name: MARKUP for name in TEXTS} | {"notes": [MARKUP]})
    for name in (*TEXTS, "right-label", "means-note"):
        assert page.text(name) == MARKUP
    assert page.driver.title == MARKUP
    assert page.driver.find_elements("css selector", "img") == []


def test_nothing_is_requested_and_nothing_goes_wrong(open_page):
    page = open_page()
    page.press("ARROW_RIGHT", "n", "4", "Shift+1", "w", "w", "d", "f", "f", "l", "s", "+", "t", "h", "ESCAPE")
    assert page.console() == []
    assert {address.split(":")[0] for address in page.requests() if not address.startswith("data:image/png")} <= {"file", "data"}
    assert len([address for address in page.requests() if address.startswith("file")]) <= 1


def test_the_content_security_policy_stops_requests(open_page):
    page = open_page()
    blocked = page.driver.execute_async_script("""
        document.addEventListener("securitypolicyviolation", (event) => arguments[0](event.violatedDirective), { once: true });
        new Image().src = "http://127.0.0.1:9/picture.png";""")
    assert blocked == "img-src"


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("view", ["compare", "difference"])
def test_axe_finds_no_serious_fault(open_page, theme, view):
    axe = pytest.importorskip("axe_core_python.selenium", reason="needs the Python package axe-core-python")
    page = open_page(f"theme={theme}&view={view}")
    found = axe.Axe().run(page.driver)["violations"]
    serious = [fault for fault in found if fault["impact"] in ("serious", "critical")]
    assert [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in serious] == []


@pytest.mark.parametrize("size", [(1280, 720), (1600, 1000), (820, 1180)])
def test_image_and_controls_are_on_one_screen(open_page, size):
    page = open_page(size=size)
    box = "const b = document.getElementById(arguments[0]).getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]"
    for name in ("stage", "scale", "readout", "choices", "lesions", "smooth"):
        left, top, right, bottom = page.run(box, name)
        assert 0 <= left < right <= size[0], name
        assert 0 <= top < bottom <= size[1], name
    assert page.run("return document.documentElement.scrollWidth") <= size[0]


@pytest.mark.parametrize("missing", ["images", "scores", "features", "lesions", "methods", "noises"])
def test_a_page_without_one_kind_of_data_works(open_page, missing):
    data = explorer_data()
    if missing == "scores":
        data["scores"] = {"metrics": [], "means": {}, "ids": [], "values": {}}
    elif missing == "features":
        data["features"] = {}
    elif missing == "lesions":
        data["images"][0]["lesions"] = []
    elif missing == "methods":
        data["methods"] = data["methods"][:1]
    elif missing == "images":
        data |= {"images": [], "pixels": {"clean": []}}
    else:
        data["noises"] = []
    page = open_page(data=data)
    page.press("ARROW_RIGHT", "n", "w", "d", "f", "2", "l")
    assert page.console() == []
    if missing == "scores":
        assert page.text("means-note") == "There are no means."
        assert "There are no scores" in page.text("score-note")
