"""Whole runs of `fplbench apply`: files, series and trees, and what is refused."""

import json
import math
import os
import re
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
import torch
from typer.testing import CliRunner

from fplbench.applying.models.denoisers import Denoiser
from fplbench.applying.options import ApplyOptions
from fplbench.applying.running.run import apply_model
from fplbench.applying.running.scan_run import options_text
from fplbench.cli import app
from fplbench.errors import InputError
from fplbench.methods import denoise
from fplbench.networks import UNet, weights
from fplbench.networks.card import CARD_KEY
from tests.applying.scans import contents, head, write_nifti, write_series
from tests.helpers.dicom_files import write_ct

LUNG = (-1000.0, 400.0)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A U-Net that changes values a little, for CT in a lung window."""
    torch.manual_seed(1)
    network = UNet(width=2)
    with torch.no_grad():
        for tensor in network.last.parameters():
            tensor /= 20
    card = {"method": "fpl", "label": "FPL", "noise_title": "Gaussian", "modalities": ["CT"], "hounsfield": True, "window": LUNG}
    weights.save(network, path := tmp_path_factory.mktemp("model") / "a.safetensors", {"output": "noise", CARD_KEY: card})
    return str(path)


def upright(path):
    image = nibabel.as_closest_canonical(nibabel.load(path))
    return image.get_fdata()[::-1, ::-1].transpose(2, 1, 0)


def hounsfield(path):
    file = pydicom.dcmread(path)
    return file.pixel_array * float(file.RescaleSlope) + float(file.RescaleIntercept)


def test_a_method_changes_hu_by_what_it_changes_of_the_8_bit_image(tmp_path):
    volume = head()
    source = write_nifti(tmp_path / "in.nii.gz", volume)
    summary = apply_model("median_filter", source, tmp_path / "out.nii.gz", ApplyOptions(window=LUNG, modality="CT"))
    grey = np.rint(np.clip((volume - LUNG[0]) / 1400, 0, 1) * 255).astype(np.uint8)
    change = (denoise("median_filter", grey).astype(float) - grey) / 255 * 1400
    denoised = (grey + change / 1400 * 255) / 255
    depth = np.clip((np.minimum(denoised, 1 - denoised) - np.abs(change) / 1400) / 0.05, 0, 1)
    expected = np.rint(volume + change * depth**2 * (3 - 2 * depth))
    found = upright(tmp_path / "out.nii.gz")
    assert np.abs(found - expected).max() <= 1 and np.mean(found != expected) < 0.001  # halves, in other precisions
    assert summary.slices == 6 and np.abs(change).max() > 20
    names = ["out.nii.gz", "out_quality.html", "out_apply.json"]
    assert [path.name for path in summary.made] == names
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*names, "in.nii.gz"])


def test_dicom_and_nifti_of_the_same_scan_give_the_same_values(tmp_path, model):
    volume = head()
    write_series(tmp_path / "series", volume)
    write_nifti(tmp_path / "scan.nii", volume, spacing=(0.7, 0.7, 2.5))
    apply_model(model, tmp_path / "series", tmp_path / "denoised")
    apply_model(model, tmp_path / "scan.nii", tmp_path / "denoised.nii")
    files = sorted((tmp_path / "denoised/denoised").rglob("*.dcm"))
    assert [path.name for path in files] == [f"{number:03d}.dcm" for number in range(6)]
    series = np.stack([hounsfield(path) for path in files])
    np.testing.assert_array_equal(series, upright(tmp_path / "denoised.nii"))
    assert (series != volume).mean() > 0.1
    outside = (volume < LUNG[0]) | (volume > LUNG[1])
    np.testing.assert_array_equal(series[outside], volume[outside])


def test_the_residual_is_what_was_changed_in_the_values_as_written(tmp_path, model):
    volume = head()
    source = write_nifti(tmp_path / "in.nii", volume, dtype=np.int16)
    apply_model(model, source, tmp_path / "out.nii", ApplyOptions(residual=True))
    np.testing.assert_array_equal(upright(tmp_path / "out_residual.nii"), upright(tmp_path / "out.nii") - volume)


def test_a_tree_keeps_its_shape_and_leaves_out_what_is_no_scan_with_reasons(tmp_path, model):
    root = tmp_path / "tree"
    write_series(root / "a/ct", head(), series="1.1")
    write_series(root / "a/mr", head(), series="1.2", modality="MR")
    write_nifti(root / "b/volume.nii.gz", head())
    write_nifti(root / "b/segmentation.nii.gz", (head() > 0).astype(np.int16))
    (root / "b/notes.txt").write_text("notes")
    (tmp_path / "elsewhere.nii").write_bytes((root / "b/volume.nii.gz").read_bytes())
    (root / "b/link.nii").symlink_to(tmp_path / "elsewhere.nii")
    before = contents(root)
    summary = apply_model(model, root, tmp_path / "out", ApplyOptions(residual=True))
    assert contents(root) == before
    files = contents(tmp_path / "out")
    kinds = {kind: sorted(path for path in files if path.startswith(kind)) for kind in ("denoised", "residual", "quality")}
    assert kinds["denoised"] == [*(f"denoised/a/ct/{n:03d}.dcm" for n in range(6)), "denoised/b/volume.nii.gz"]
    assert kinds["residual"] == [path.replace("denoised", "residual") for path in kinds["denoised"]]
    assert kinds["quality"] == ["quality/a/ct.html", "quality/b/volume.html"]
    assert len(files) == 7 + 7 + 2 + 1
    assert summary.skipped["a/mr"] == "modality MR, but the model is for CT"
    assert summary.skipped["b/link.nii"] == "a link that leads out of the folder"
    assert "a mask" in summary.skipped["b/segmentation.nii.gz"] and "b/notes.txt" in summary.skipped
    record = json.loads((tmp_path / "out/apply.json").read_text())
    assert record["use"] == "Not for clinical use." and record["model"]["label"] == "FPL, Gaussian"
    ct, nifti = record["scans"]
    assert ct["inputs"] == {path: digest for path, digest in before.items() if path.startswith("a/ct/")}
    assert ct["window"] == list(LUNG) and ct["outputs"]["denoised"] == kinds["denoised"][:6]
    assert any("does not say its modality: it is taken for CT" in warning for warning in nifti["warnings"])
    assert str(tmp_path) not in (tmp_path / "out/apply.json").read_text()


def test_the_files_of_a_single_series_lie_directly_in_the_folders_of_their_kinds(tmp_path, model):
    """However deep the series lies in the tree, as in downloads, whose folders are named by UIDs."""
    deep = "patient/1.3.6.1.4.1.14519.5.2.1.6279.6001.298806137288633453246975630178/1.3.6.1.4.1.14519"
    write_series(tmp_path / "in" / deep, head(slices=2))
    (tmp_path / "in" / deep / "notes.xml").write_text("<notes/>")
    result = CliRunner().invoke(app, ["apply", model, str(tmp_path / "in"), str(tmp_path / "out"), "--residual"])
    assert result.exit_code == 0, result.exception
    kinds = [f"{kind}/00{number}.dcm" for kind in ("denoised", "residual") for number in (0, 1)]
    assert sorted(contents(tmp_path / "out")) == sorted(["apply.json", "quality.html", *kinds])
    lines = result.output.splitlines()
    assert lines[0].startswith("in: 2 slices. Its noise")
    assert "Left out, 1: not a DICOM file: .../1.3.6.1.4.1.14519/notes.xml" in lines
    assert " changed in in</title>" in (tmp_path / "out/quality.html").read_text()
    record = json.loads((tmp_path / "out/apply.json").read_text())
    assert list(record["scans"][0]["inputs"]) == [f"{deep}/000.dcm", f"{deep}/001.dcm"]


def test_several_scans_are_named_from_the_deepest_folder_that_holds_them(tmp_path, model):
    write_series(tmp_path / "in/one/two/ct", head(slices=2))
    write_nifti(tmp_path / "in/one/two/other/volume.nii", head(slices=2))
    summary = apply_model(model, tmp_path / "in", tmp_path / "out")
    assert [scan["label"] for scan in summary.scans] == ["ct", "other/volume.nii"]
    made = [
        "denoised/ct/000.dcm",
        "denoised/ct/001.dcm",
        "denoised/other/volume.nii.gz",
        "quality/ct.html",
        "quality/other/volume.html",
    ]
    assert sorted(contents(tmp_path / "out")) == ["apply.json", *made]


def test_the_same_twice_is_the_same_byte_for_byte_with_any_number_of_threads(tmp_path, model):
    write_series(tmp_path / "in/series", head())
    write_nifti(tmp_path / "in/volume.nii.gz", head(seed=1))
    for name, threads in [("one", 1), ("two", 2)]:
        apply_model(model, tmp_path / "in", tmp_path / name, ApplyOptions(threads=threads, residual=True))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    for name, threads in [("three", 1), ("four", 2)]:
        apply_model("nlm", tmp_path / "in", tmp_path / name, ApplyOptions(threads=threads, window=LUNG))
    assert contents(tmp_path / "three") == contents(tmp_path / "four")


def test_unreadable_files_are_listed_together_or_left_out(tmp_path, model):
    write_series(tmp_path / "in/good", head())
    content = write_ct(tmp_path / "in/bad/a.dcm", hounsfield=head()[0], series="1.9").read_bytes()
    (tmp_path / "in/bad/a.dcm").write_bytes(content[:-2000])
    write_nifti(tmp_path / "in/bad.nii", head())
    (tmp_path / "in/bad.nii").write_bytes((tmp_path / "in/bad.nii").read_bytes()[:-2000])
    with pytest.raises(InputError, match=r"^2 files cannot be read: .*--skip-unreadable leaves them out.$") as raised:
        apply_model(model, tmp_path / "in", tmp_path / "out")
    assert "bad.nii (it is truncated" in str(raised.value) and "bad/a.dcm (" in str(raised.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]
    summary = apply_model(model, tmp_path / "in", tmp_path / "out", ApplyOptions(skip_unreadable=True))
    assert sorted(summary.unreadable) == ["bad.nii", "bad/a.dcm"]
    assert [scan["label"] for scan in summary.scans] == ["in"]


def test_a_volume_that_turns_out_to_be_damaged_is_left_out_whole(tmp_path, model):
    random = np.random.default_rng(0)
    for name in ("bad", "good"):
        write_nifti(tmp_path / f"in/{name}.nii.gz", random.integers(-1000, 400, (30, 64, 64)).astype(np.int16))
    content = (tmp_path / "in/bad.nii.gz").read_bytes()
    (tmp_path / "in/bad.nii.gz").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"^bad.nii.gz cannot be read: it is truncated: it ends within its voxels\.$"):
        apply_model(model, tmp_path / "in", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    apply_model(model, tmp_path / "in", tmp_path / "out", ApplyOptions(skip_unreadable=True))
    assert sorted(contents(tmp_path / "out")) == ["apply.json", "denoised/good.nii.gz", "quality/good.html"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["{model}", "{root}/missing", "{root}/out"], "missing does not exist"),
        (["{model}", "{root}/empty", "{root}/out"], "empty holds no scan that can be denoised, as the folder has no file"),
        (["{model}", "{root}/text", "{root}/out"], r"text holds no scan that can be denoised: a.txt \(not a DICOM file\)"),
        (["{model}", "{root}/text/a.txt", "{root}/out.txt"], r"a.txt cannot be denoised: not a DICOM file"),
        (["{model}", "{root}/mr", "{root}/out"], "mr has the modality MR, but the model is for CT: use another model, or"),
        (["{model}", "{root}/ct", "{root}/ct"], "ct is the input, which is never changed"),
        (["{model}", "{root}/ct", "{root}/ct/out"], "is inside the input"),
        (["{model}", "{root}/ct", "{root}/empty"], "empty exists: name another output, or add --overwrite"),
        (["{model}", "{root}/ct", "{root}/out", "--window", "-160", "240"], "but the model was trained with -1000 to 400"),
        (["{model}", "{root}/ct", "{root}/out", "--window", "5", "5"], "the window .* is empty"),
        (["{model}", "{root}/ct", "{root}/out", "--features"], "--features needs the restoration network of the model"),
        (["nlm", "{root}/ct", "{root}/out"], "is a CT, and the model has no window of its own: say with --window LOW HIGH"),
        (["{root}/ct", "nlm", "{root}/out"], "^nlm is a model, and the model comes first: fplbench apply nlm .*ct OUTPUT.$"),
        (["{root}/ct", "{model}", "{root}/out"], "a.safetensors is a model, and the model comes first"),
        (["nlm", "{root}/a.hdr", "{root}/out.nii"], "a.hdr cannot be denoised: one of the two files .*; convert it to .nii.$"),
        (["nlm", "{root}/a.hdr", "{root}/out"], "a.hdr cannot be denoised: one of the two files .*; convert it to .nii.$"),
        (["nlm", "{root}/b.nii", "{root}/out.nii"], r"b.nii cannot be read: it is truncated: [^;]*\.$"),
        (["nlm", "{root}/4d.nii", "{root}/out.nii"], "4d.nii cannot be denoised: 2 volumes in one file; split it into files"),
        (["nlm", "{root}/ct", "{root}/out", "--modality", "ct"], "--modality is 'ct', but takes an upper-case code such as CT"),
        (["nlm", "{root}/ct", "{root}/out", "--window", "nan", "3"], "--window is nan 3, but takes two finite numbers"),
        (["nml", "{root}/ct", "{root}/out"], "'nml' is neither a model file nor a method: did you mean 'nlm'"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(tmp_path, model, arguments, sentence):
    write_series(tmp_path / "ct", head(slices=2))
    write_series(tmp_path / "mr", head(slices=2), modality="MR")
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").mkdir()
    (tmp_path / "text/a.txt").write_text("text")
    nibabel.save(nibabel.Nifti1Pair(head(slices=2), np.eye(4)), tmp_path / "a.img")
    nibabel.save(nibabel.Nifti1Image(np.zeros((8, 8, 2, 2), np.int16), np.eye(4)), tmp_path / "4d.nii")
    (tmp_path / "b.nii").write_bytes(write_nifti(tmp_path / "b.nii", head(slices=2)).read_bytes()[:-2000])
    before = contents(tmp_path)
    result = CliRunner().invoke(app, ["apply", *(argument.format(root=tmp_path, model=model) for argument in arguments)])
    assert isinstance(result.exception, InputError) and "\n" not in str(result.exception)
    assert re.search(sentence, str(result.exception)), result.exception
    assert contents(tmp_path) == before


def test_the_command_says_where_things_are_and_that_they_are_not_for_clinical_use(tmp_path, model):
    write_series(tmp_path / "ct", head(noise=80), PixelSpacing=[2.0, 2.0])
    result = CliRunner().invoke(app, ["apply", model, str(tmp_path / "ct"), str(tmp_path / "out")])
    assert result.exit_code == 0, result.exception
    lines = result.output.splitlines()
    assert lines[-1] == "Not for clinical use."
    assert lines[-2].startswith("FPL, Gaussian: 6 slices, ") and lines[-2].endswith(" a second.")
    assert f"Written: {tmp_path / 'out'}" in lines
    assert lines[0].endswith("; the training images had Gaussian.")


def test_the_options_of_a_method_are_recorded_with_their_defaults(tmp_path):
    write_series(tmp_path / "ct", head(slices=2))
    apply_model("nlm", tmp_path / "ct", tmp_path / "out", ApplyOptions(window=LUNG, options={"strength": 20}))
    record = json.loads((tmp_path / "out/apply.json").read_text())
    assert record["model"]["options"] == {"strength": 20, "patch_size": 7, "search_size": 21}
    description = pydicom.dcmread(tmp_path / "out/denoised/000.dcm").DerivationDescription
    assert description.startswith("Denoised with NL Mean. (strength 20, patch_size 7, search_size 21) by fplbench ")
    assert len(description) <= 1024 and description.endswith("Not for clinical use.")


def test_options_that_are_long_leave_room_for_the_rest_of_a_description():
    denoiser = Denoiser("X", "0", lambda grey: grey, options={"tile": 512, "words": "abc " * 500, "level": 0.5})
    assert len(options_text(denoiser)) <= 400 and options_text(denoiser).startswith("words abc abc")
    assert options_text(replace(denoiser, options={"tile": 512, "overlap": 64})) == ""


def test_overwrite_replaces_the_whole_folder(tmp_path, model):
    write_series(tmp_path / "ct", head())
    apply_model(model, tmp_path / "ct", tmp_path / "out", ApplyOptions(residual=True))
    first = contents(tmp_path / "out")
    apply_model(model, tmp_path / "ct", tmp_path / "out", ApplyOptions(overwrite=True))
    assert set(first) - set(contents(tmp_path / "out")) == {f"residual/{number:03d}.dcm" for number in range(6)}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ct", "out"]


def test_a_single_dicom_file_gives_a_file(tmp_path, model):
    source = write_ct(tmp_path / "a.dcm", hounsfield=head()[0])
    apply_model(model, source, tmp_path / "b.dcm", ApplyOptions(residual=True))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["a.dcm", "b.dcm", "b_apply.json", "b_quality.html", "b_residual.dcm"]
    assert (hounsfield(tmp_path / "b.dcm") != head()[0]).any()


@pytest.mark.skipif(not Path("/proc/self/mountinfo").exists() or os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_is_one_sentence_and_the_run_continues_when_there_is_space(tmp_path, model):
    import subprocess

    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        write_series(tmp_path / "ct", head(side=128, slices=12))  # 32 kB each
        with pytest.raises(InputError, match=r"There is no space left to write .*: free some and run the same command again"):
            apply_model(model, tmp_path / "ct", disk / "out")
        assert [path.name for path in disk.iterdir()] == ["out.partial"]
        subprocess.run(["mount", "-o", "remount,size=20M", disk], check=True)
        summary = apply_model(model, tmp_path / "ct", disk / "out")
        assert 0 < summary.slices < 12 and math.isfinite(summary.speed)
        apply_model(model, tmp_path / "ct", tmp_path / "whole")
        assert contents(disk / "out") == contents(tmp_path / "whole")
    finally:
        subprocess.run(["umount", disk], check=True)
