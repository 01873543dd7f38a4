"""Malicious files, given to the commands that read their kind: one sentence, little memory, and nothing else happens."""

import pickle
import sys
import time

import numpy as np
import pytest
import torch

from fplbench import cli
from fplbench.stacks import write_stack
from tests.applying.scans import head, write_nifti
from tests.security import malicious
from tests.security.malicious import resident_peak

IMAGES = np.full((2, 32, 32), 100, np.uint8)
INDEX = [{"image_id": name, "patient": name, "source": "s", "slice": 0} for name in "ab"]
MEMORY = 500  # MB
SECONDS = 20
NPY = {
    "denoise": ("denoise", "median_filter", "{bad}", "out.npy"),
    "score": ("score", "{bad}", "out.csv", "good.npy"),
    "score it": ("score", "good.npy", "out.csv", "{bad}"),
    "noise": ("noise", "gaussian", "{bad}", "--out-dir", "out"),
    "figure": ("figure", "out.png", "{bad}", "good.npy", "good.npy"),
    "train": ("train", "restoration", "out.safetensors", "--clean", "{bad}"),
    "features": ("features", "net.safetensors", "{bad}", "out.npy"),
    "join": ("join-stacks", "out.npy", "good.npy", "{bad}"),
    "tune": ("tune", "gaussian_filter", "good.npy", "{bad}", "out.json"),
    "group": ("denoise-group", "{bad}", "out", "--methods", '{{"noisy": {{"method": "noisy"}}}}', "--cost", "cost.csv"),
    "draw": ("draw-again", "good.npy", "{bad}", "out.npy"),
    "explorer": ("explorer", "out.html", "{bad}", "scores.csv", "--dataset", "lidc", "--noisy", ".", "--denoised", "."),
}
SAFETENSORS = {
    "denoise": ("denoise", "fpl", "good.npy", "out.npy", "--weights", "{bad}"),
    "apply": ("apply", "{bad}", "scan.nii", "out.nii"),
    "features": ("features", "{bad}", "good.npy", "out.npy"),
    "feature scores": ("feature-scores", "{bad}", "good.npy", "out.csv", "good.npy"),
    "export": ("export-model", "{bad}", "out.zip"),
    "align": ("align", "{bad}", "good.npy", "good.npy", "--network", "restoration={bad}", "--explanations", "{{}}", "--out", "o"),
}  # fmt: skip
PTH = {
    "denoise": ("denoise", "dpir", "good.npy", "out.npy", "--weights", "{bad}"),
    "apply": ("apply", "dpir", "scan.nii", "out.nii", "--weights", "{bad}", "--window", "-160", "240"),
    "fetch": ("fetch", "drunet", "{bad}"),
}

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:Detected pickle protocol")]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder, with files that are as they should be."""
    from fplbench.networks import UNet, weights

    monkeypatch.chdir(tmp_path)
    write_stack("good.npy", IMAGES, INDEX)
    write_stack("bad.npy", IMAGES, INDEX)  # its index stays
    weights.save(UNet(width=2), "net.safetensors", {})
    write_nifti(tmp_path / "scan.nii", head(side=32, slices=2, seed=1))
    (tmp_path / "scores.csv").write_text("dataset,noise,method,image_id,patient,psnr,psnr_uint8,ssim\n")
    return tmp_path


def said(monkeypatch, *arguments):
    """What a command of the program says when it ends with an error, as on the command line."""
    monkeypatch.setattr(sys, "argv", ["fplbench", *arguments])
    monkeypatch.setattr(cli, "_spare_the_collector", lambda: None)
    started = time.monotonic()
    with resident_peak() as peak, pytest.raises(SystemExit) as ended:
        cli.main()
    assert isinstance(ended.value.code, str), f"{arguments} ended with {ended.value.code}"
    assert peak() < MEMORY and time.monotonic() - started < SECONDS
    return ended.value.code


def check(monkeypatch, folder, command, bad):
    """Run a command on a bad file: one sentence that names the file, and no other file is there than before."""
    before = sorted(folder.rglob("*"))
    sentence = said(monkeypatch, *(word.format(bad=bad) for word in command))
    assert sentence.startswith("fplbench: ") and "\n" not in sentence and sentence[-1] in ".?)"
    assert bad.split(".")[0] in sentence, sentence
    assert sorted(folder.rglob("*")) == before
    return sentence


@pytest.mark.parametrize("name", NPY)
def test_arrays(monkeypatch, folder, name):
    for content in malicious.arrays(folder / "touched").values():
        (folder / "bad.npy").write_bytes(content)
        check(monkeypatch, folder, NPY[name], "bad.npy")


def test_an_array_whose_header_is_a_gigabyte_long_is_not_read(monkeypatch, folder):
    malicious.write(folder / "bad gigabyte.npy", malicious.arrays(folder)["header of a gigabyte"])
    check(monkeypatch, folder, NPY["denoise"], "bad gigabyte.npy")


@pytest.mark.parametrize("name", SAFETENSORS)
def test_weight_files(monkeypatch, folder, name):
    for content in malicious.weights().values():
        (folder / "bad.safetensors").write_bytes(content)
        check(monkeypatch, folder, SAFETENSORS[name], "bad.safetensors")


def test_a_weight_file_whose_header_is_a_gigabyte_long_is_not_read(monkeypatch, folder):
    malicious.write(folder / "bad gigabyte.safetensors", malicious.weights()["header of a gigabyte"])
    check(monkeypatch, folder, SAFETENSORS["denoise"], "bad gigabyte.safetensors")


@pytest.mark.parametrize("name", PTH)
def test_torch_files(monkeypatch, folder, name):
    torch.save({"m_head.weight": malicious.Touch(folder / "touched")}, folder / "bad.pth")
    check(monkeypatch, folder, PTH[name], "bad.pth")
    for content in (b"text", b"PK\3\4", pickle.dumps(malicious.Touch(folder / "touched"))):
        (folder / "bad.pth").write_bytes(content)
        check(monkeypatch, folder, PTH[name], "bad.pth")


def test_a_torch_file_that_unpacks_to_300_mb_is_refused(monkeypatch, folder):
    malicious.write_torch_bomb(folder / "bad.pth", 300 * 2**20)
    assert (folder / "bad.pth").stat().st_size < 2 * 2**20
    assert "more than DRUNet" in check(monkeypatch, folder, PTH["denoise"], "bad.pth")
