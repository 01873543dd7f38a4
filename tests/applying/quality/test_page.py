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


def test_the_whole_middle_slice_follows_the_verdict(tmp_path):
    _, page = write(tmp_path, some_slices())
    assert re.findall('<h2 id="(.*?)"', page)[:3] == ["short", "slice", "glance"]
    body = page[page.index('<h2 id="slice"') :]
    assert body.startswith('<h2 id="slice">One slice</h2>')
    alts = re.findall(r'alt="(Slice 2: [^"]*)"', body[: body.index('<h2 id="glance"')])
    assert alts == ["Slice 2: before.", "Slice 2: after.", "Slice 2: difference, after minus before."]
    assert "Not for clinical use." in page[: page.index("<h2")]


def test_the_page_begins_with_the_verdict(tmp_path):
    _, page = write(tmp_path, [each | {"pictures": None} for each in some_slices()])
    assert page[page.index("<h2") :].startswith('<h2 id="short" class="first">In short</h2>') and 'href="#slice"' not in page
    assert page.index("<h3>Warnings</h3>") < page.index("<h3>Main results</h3>") < page.index('<h2 id="glance"')


@pytest.mark.parametrize(
    ("label", "model", "title"),
    [
        ("small", "NL Mean.", "What NL Mean changed in small"),
        ("in/1.3.6.1.4.1.14519.5.2.1.6279.6001.3000", "FPL, Gaussian", "What FPL, Gaussian changed in in/…5.2.1.6279.6001.3000"),
        ("a/scan-0001.nii.gz", "FPL", "What FPL changed in a/scan-0001.nii.gz"),
    ],
)
def test_the_title_has_the_end_of_a_uid_and_the_list_all_of_it(tmp_path, label, model, title):
    _, page = write(tmp_path, some_slices(), ABOUT | {"model": model, "options": "strength 20"}, label=label)
    assert f"<title>{title}</title>" in page and f"<h1>{title}</h1>" in page
    assert f"<dd>{label}: CT, 3 slices" in page
    assert f"<dt>Model</dt><dd>{model.rstrip('.')}, digest" in page and "<dt>Options</dt><dd>strength 20</dd>" in page


def test_crops_and_the_middle_slice_name_their_files(tmp_path):
    names = tuple(f"{10 * number} {HOSTILE}.dcm, InstanceNumber {number}" for number in range(3))
    _, page = write(tmp_path, some_slices(), names=names)
    assert "Slice 2, the middle one (10 " in page
    places = re.findall(r"<figcaption>Slice (\d), row [^<]*<br><small>(\d+) ", page)
    assert places and all(int(file) == 10 * (int(place) - 1) for place, file in places)
    assert len(places) == page.count("image-rendering: pixelated")
    assert "counted from 0, as in the file. Slices are counted from 1, towards the head" in page
    assert "<br><small>" not in write(tmp_path, some_slices())[1]


def test_the_page_says_where_spikes_of_the_histogram_come_from(tmp_path):
    """Changes in 8-bit steps of a window of 1400 HU, stored as whole HU, and changes without steps."""
    change = np.random.default_rng(0).normal(0, 20, (400, 400))
    step = 1400 / 255
    for changed, spikes in ((np.rint(np.rint(change / step) * step), True), (change, False)):
        before = np.full((400, 400), 40, np.float32)
        found = [slice_statistics(Plane(0, before), before + changed.astype(np.float32), (-1000, 400), True, None)]
        about = ABOUT | {"window": (-1000.0, 400.0)}
        assert ("Spikes and gaps come from steps" in write(tmp_path, found, about)[1]) == spikes
        words = "works on 8 bit, so values change in steps of 5.5 HU"
        assert (words in write(tmp_path, found, about | {"eight_bit": True})[1]) == spikes


@pytest.mark.parametrize(("patches", "words"), [(1, "is only 1 patch"), (9, "are only 9 patches"), (10, "")])
def test_a_spectrum_of_few_patches_is_uncertain(tmp_path, patches, words):
    found = some_slices()
    for each in found[1:]:
        each["spectrum"] = None
    found[0]["spectrum"]["patches"] = patches
    _, page = write(tmp_path, found)
    assert page.count(f"this is uncertain, as there {words}") == (2 if words else 0)


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
    assert ("None of the checks" in page) == (slices == "unchanged")
    assert ("Nothing could be checked" in page) == (slices != "unchanged")


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
    shares = {"air": 0, "lung": 0.0123, "bone": 0.85}
    rows = [TissueSummary(one, 5, (1, 1), 0, 0, (0, 0), 1, 3, (5, 0), shares.get(one.name, 1)) for one in tissues]
    return [words for words in left_out(rows, tissues, window, 5, hounsfield) if words]


def test_the_thirds_of_a_window_are_within_it():
    """All of a scan without HU are: that the change fades at both ends is said with the window."""
    assert reach((0, 100), hounsfield=False) == []


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ((-1600, 4000), ["Within the window are 85 % of the values of bone; the others are unchanged."]),
        ((-960, 400), [
            "Within the window are 0 % of the values of air and 85 % of those of bone; the others are unchanged.",
            "The values of lung reach to where the change fades out, so part of them changes less.",
        ]),
        ((-160, 100), [
            "Within the window are 0 % of the values of air, 1.2 % of those of lung and 85 % of those of bone; the others are "
            "unchanged.",
            "Tissues are ranges of the smoothed image, so a tissue that lies outside the window has single pixels within it, "
            "which are changed.",
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
