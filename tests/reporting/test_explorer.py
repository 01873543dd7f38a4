"""The texts, the choices and the file of the explorer pages."""

import json
import re
import time
import tracemalloc

import numpy as np
import pytest

from fplbench.config import load_config
from fplbench.errors import InputError
from fplbench.lesions.stack import write_lesions
from fplbench.reporting.explorer.page import explorer_data, write_explorer
from fplbench.stacks import creating_stack, open_stack, write_stack
from tests.helpers.explorer import (
    CONFIG,
    METHODS,
    TABLE,
    arguments,
    data_of,
    decoded,
    lesion,
    places,
    with_column,
    write_lesion_scores,
    write_maps,
    write_run,
)
from tests.helpers.scores import index_rows, run, write_config, write_long_table


@pytest.fixture
def folder(tmp_path):
    return write_run(tmp_path)


def test_noises_and_methods_are_in_the_order_of_the_tables_with_the_labels_of_the_config(folder):
    data = data_of(folder)
    assert [method["name"] for method in data["methods"]] == ["clean", "noisy", "fpl", "median_filter"]
    assert [method["label"] for method in data["methods"]][::3] == ["Clean", "Mine"]
    assert [(noise["name"], noise["title"]) for noise in data["noises"]] == [
        ("gaussian", "Gaussian Noise"), ("poisson", "Poisson Noise"),
    ]  # fmt: skip
    assert (data["dataset"], data["label"], data["reference"], data["note"]) == ("lidc", "LIDC", "fpl", "One note.")


def test_without_a_config_the_page_has_the_stacks_that_were_scored(folder):
    (folder / "denoised" / "lidc" / "gaussian" / "median_filter.npy").unlink()
    (folder / "denoised" / "lidc" / "poisson" / "median_filter.npy").unlink()
    data = explorer_data(*arguments(folder), **places(folder, config=False))
    assert [method["name"] for method in data["methods"]] == ["clean", "noisy", "fpl"]
    assert len(data["images"]) == 2
    with pytest.raises(InputError, match=r"nothing has no denoised stacks"):
        explorer_data(*arguments(folder), **places(folder, config=False) | {"denoised": folder / "nothing"})


@pytest.mark.parametrize(
    ("methods", "reference", "expected"),
    [
        (METHODS, "median_filter", "median_filter"),
        (METHODS, "fpl", "fpl"),
        (("noisy", "median_filter"), "fpl", "median_filter"),
        (("median_filter",), "fpl", "median_filter"),
        (("noisy",), "fpl", "noisy"),
    ],
)
def test_the_compared_method_is_that_of_the_config_or_one_of_the_page(folder, methods, reference, expected):
    own = {name: {} for name in methods}
    config = load_config(CONFIG | {"methods": own} | ({"reference": reference} if reference in own else {}))
    assert explorer_data(*arguments(folder), **places(folder, config=False), config=config)["reference"] == expected


def test_the_window_is_that_of_the_index(folder):
    assert data_of(folder)["window"] is None
    clean = np.array(open_stack(arguments(folder)[0]))
    rows = [{**row, "window_low": -160, "window_high": 240} for row in index_rows(4)]
    write_stack(arguments(folder)[0], clean, rows)
    assert data_of(folder)["window"] == [-160, 240]


def test_the_notes_say_what_labels_and_scores_mean(folder):
    write_config(folder / "config.json", **CONFIG, protocol="fair")
    with_column(folder, "body_psnr", lambda *cell: 20)
    notes = data_of(folder)["notes"]
    for words in ("Noisy: the unprocessed image.", "Fair protocol", "Each network was trained once", "Body PSNR: over"):
        assert sum(words in note for note in notes) == 1, words


@pytest.mark.parametrize(
    ("figures", "maps", "expected"),
    [({"noise": "poisson"}, True, "poisson"), (None, True, "poisson"), (None, False, "gaussian")],
)
def test_the_page_starts_with_the_noise_of_the_figures_or_one_with_maps(folder, figures, maps, expected):
    if maps:
        write_maps(folder)
        (folder / "maps" / "gaussian.npz").rename(folder / "maps" / "poisson.npz")
    config = load_config(CONFIG | {"figures": figures}) if figures else None
    data = explorer_data(
        *arguments(folder), **places(folder, config=False), config=config, features=folder / "maps" if maps else None
    )
    assert data["start"] == expected


def test_the_note_of_the_data_set_is_there_by_itself(folder):
    write_config(folder / "config.json", **CONFIG, notes={"lidc": "Made from one CT"})
    data = data_of(folder)
    assert (data["about"], data["note"]) == ("Made from one CT.", "One note. Made from one CT.")


