"""What the explorer pages show, compared with the files that it comes from."""

import base64
import json
import re
import time
import tracemalloc

import cv2
import numpy as np
import pytest

from fplbench.config import load_config, read_config
from fplbench.errors import InputError
from fplbench.lesions.stack import write_lesions
from fplbench.reporting.explorer.features import read_features
from fplbench.reporting.explorer.lesions import outline
from fplbench.reporting.explorer.page import explorer_data, write_explorer
from fplbench.reporting.explorer.pixels import PREFIX, png_uri
from fplbench.stacks import creating_stack, open_stack, write_stack
from tests.helpers.scores import index_rows, run, write_cells, write_config, write_long_table

NOISES = ["poisson", "gaussian"]
METHODS = ("noisy", "fpl", "median_filter")
CONFIG = {
    "datasets": ["lidc"],
    "noises": NOISES,
    "methods": {"noisy": {}, "median_filter": {"label": "Mine"}, "fpl": {}},
    "note": "One note",
    "explorer": {"images": 2},
}


@pytest.fixture
def folder(tmp_path):
    """Stacks of four images of two noises, with their scores and the config, laid out as the workflow does."""
    write_cells(tmp_path, NOISES, METHODS)
    write_config(tmp_path / "config.json", **CONFIG)
    write_scores(tmp_path)
    return tmp_path


def write_scores(folder, methods=METHODS, noises=NOISES, patients=("p0", "p0", "p1", "p1")):
    cells = {
        ("lidc", noise, method): [20.123456 + 3 * i + len(method) + len(noise) for i in range(len(patients))]
        for noise in noises
        for method in methods
    }
    write_long_table(folder / "scores.csv", cells, patients)


def arguments(folder):
    return folder / "data" / "lidc" / "test.npy", folder / "scores.csv", "lidc"


def places(folder, config=True, **more):
    found = {"noisy": folder / "noisy" / "lidc", "denoised": folder / "denoised" / "lidc", **more}
    return found | ({"config": read_config(folder / "config.json")} if config else {})


def data_of(folder, **more):
    data = explorer_data(*arguments(folder), **places(folder, **more))
    return json.loads(json.dumps(data, allow_nan=False))


def decoded(uri):
    """The grey levels of a data: URI, from its own bytes."""
    assert uri.startswith(PREFIX)
    image = cv2.imdecode(np.frombuffer(base64.b64decode(uri[len(PREFIX) :]), np.uint8), cv2.IMREAD_UNCHANGED)
    assert image.dtype == np.uint8 and image.ndim == 2
    return image


def lesion(image, number, pixels, inserted=0):
    return {
        "image_id": f"i{image}", "lesion": number, "lesion_id": f"lesion-{number}", "patient": "p", "kind": "nodule",
        "shape": "mask", "readers": 1, "size_mm": 3, "malignancy": "", "pixels": pixels, "inserted": inserted,
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["noise", "flat", "few levels", "ramp", "one pixel"])
def test_images_are_the_same_after_decoding(kind):
    rng = np.random.default_rng(0)
    image = {
        "noise": rng.integers(0, 256, (37, 61), dtype=np.uint8),
        "flat": np.full((16, 16), 255, np.uint8),
        "few levels": rng.choice(np.array([0, 9, 255], np.uint8), (40, 24)),
        "ramp": np.arange(256, dtype=np.uint8).reshape(16, 16),
        "one pixel": np.array([[7]], np.uint8),
    }[kind]
    np.testing.assert_array_equal(decoded(png_uri(image)), image)


def test_an_image_of_noise_is_hardly_larger_than_its_bytes_and_a_flat_one_is_tiny():
    noise = np.random.default_rng(0).integers(0, 256, (256, 256), dtype=np.uint8)
    assert len(png_uri(noise)) < 1.02 * noise.size * 4 / 3  # base64 writes three bytes as four
    assert len(png_uri(np.zeros((256, 256), np.uint8))) < 1500


