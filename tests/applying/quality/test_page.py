"""The quality page as a file: complete, escaped, small, and without requests."""

import copy
import re

import numpy as np
import pytest

from fplbench.applying.quality import slice_statistics, write_quality_page
from fplbench.applying.quality.sentences import left_out
from fplbench.applying.quality.summary import TissueSummary
from fplbench.applying.quality.tissues import tissues_of
from fplbench.applying.quality.whole_slice import slice_pictures
from fplbench.applying.scan import Facts, Plane
from fplbench.networks.card import Card, NoiseLevel
from tests.explorer.conftest import driver  # noqa: F401
from tests.helpers.pages import HOSTILE
from tests.reporting.test_html_valid import check  # noqa: F401

CARD = Card(
    method="fpl", label="FPL", modalities=("CT",), hounsfield=True, size=96, images=80, patients=1, pixel_mm=(3.75, 3.75),
    noise_title="Gaussian", noise_level=NoiseLevel(minimum=9, median=11, maximum=14),
).model_copy(update={"label": f"FPL {HOSTILE}", "dataset_label": f"LIDC {HOSTILE}"})  # fmt: skip
"""A card whose labels have not been checked: the page escapes them all the same."""
ABOUT = {
    "model": f"FPL, Gaussian {HOSTILE}", "card": CARD, "window": (-160.0, 240.0), "digest": "ab" * 32, "version": "1",
    "warnings": [f"The pixels are small {HOSTILE}."],
}  # fmt: skip


def facts(**changes):
    values = {
        "name": "a",
        "label": f"a/b {HOSTILE}",
        "modality": "CT",
        "spacing": (0.7, 0.7),
        "slices": 3,
        "rows": 128,
        "columns": 128,
    }
    return Facts(**{**values, "hounsfield": True, "notes": (f"A slice is missing {HOSTILE}.",), **changes})


def some_slices(count=3, hounsfield=True):
    found = []
    for number in range(count):
        rng = np.random.default_rng(number)
        clean = np.full((128, 128), 40, np.float32)
        clean[:40] = -90
        before = clean + rng.normal(0, 12, clean.shape).astype(np.float32)
        found.append(slice_statistics(Plane(number, before), clean + 1, (-160, 240), hounsfield, (0.7, 0.7), count))
    return found


def write(folder, found, about=ABOUT, **changes):
    path = folder / "page.html"
    write_quality_page(path, facts(**changes), about, found)
    return path, path.read_text()


def test_the_page_says_how_many_slices_were_measured_if_not_all(tmp_path):
    found = some_slices()
    assert "evenly spread" not in write(tmp_path, found)[1]
    found[1] |= {"measured": False, "tissues": {}, "spectrum": None, "edges": None}
    assert "in 2 of the 3 slices, evenly spread" in write(tmp_path, found)[1]


def test_the_page_says_what_a_reader_must_know(tmp_path):
    _, page = write(tmp_path, some_slices())
    for words in (
        "Not for clinical use.", "CT, 3 slices of 128 × 128 pixels, pixels of 0.7 mm", "80 images of 1 patient from LIDC",
        "9 to 14 grey levels", "−160 to 240 HU", "The pixels are small", "A slice is missing", "Soft tissue and water", "HU² mm²",
        "AAPM TG-233", "No slice has 1,000 pixels of air, lung and bone.", "Slice 2, the middle one",
    ):  # fmt: skip
        assert words in page, words
    assert "<script" not in page and "<b " not in page


def test_the_table_of_tissues_names_the_slices_of_the_largest_shift_and_change(tmp_path):
    found = some_slices()
    found[1]["tissues"]["soft_tissue"] |= {"shift": -3.25, "percentile": 20.0}
    found[2]["tissues"]["soft_tissue"] |= {"largest": 75.5, "percentile": 30.0}
    found[0]["tissues"]["soft_tissue"] |= {"percentile": 25.0}
    _, page = write(tmp_path, found)
    row = page[page.index("<span>Soft tissue and water</span>") :].split("</tr>")[0]
    cells = re.findall("<td>(.*?)</td>", row)
    assert (cells[7], cells[9:]) == ("−3.2<small>slice 2</small>", ["25.0", "75.5<small>slice 3</small>"])


def test_the_page_begins_with_the_whole_middle_slice(tmp_path):
    _, page = write(tmp_path, some_slices())
    body = page[page.index("<h2") :]
    assert body.startswith('<h2 id="slice" class="first">One slice</h2>')
    alts = re.findall(r'alt="(Slice 2: [^"]*)"', body[: body.index('<h2 id="glance"')])
    assert alts == ["Slice 2: before.", "Slice 2: after.", "Slice 2: difference, after minus before."]
    assert "Not for clinical use." in page[: page.index("<h2")]


def test_without_pictures_the_page_begins_with_the_summary(tmp_path):
    _, page = write(tmp_path, [each | {"pictures": None} for each in some_slices()])
    assert page[page.index("<h2") :].startswith('<h2 id="glance" class="first">') and 'href="#slice"' not in page


