import numpy as np
import pytest

from fplbench.errors import InputError
from fplbench.files import write_csv
from fplbench.lesions.stack import write_lesions
from fplbench.reporting.labels import Labels
from fplbench.reporting.lesion_summary import WIDTH, write_lesion_summary
from fplbench.stacks import write_stack
from tests.helpers.scores import run, write_config

LEGEND = (
    "Contrast recovery: a lesion's contrast to the pixels around it, divided by that in the clean image; 1 is right, below 1 "
    "the lesion fades."
)


def write_data(folder, dataset, lesions, annotated=1, kind="nodule", shape="mask", images=4):
    """A data set with lesions given as (image, lesion_id, patient)."""
    path = folder / "data" / dataset / "test.npy"
    index = [{"image_id": f"i{i}", "patient": f"p{i}", "annotated": annotated} for i in range(images)]
    write_stack(path, np.zeros((images, 8, 8), np.uint8), index)
    numbers = np.zeros((images, 8, 8), np.uint8)
    rows = []
    for image, lesion_id, patient in lesions:
        number = int(numbers[image].max()) + 1
        numbers[image, number] = number
        rows.append(
            {"image_id": f"i{image}", "lesion": number, "lesion_id": lesion_id, "patient": patient, "kind": kind, "shape": shape,
             "readers": 1, "size_mm": "", "malignancy": "", "pixels": 8, "inserted": 0}
        )  # fmt: skip
    write_lesions(path, numbers, rows)


def write_scores(folder, dataset, noise, scores):
    """Scores given as (method, image, lesion_id, patient, recovery, psnr, inserted)."""
    rows = [
        {"method": method, "image_id": image, "lesion": 1, "lesion_id": lesion_id, "patient": patient, "kind": "nodule",
         "shape": "mask", "inserted": inserted, "pixels": 8, "rmse": 1, "psnr": psnr, "ssim": 1, "contrast_recovery": recovery,
         "recovery_error": recovery and abs(1 - recovery), "cnr": recovery, "bias": 0}
        for method, image, lesion_id, patient, recovery, psnr, inserted in scores
    ]  # fmt: skip
    path = folder / "scores" / dataset / f"{noise}.csv"
    write_csv(path, rows)


def summary(folder, datasets, noises=("gaussian",), labels=None):
    """The items of the summary, each in one line."""
    write_lesion_summary(folder / "lesions.md", folder / "scores", folder / "data", datasets, noises, labels)
    text = (folder / "lesions.md").read_text()
    assert max(map(len, text.splitlines())) <= WIDTH
    return " ".join(text.split()).replace(" - ", "\n- ").splitlines()


def test_annotated_and_inserted_lesions_with_their_means(tmp_path):
    write_data(tmp_path, "lidc", [(0, "a", "p"), (1, "a", "p"), (1, "b", "p")])
    scores = [
        (method, image, lesion, "p", kept * value, psnr, 0)
        for method, kept, psnr in (("fpl", 0.5, 30), ("noisy", 1.0, 20))
        for image, lesion, value in (("i0", "a", 1.0), ("i1", "a", 0.8), ("i1", "b", 0.5))
    ]
    scores += [(method, "x", lesion, "p", 0.25, 25.04, 1) for method in ("noisy", "fpl") for lesion in ("s", "t", "u")]
    scores += [(method, "y", "v", "p", "", 25.04, 1) for method in ("noisy", "fpl")]
    write_scores(tmp_path, "lidc", "gaussian", scores)
    assert summary(tmp_path, ["lidc"]) == [
        "- LIDC: 2 annotated nodules in 2 of 4 test images (1 patient).",
        "- Contrast recovery on Gaussian Noise: Noisy 0.70, FPL 0.35",  # (0.9 + 0.5) / 2 and half of it
        "- 4 inserted lesions: contrast recovery on Gaussian Noise (1 outline too small or too faint): Noisy 0.25, "
        f"FPL 0.25 {LEGEND}",
    ]