def test_every_picture_of_the_page_is_that_of_the_stacks(folder):
    data = data_of(folder)
    positions = [image["position"] for image in data["images"]]
    assert positions == [2, 1]  # the middle one, then that of the images before it
    assert [image["id"] for image in data["images"]] == ["i2", "i1"]
    assert [image["patient"] for image in data["images"]] == ["p1", "p0"]
    assert (data["height"], data["width"]) == (16, 16)
    pixels = data["pixels"]
    assert pixels.keys() == {"clean", *NOISES}
    for place, position in enumerate(positions):
        np.testing.assert_array_equal(decoded(pixels["clean"][place]), open_stack(arguments(folder)[0])[position])
        for noise in NOISES:
            noisy = open_stack(folder / "noisy" / "lidc" / noise / "test.npy")
            np.testing.assert_array_equal(decoded(pixels[noise]["noisy"][place]), noisy[position])
            for method in ("fpl", "median_filter"):
                stack = open_stack(folder / "denoised" / "lidc" / noise / f"{method}.npy")
                np.testing.assert_array_equal(decoded(pixels[noise][method][place]), stack[position])


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


def test_means_and_values_are_those_of_the_scores(folder):
    scores = data_of(folder)["scores"]
    assert scores["ids"] == ["i0", "i1", "i2", "i3"]
    assert scores["metrics"][:2] == [
        {"name": "psnr", "label": "PSNR", "unit": "dB", "digits": 2, "direction": "higher"},
        {"name": "ssim", "label": "SSIM", "unit": "", "digits": 2, "direction": "higher"},
    ]
    assert len(scores["metrics"]) == 2  # nothing else was scored
    # 20.123456 + 3 (for fpl) + 8 (for gaussian) + 0, 3, 6 and 9.
    assert scores["values"]["gaussian"]["fpl"]["psnr"] == [31.1235, 34.1235, 37.1235, 40.1235]
    assert scores["means"]["gaussian"]["fpl"]["psnr"] == pytest.approx(35.623456, abs=1e-12)
    assert scores["means"]["poisson"]["median_filter"]["ssim"] == pytest.approx(0.44623456, abs=1e-12)


def with_column(folder, name, value):
    """Give the scores a further column: value(noise, method, image), "" where there is none."""
    lines = [line.split(",") for line in (folder / "scores.csv").read_text().splitlines()]
    rows = [[*line, str(value(line[1], line[2], line[3]))] for line in lines[1:]]
    (folder / "scores.csv").write_text("\n".join(",".join(row) for row in [[*lines[0], name], *rows]) + "\n")


def test_an_image_that_a_method_has_no_score_of_is_in_no_mean_and_null_in_the_values(folder):
    with_column(folder, "body_psnr", lambda noise, method, image: "" if (method, image) == ("fpl", "i0") else 20 + int(image[1]))
    scores = data_of(folder)["scores"]
    assert [metric["name"] for metric in scores["metrics"]] == ["psnr", "ssim", "body_psnr"]
    assert scores["values"]["gaussian"]["fpl"]["body_psnr"] == [None, 21, 22, 23]
    assert scores["means"]["gaussian"]["fpl"]["body_psnr"] == scores["means"]["gaussian"]["noisy"]["body_psnr"] == 22


def test_a_metric_of_one_noise_is_null_elsewhere(folder):
    with_column(folder, "feature_error", lambda noise, method, image: 0.25 if noise == "gaussian" else "")
    scores = data_of(folder)["scores"]
    assert scores["means"]["gaussian"]["fpl"]["feature_error"] == 0.25
    assert scores["means"]["poisson"]["fpl"]["feature_error"] is None
    assert "feature_error" not in scores["values"]["poisson"]["fpl"]


TABLE = """dataset,metric,noise,method,mean
lidc,lesion_psnr,gaussian,fpl,24.5
lidc,psnr,gaussian,fpl,99
lidc,inserted_lesion_psnr,gaussian,fpl,
lidc,lesion_ssim,gaussian,fpl,0.5
lits,lesion_psnr,gaussian,noisy,12
"""