def test_the_page_says_how_lesions_are_outlined_and_images_stored(folder):
    assert data_of(folder)["storage"] == "Images are stored without loss."
    masks = np.zeros((4, 16, 16), np.uint8)
    masks[2, 3:5, 6:10] = 1
    write_lesions(arguments(folder)[0], masks, [lesion(2, 1, 8) | {"shape": "box"}])
    write_maps(folder)
    assert data_of(folder, features=folder / "maps")["storage"] == (
        "Lesions are outlined by the boxes that annotate them. Images are stored without loss, feature maps in 86 grey levels."
    )


@pytest.mark.parametrize(("dataset", "words"), [("lidc", "Armato"), ("lits", "CC BY-NC-ND 4.0"), ("rsna", "Kaggle")])
def test_the_page_says_whether_its_images_may_be_redistributed(folder, dataset, words):
    scores = (folder / "scores.csv").read_text()
    (folder / "scores.csv").write_text(scores.replace("lidc,", f"{dataset},"))
    licence = explorer_data(*arguments(folder)[:2], dataset, **places(folder, config=False))["licence"]
    assert words in licence
    assert ("may not be redistributed" in licence) == (dataset != "lidc")


def test_a_licence_in_the_config_stands_in_for_that_of_the_data_set(folder):
    write_config(folder / "config.json", **CONFIG | {"datasets": {"lidc": {"licence": "All from one CT, CC BY 3.0"}}})
    assert data_of(folder)["licence"] == "All from one CT, CC BY 3.0."


EVIL = "</script><script>alert(1)</script><!--"


def test_names_and_labels_with_markup_are_data_in_the_page(folder):
    write_config(folder / "config.json", **CONFIG | {"methods": {"noisy": {}, "fpl": {"label": EVIL}}})
    rows = [{**row, "image_id": f"{EVIL}{i}", "patient": EVIL} for i, row in enumerate(index_rows(4))]
    write_stack(arguments(folder)[0], np.array(open_stack(arguments(folder)[0])), rows)
    text = (folder / "scores.csv").read_text()
    for i in range(4):
        text = text.replace(f",i{i},p{i // 2},", f",{EVIL}{i},{EVIL},")
    (folder / "scores.csv").write_text(text)
    output = folder / "explorer" / "lidc.html"
    write_explorer(output, explorer_data(*arguments(folder), **places(folder)))
    page = output.read_text()
    assert EVIL not in page and "<script>alert" not in page
    [block] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    data = json.loads(block)
    assert data["images"][0] == {"id": f"{EVIL}2", "patient": EVIL, "position": 2, "lesions": []}
    assert data["methods"][2]["label"] == EVIL


def test_the_command_writes_a_page_that_holds_the_data(folder):
    clean, scores, dataset = arguments(folder)
    write_maps(folder)
    (folder / "lidc.csv").write_text(TABLE)
    output = folder / "explorer" / "lidc.html"
    run(
        "explorer", output, clean, scores, "--dataset", dataset, "--noisy", folder / "noisy" / "lidc", "--denoised",
        folder / "denoised" / "lidc", "--features", folder / "maps", "--means", folder / "lidc.csv", "--lesion-scores",
        write_lesion_scores(folder), "--config", folder / "config.json",
    )  # fmt: skip
    [block] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', output.read_text(), re.DOTALL)
    expected = data_of(folder, features=folder / "maps", means=folder / "lidc.csv", lesion_scores=write_lesion_scores(folder))
    assert json.loads(block) == expected
    assert expected["scores"]["values"]["gaussian"]["fpl"]["lesion_psnr"] == [None, 23, 30, None]


@pytest.mark.slow
def test_ten_thousand_images_take_little_time_and_memory(tmp_path):
    number, size = 10_000, 256
    rows = index_rows(number)
    for path in (("data", "lidc", "test"), ("noisy", "lidc", "gaussian", "test"), ("denoised", "lidc", "gaussian", "fpl")):
        with creating_stack(tmp_path.joinpath(*path).with_suffix(".npy"), (number, size, size), rows) as stack:
            stack[number // 2] = 7  # the rest is a hole in the file
    write_long_table(tmp_path / "scores.csv", {("lidc", "gaussian", "fpl"): [30 + i / number for i in range(number)]},
                     [row["patient"] for row in rows])  # fmt: skip
    tracemalloc.start()
    started = time.process_time()
    data = explorer_data(*arguments(tmp_path), **places(tmp_path, config=False))
    seconds, memory = time.process_time() - started, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [image["position"] for image in data["images"]] == [5000, 2500]
    assert (decoded(data["pixels"]["gaussian"]["fpl"][0]) == 7).all()
    assert seconds < 3
    assert memory < 60e6  # one stack is 655 MB