def test_data_sets_without_annotations_or_without_lesions_say_so(tmp_path):
    write_data(tmp_path, "lits", [], annotated=0)
    write_data(tmp_path, "rsna", [])
    assert summary(tmp_path, ["lits", "rsna"]) == [
        "- LiTS: no annotation.",
        "- RSNA: no annotated lesion in 4 test images, of which 4 have an annotation.",
    ]


def test_boxes_and_patients_that_are_not_known(tmp_path):
    write_data(tmp_path, "rsna", [(0, "a", "p0"), (2, "b", "p2")], kind="opacity", shape="box")
    assert summary(tmp_path, ["rsna"]) == ["- RSNA: 2 annotated opacities (boxes) in 2 of 4 test images (2 patients)."]
    (tmp_path / "data" / "rsna" / "sampling.json").write_text('{"persons_known": false}')
    assert summary(tmp_path, ["rsna"]) == ["- RSNA: 2 annotated opacities (boxes) in 2 of 4 test images."]


def test_lesions_whose_contrast_is_not_scored_keep_their_psnr(tmp_path):
    write_data(tmp_path, "lidc", [(0, "a", "p0")])
    write_scores(tmp_path, "lidc", "gaussian", [("noisy", "i0", "a", "p0", "", 20, 0)])
    assert summary(tmp_path, ["lidc"])[1:] == [
        "- No contrast recovery (1 outline too small or too faint); lesion PSNR (dB) on Gaussian Noise: Noisy 20.0",
    ]


def test_a_line_never_ends_between_a_method_and_its_number_and_labels_keep_their_hyphens(tmp_path):
    write_data(tmp_path, "lidc", [(0, "a", "p0")])
    names = [f"method{i}" for i in range(12)]
    write_scores(tmp_path, "lidc", "gaussian", [(name, "i0", "a", "p0", -0.5, 20, 0) for name in names])
    summary(tmp_path, ["lidc"], labels=Labels({name: f"My own CVF-SID {name}" for name in names}))
    text = (tmp_path / "lesions.md").read_text()
    for name in names:
        assert f"My own CVF-SID {name} −0.50" in text


def test_the_first_noise_with_scores_is_shown(tmp_path):
    write_data(tmp_path, "lidc", [(0, "a", "p0")])
    write_scores(tmp_path, "lidc", "speckle", [("noisy", "i0", "a", "p0", 0.5, 20, 0)])
    assert "Speckle Noise: Noisy 0.50" in summary(tmp_path, ["lidc"], ["gaussian", "speckle"])[1]


def test_the_command_takes_data_sets_and_the_noise_of_the_figures_from_the_config(tmp_path):
    write_data(tmp_path, "lidc", [(0, "a", "p0")])
    write_data(tmp_path, "lits", [], annotated=0)
    for noise, recovery in (("gaussian", 0.5), ("speckle", 0.75)):
        write_scores(tmp_path, "lidc", noise, [("noisy", "i0", "a", "p0", recovery, 20, 0)])
    arguments = (tmp_path / "l.md", tmp_path / "scores", "--data", tmp_path / "data")
    options = {"datasets": ["lidc"], "noises": ["gaussian", "speckle"], "figures": {"noise": "speckle"}}
    run("lesion-summary", *arguments, "--config", write_config(tmp_path / "config.json", **options))
    assert "Speckle Noise: Noisy 0.75" in (tmp_path / "l.md").read_text()
    assert "LiTS" not in (tmp_path / "l.md").read_text()
    run("lesion-summary", *arguments)
    assert "Gaussian Noise: Noisy 0.50" in (tmp_path / "l.md").read_text()
    assert "- LiTS: no annotation." in (tmp_path / "l.md").read_text()


def test_a_missing_table_of_lesions_is_named(tmp_path):
    write_data(tmp_path, "lidc", [])
    (tmp_path / "data" / "lidc" / "test_lesions.csv").unlink()
    with pytest.raises(InputError, match=r"test_lesions.csv does not exist"):
        write_lesion_summary(tmp_path / "l.md", tmp_path, tmp_path / "data", ["lidc"], ["gaussian"])