def test_means_of_lesions_come_from_the_table_and_those_of_images_do_not(folder):
    (folder / "lidc.csv").write_text(TABLE)
    scores = data_of(folder, means=folder / "lidc.csv")["scores"]
    assert [metric["name"] for metric in scores["metrics"]] == ["psnr", "ssim", "lesion_psnr"]  # those of the config's tables
    means = scores["means"]
    assert (means["gaussian"]["fpl"]["lesion_psnr"], means["gaussian"]["fpl"]["psnr"]) == (24.5, pytest.approx(35.623456))
    assert means["gaussian"]["noisy"]["lesion_psnr"] is means["poisson"]["fpl"]["lesion_psnr"] is None
    assert scores["values"]["gaussian"]["fpl"].keys() == {"psnr", "ssim"}
    (folder / "lidc.csv").write_text(TABLE.replace("24.5", "good"))
    with pytest.raises(InputError, match=r"lidc.csv: the mean lesion_psnr of 'fpl' on 'gaussian' is 'good'"):
        data_of(folder, means=folder / "lidc.csv")


def write_lesion_scores(folder, methods=METHODS, image=1):
    """Scores on Gaussian noise: two lesions in an image and one in i2, without contrast recovery, and an inserted one."""
    lines = ["method,image_id,lesion,lesion_id,patient,kind,shape,inserted,pixels,rmse,psnr,ssim,contrast_recovery,"
             "recovery_error,cnr,bias"]  # fmt: skip
    for method in methods:
        lines += [
            f"{method},i{image},1,a,p0,nodule,mask,0,9,1,{20 + 2 * (method == 'fpl-2')},1,0.5,0.5,1,1",
            f"{method},i{image},2,b,p0,nodule,mask,0,9,1,26,1,1.25,0.25,1,1",
            f"{method},i2,1,c,p1,nodule,mask,0,2,1,30,1,,,,",
            f"{method},i2,2,d,p1,nodule,mask,1,9,1,99,1,0,1,1,1",
        ]
    (folder / "lesions").mkdir(exist_ok=True)
    (folder / "lesions" / "gaussian.csv").write_text("\n".join(lines) + "\n")
    return folder / "lesions"


def test_scores_of_lesions_are_the_means_over_the_annotated_ones_of_an_image(folder):
    (folder / "lidc.csv").write_text(
        "dataset,metric,noise,method,mean\n"
        + "".join(f"lidc,{metric},gaussian,fpl,1\n" for metric in ("lesion_psnr", "contrast_recovery", "recovery_error"))
        + "lidc,inserted_lesion_psnr,gaussian,fpl,7\n"
    )
    data = data_of(folder, means=folder / "lidc.csv", lesion_scores=write_lesion_scores(folder))
    own = data["scores"]["values"]["gaussian"]["fpl"]
    assert own["lesion_psnr"] == [None, 23, 30, None]  # of 20 and 26 dB, and one lesion alone
    assert own["contrast_recovery"] == [None, 0.875, None, None]
    assert own["recovery_error"] == [None, 0.375, None, None]
    assert "inserted_lesion_psnr" not in own
    assert data["scores"]["means"]["gaussian"]["fpl"]["inserted_lesion_psnr"] == 7
    assert data["scores"]["values"]["poisson"]["fpl"].keys() == {"psnr", "ssim"}
    assert any(note.startswith("Annotated: 3 lesions in 2 images of 2 patients.") for note in data["notes"])


def test_scores_of_lesions_are_means_over_the_trainings(folder):
    (folder / "lidc.csv").write_text(TABLE)
    write_scores(folder, (*METHODS, "fpl-2"))
    scores = write_lesion_scores(folder, (*METHODS, "fpl-2"))
    own = data_of(folder, means=folder / "lidc.csv", lesion_scores=scores)["scores"]["values"]["gaussian"]
    assert own["noisy"]["lesion_psnr"] == [None, 23, 30, None]
    assert own["fpl"]["lesion_psnr"] == [None, 23.5, 30, None]  # of 23 and 24 dB


def test_scores_of_lesions_in_other_images_are_refused(folder):
    with pytest.raises(InputError, match=r"gaussian.csv has lesions in 'i7', which is no test image"):
        data_of(folder, lesion_scores=write_lesion_scores(folder, image=7))


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