def test_the_page_requests_nothing(tmp_path):
    _, page = write(tmp_path, some_slices())
    assert set(re.findall(r'(?:src|href|srcset)="(#|data:image/(?:png|svg\+xml);base64,|.*?")', page)) == {
        "#", "data:image/png;base64,", "data:image/svg+xml;base64,",
    }  # fmt: skip
    assert not re.search(r"url\(|@import|<link|<iframe", page)


def test_the_same_scan_gives_the_same_page(tmp_path):
    slices = some_slices()
    assert write(tmp_path, slices)[1] == write(tmp_path, slices[::-1])[1]


def test_a_thousand_slices_are_less_than_two_megabytes(tmp_path):
    slices = []
    noise = np.random.default_rng(0).uniform(-160, 240, (512, 512)).astype(np.float32)  # no PNG is larger
    pictures = slice_pictures(noise, np.roll(noise, 1, axis=0), (-160, 240), None)
    for number, one in enumerate(some_slices(8) * 125):
        slices.append(copy.deepcopy(one) | {"number": number, "pictures": pictures if number == 500 else None})
        slices[-1]["crop"]["row"], slices[-1]["soft_crop"]["row"] = number, 2000 + number  # each is of a place of its own
    path, page = write(tmp_path, slices, slices=1000)
    assert path.stat().st_size < 2_000_000
    assert page.count("image-rendering: pixelated") == 12 + 6


@pytest.mark.parametrize("slices", [[], "unchanged", "tiny"])
def test_a_scan_in_which_nothing_can_be_measured_has_a_page(tmp_path, slices):
    before = np.full((4, 4) if slices == "tiny" else (64, 64), 3000, np.float32)
    found = [slice_statistics(Plane(0, before), before, (-160, 240), True, None)] if slices else []
    _, page = write(tmp_path, found, {"model": "NLM", "window": (-160, 240)}, spacing=None, modality=None, slices=1, notes=())
    assert "The model has no card" in page and "Nothing was changed." in page
    assert "spacing of the pixels unknown" in page and "Warnings" not in page


@pytest.mark.parametrize(
    ("window", "shown", "repeated"), [((-1000, 400), "−160 to 240 HU", 1), ((-100, 200), "−100 to 200 HU", 0)]
)
def test_places_in_soft_tissue_are_shown_again_only_at_another_window(tmp_path, window, shown, repeated):
    before = np.full((128, 128), 40, np.float32)
    after = before.copy()
    after[40:56, 60:76] += 30
    found = [slice_statistics(Plane(0, before), after, window, True, None)]
    place = {"row": 100, "column": 20}
    for soft, count in ((found[0]["soft_crop"], 1 + repeated), (found[0]["soft_crop"] | place, 2)):
        _, page = write(tmp_path, [found[0] | {"soft_crop": soft}], ABOUT | {"window": window})
        assert page.count("image-rendering: pixelated") == count
        assert (f"They are shown at {shown}" in page) == (count == 2)


def test_a_scan_without_hounsfield_units_has_thirds(tmp_path):
    _, page = write(tmp_path, some_slices(hounsfield=False), hounsfield=False, modality="MR", spacing=None)
    assert "Middle third" in page and "Soft tissue" not in page and "units² pixel²" in page


def reach(window, hounsfield=True):
    """What the page says of the window, with all tissues in all slices."""
    tissues = tissues_of(window, hounsfield)
    rows = [TissueSummary(tissue, 5, (1, 1), 0, 0, (0, 0), 1, 3, (5, 0)) for tissue in tissues]
    return [words for words in left_out(rows, tissues, window, 5, hounsfield) if words]


def test_the_thirds_of_a_window_are_within_it():
    """All of a scan without HU are: that the change fades at both ends is said with the window."""
    assert reach((0, 100), hounsfield=False) == []


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ((-1600, 4000), ["Only part of the values of bone is within the window; the others are unchanged."]),
        ((-960, 400), [
            "Only part of the values of air and bone is within the window; the others are unchanged.",
            "The values of lung reach to where the change fades out, so part of them changes less.",
        ]),
        ((-160, 100), [
            "The values of air, lung and bone are outside the window, and unchanged.",
            "The values of fat and soft tissue and water reach to where the change fades out, so part of them changes less.",
        ]),
    ],
)  # fmt: skip
def test_tissues_outside_the_window_and_at_its_ends_are_named_apart(window, expected):
    """The change fades over the outermost 5 %: of -160 to 100 HU below -147 and above 87, of -960 to 400 HU below -892."""
    assert reach(window) == expected


def test_the_page_compares_with_no_limit_for_water(tmp_path):
    """That of a scanner's daily check is of the mean itself, not of a change."""
    assert "ACR" not in re.sub(r'"data:.*?"', "", write(tmp_path, some_slices())[1])


@pytest.mark.slow
def test_the_page_is_valid_html(check, tmp_path):  # noqa: F811
    path, _ = write(tmp_path, some_slices())
    assert check(path) == ""


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
def test_axe_finds_no_fault(driver, tmp_path, theme, width, height):  # noqa: F811
    axe = pytest.importorskip("axe_core_python.selenium", reason="needs the Python package axe-core-python")
    path, _ = write(tmp_path, some_slices(), label="a/b")
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    media = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    driver.get(path.as_uri())
    found = axe.Axe().run(driver)["violations"]
    assert [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in found] == []
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