def test_of_several_trainings_the_first_is_shown_and_the_mean_is_scored(folder):
    for noise in NOISES:
        write_stack(folder / "denoised" / "lidc" / noise / "fpl-2.npy", np.zeros((4, 16, 16), np.uint8))
    write_scores(folder, (*METHODS, "fpl-2"))  # 2 dB more, as the name is longer
    write_config(folder / "config.json", **CONFIG, repeats=2)
    data = data_of(folder)
    assert [method["name"] for method in data["methods"]] == ["clean", "noisy", "fpl", "median_filter"]
    stack = open_stack(folder / "denoised" / "lidc" / "gaussian" / "fpl.npy")
    np.testing.assert_array_equal(decoded(data["pixels"]["gaussian"]["fpl"][0]), stack[2])
    assert data["scores"]["means"]["gaussian"]["fpl"]["psnr"] == pytest.approx(36.623456, abs=1e-12)
    assert "Each network was trained with 2 seeds; the means are over all of its trainings." in data["notes"][0]
    assert "images are those of the first training" in data["storage"]


def test_lesions_are_those_of_the_shown_image_but_not_inserted_ones(folder):
    masks = np.zeros((4, 16, 16), np.uint8)
    masks[2, 3:5, 6:10], masks[2, 12, 12], masks[0, 0, 0] = 1, 2, 1
    write_lesions(arguments(folder)[0], masks, [lesion(2, 1, 8), lesion(2, 2, 1, inserted=1), lesion(0, 1, 1)])
    images = data_of(folder)["images"]
    assert [image["id"] for image in images] == ["i2", "i1"]
    [found] = images[0]["lesions"]
    assert (found["name"], found["kind"], found["shape"]) == ("lesion-1", "nodule", "mask")
    # Rows 3 and 4 and columns 6 to 9 cover 6 to 10 across and 3 to 5 down.
    assert sorted(found["edges"]) == [[6, 3, 6, 5], [6, 3, 10, 3], [6, 5, 10, 5], [10, 3, 10, 5]]
    assert images[1]["lesions"] == []


def test_an_outline_covers_each_edge_of_the_lesion_once_with_as_few_lines_as_there_can_be():
    mask = np.random.default_rng(1).random((13, 17)) < 0.5
    padded = np.pad(mask, 1).astype(int)
    vertical, horizontal = np.abs(np.diff(padded, axis=1))[1:-1], np.abs(np.diff(padded, axis=0))[:, 1:-1]
    drawn = np.zeros_like(vertical), np.zeros_like(horizontal)
    lines = outline(mask)
    for x1, y1, x2, y2 in lines:
        assert (x1 == x2) != (y1 == y2)
        if x1 == x2:
            drawn[0][y1:y2, x1] += 1
        else:
            drawn[1][y1, x1:x2] += 1
    np.testing.assert_array_equal(drawn[0], vertical)
    np.testing.assert_array_equal(drawn[1], horizontal)
    runs = (np.diff(vertical, axis=0, prepend=0) == 1).sum() + (np.diff(horizontal, axis=1, prepend=0) == 1).sum()
    assert len(lines) == runs
    assert outline(np.zeros((3, 3), bool)) == []


def write_maps(folder, positions=(2, 1), **more):
    rng = np.random.default_rng(0)
    found = {name: rng.normal(0, 2, (len(positions), 16, 16)).astype(np.float16) for name in ("clean", "noisy", "fpl", "fpl-2")}
    (folder / "maps").mkdir(exist_ok=True)
    np.savez(folder / "maps" / "gaussian.npz", positions=np.array(positions), **found | more)
    return found


def test_maps_are_read_off_their_scale_to_within_half_a_step(folder):
    stored = write_maps(folder)
    features = data_of(folder, features=folder / "maps")["features"]
    assert features.keys() == {"gaussian"}
    assert features["gaussian"]["maps"].keys() == {"clean", "noisy", "fpl"}
    black, white = features["gaussian"]["scale"]
    shown = np.concatenate([stored[name].ravel() for name in ("clean", "noisy", "fpl")]).astype(float)
    assert (black, white) == pytest.approx(np.percentile(shown, [0.5, 99.5]), abs=1e-3)
    step = 3 / 255 * (white - black)
    for name, uris in features["gaussian"]["maps"].items():
        for place, uri in enumerate(uris):
            values = black + decoded(uri) / 255 * (white - black)
            expected = stored[name][place].astype(float).clip(black, white)
            assert np.abs(values - expected).max() <= step / 2 + 1e-6


def test_maps_of_the_shown_images_are_found_among_those_of_more(folder):
    stored = write_maps(folder, positions=(3, 0, 1))
    found = read_features(folder / "maps", ["gaussian"], ["clean"], [1, 3], (16, 16))["gaussian"]
    black, white = found["scale"]
    for uri, place in zip(found["maps"]["clean"], (2, 0), strict=True):
        values = black + decoded(uri) / 255 * (white - black)
        assert np.corrcoef(values.ravel(), stored["clean"][place].astype(float).ravel())[0, 1] > 0.99


def test_maps_of_other_images_or_sizes_and_other_files_are_refused(folder):
    write_maps(folder, positions=(0, 3))
    with pytest.raises(InputError, match=r"no feature maps of image 2 .* --map-images"):
        data_of(folder, features=folder / "maps")
    write_maps(folder, fpl=np.zeros((2, 8, 8), np.float16))
    with pytest.raises(InputError, match=r"gaussian.npz lacks .* maps of another size"):
        data_of(folder, features=folder / "maps")
    (folder / "maps" / "gaussian.npz").write_bytes(b"PK\x03\x04 and no archive")
    with pytest.raises(InputError, match=r"gaussian.npz is not a file with feature maps"):
        data_of(folder, features=folder / "maps")


def test_a_stack_that_was_deleted_names_the_key_that_keeps_it(folder):
    (folder / "denoised" / "lidc" / "gaussian" / "fpl.npy").unlink()
    with pytest.raises(InputError, match=r"fpl.npy does not exist: .*keep_denoised: true"):
        data_of(folder)
    write_config(folder / "config.json", **CONFIG, tables={"partial": True})
    data = data_of(folder)
    assert data["pixels"]["gaussian"].keys() == {"noisy", "median_filter"}
    assert data["pixels"]["poisson"].keys() == {"noisy", "fpl", "median_filter"}


def test_stacks_with_other_images_are_refused(folder):
    rows = [{"image_id": f"other{i}", "patient": "p"} for i in range(4)]
    write_stack(folder / "denoised" / "lidc" / "poisson" / "fpl.npy", np.zeros((4, 16, 16), np.uint8), rows)
    with pytest.raises(InputError, match=r"fpl.csv does not list the same images"):
        data_of(folder)


def test_scores_of_other_images_are_refused(folder):
    write_scores(folder, patients=("p0", "p0", "p1"))
    with pytest.raises(InputError, match=r"scores of other images than the test stack on 'gaussian'"):
        data_of(folder)


def test_missing_scores_are_refused_unless_the_tables_may_be_partial(folder):
    write_scores(folder, ("noisy", "fpl"))
    with pytest.raises(InputError, match=r"no scores of 'median_filter' on 'gaussian': .*tables.partial: true"):
        data_of(folder)
    write_scores(folder, noises=["poisson"])
    with pytest.raises(InputError, match=r"no scores of 'noisy' on 'gaussian'"):
        data_of(folder)
    write_config(folder / "config.json", **CONFIG, tables={"partial": True})
    scores = data_of(folder)["scores"]
    assert scores["means"]["gaussian"] == {name: {"psnr": None, "ssim": None} for name in METHODS}
    assert scores["values"]["gaussian"] == {name: {} for name in METHODS}


def test_a_truncated_table_and_an_unknown_data_set_are_refused(folder):
    config = read_config(folder / "config.json")
    with pytest.raises(InputError, match=r"no scores of the data set 'lits'"):
        explorer_data(*arguments(folder)[:2], "lits", **places(folder, config=False), config=config)
    text = (folder / "scores.csv").read_text()
    (folder / "scores.csv").write_text(text[: len(text) // 2])
    with pytest.raises(InputError, match=r"scores\.csv"):
        data_of(folder)


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
    write_explorer(output, *arguments(folder), **places(folder))
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
