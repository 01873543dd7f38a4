"""Disk by kind, against files that are written and against the demo where its results are."""

import shutil
from collections import namedtuple

import numpy as np
import pytest
import torch

from fplbench.config.fits import Fit
from fplbench.errors import InputError
from fplbench.explaining.options import ExplanationOptions
from fplbench.networks import UNet, weights
from fplbench.networks.drunet import DRUNet
from fplbench.peers import PEERS, build
from fplbench.planning.asking import Job
from fplbench.planning.disk import KINDS, check_space, disk, needed, scratch
from fplbench.planning.files import HEADER, files_of
from fplbench.planning.weights import weight_bytes
from fplbench.stacks import write_stack
from fplbench.training import TRAININGS
from tests.helpers.workflow import ROOT, snakemake, write_config
from tests.planning import planned

DEMO = ROOT / "results" / "demo"
Usage = namedtuple("Usage", "total used free")


def fit(name, **options):
    training = TRAININGS[name]
    return Fit(name, training, training.options(**options).model_dump())


def total_size(paths):
    return sum(file.stat().st_size for path in paths for file in [path, *path.rglob("*")] if file.is_file())


def test_a_stack_has_the_bytes_of_its_header_and_its_pixels(tmp_path):
    write_stack(tmp_path / "stack.npy", np.zeros((5, 32, 32), np.uint8))
    assert (tmp_path / "stack.npy").stat().st_size == HEADER + 5 * 32 * 32


@pytest.mark.parametrize("width", [3, 64])
def test_weight_files_have_the_size_of_their_tensors(tmp_path, width):
    for given, network in ((fit("fpl", width=width), UNet(width)), (fit("drunet", width=width, blocks=2), DRUNet(width, 2))):
        weights.save(network, tmp_path / "weights.safetensors", {"options": dict(given.options)})
        assert weight_bytes(given) == pytest.approx((tmp_path / "weights.safetensors").stat().st_size, abs=6000)


def test_weights_of_a_peer_are_those_of_its_network():
    planned = fit("dncnn", width=8, layers=4)
    network = build("dncnn", {name: planned.options[name] for name in PEERS["dncnn"].options.model_fields})
    numbers = sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values())
    assert weight_bytes(planned) == pytest.approx(numbers, abs=13_000)
    assert all(tensor.device == torch.device("cpu") for tensor in network.state_dict().values())


@pytest.mark.slow
@pytest.mark.skipif(not (DEMO / "run.json").exists(), reason="there are no results of the demo")
def test_the_demo_takes_what_is_planned_of_each_kind():
    found = disk(planned.read("demo"), planned.jobs_of("all", "demo"))
    for kind, size in found.items():
        assert size == pytest.approx(total_size(DEMO / name for name in KINDS[kind]), rel=0.05), kind
    assert sum(found.values()) == pytest.approx(total_size([DEMO]), rel=0.05)


def test_a_training_has_a_further_draw_and_its_state_on_disk():
    """One of the three more draws, of four images of 32 pixels; weights and two moments to resume from, and the best weights."""
    given = {"width": 2, "draws": 4, "keep": "best", "features": False}
    config = planned.read(
        "demo",
        protocol="published",
        sampling={"train": 4, "validation": 1, "test": 1, "size": 32},
        methods={"noisy": {}, "fpl": {}},
        training={"fpl": given, "restoration": {"width": 2}},
    )
    jobs = [Job("train_fpl"), Job("train_fpl"), Job("train_restoration")]
    state = 4 * weight_bytes(fit("fpl", width=2))
    assert scratch(config, jobs) == HEADER + 4 * 32 * 32 + state
    assert needed(config, jobs, 2) - needed(config, jobs, 1) == scratch(config, jobs)


def test_images_of_the_ablation_are_joined_and_drawn_again():
    """Sizes by hand: 10 images and 5 copies, in 3 draws; a row of an index has 205 bytes, one of a lesion 210."""
    config = planned.read(
        "demo",
        sampling={"train": 10, "validation": 4, "test": 4, "size": 32},
        inserted={"noises": ["gaussian"], "train": 5, "validation": 2, "test": 2},
        ablation={"draws": 3, "noises": ["gaussian"]},
    )
    joined = files_of(config, Job("join_inserted", {"dataset": "lidc", "split": "train"}))
    assert joined == {"sampled images": 128 + 2 * 15 * 32**2 + 15 * (205 + 210)}
    drawn = {"dataset": "lidc", "noise": "gaussian", "split": "inserted_test"}
    assert files_of(config, Job("draw_again", drawn)) == {"noisy images": 128 + 6 * 32**2 + 6 * 205}
    noisy = files_of(config, Job("add_noise_to_joined", {"dataset": "lidc", "noise": "gaussian"}))
    assert noisy == {"noisy images": 3 * 128 + (15 + 6 + 6) * (32**2 + 205)}
    # Maps of 16 bit; the encoder has twice the channels and a quarter of the pixels at level 1.
    assert files_of(config, Job("explain_clean_images", {"dataset": "lidc"})) == {"features": 128 + 10 * 32**2 * 2}
    encoder = config.model_copy(update={"explanation": ExplanationOptions(feature="encoder", level=1)})
    found = files_of(encoder, Job("explain_clean_images", {"dataset": "lidc"}))
    assert found == {"features": 128 + 10 * 16 * 16**2 * 2}


def test_too_little_room_is_one_sentence_and_what_is_written_again_is_not_counted(tmp_path, monkeypatch):
    """A stack of 12 + 6 images of the demo for each of nine filters, 205 bytes a row."""
    config = planned.read("demo", results=str(tmp_path / "new" / "results"))
    jobs = [Job("denoise_filters", {"dataset": "rsna", "noise": "motion"})]
    filters = 10 * (2 * 128 + 18 * (96**2 + 205))
    assert needed(config, jobs) == filters
    monkeypatch.setattr(shutil, "disk_usage", lambda place: Usage(10 * filters, 0, filters))
    check_space(config, jobs)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: Usage(10 * filters, 0, filters - 1))
    with pytest.raises(InputError, match=r"needs about 1.7 MB more in .*results, but its disk has 1.7 MB free: make room"):
        check_space(config, jobs)
    check_space(config, jobs, present=1)


def test_without_denoised_images_those_of_a_cell_and_the_test_images_of_the_one_before_are_needed(monkeypatch):
    """Of three cells, and of 12 test and 6 validation images; with two cells at once, twice as much, but there are only three."""
    kept, dropped = planned.read("demo"), planned.read("demo", keep_denoised=False)
    jobs = [Job("denoise_filters", {"dataset": name, "noise": "motion"}) for name in kept.datasets]
    everything = needed(kept, jobs)
    assert needed(dropped, jobs) == pytest.approx(everything / 3 * (1 + 12 / 18))
    assert needed(dropped, jobs, 2) == pytest.approx(everything / 3 * (2 + 12 / 18))
    compared = [*jobs, Job("score_fair", {"dataset": "lits", "noise": "motion"})]
    of_scores = disk(kept, compared[-1:])["scores and tables"]
    assert needed(dropped, compared) == pytest.approx(everything / 3 * (2 + 12 / 18) + of_scores)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: Usage(2 * everything, 0, everything - 1))
    check_space(dropped, jobs)
    with pytest.raises(InputError, match=r"set keep_denoised to false, with which it needs 2.83 MB"):
        check_space(kept, jobs)


def test_the_papers_run_fits_into_25_gigabytes_beside_its_raw_data():
    """With one training at a time, and without denoised images, which can be made again."""
    config = planned.read("config", keep_denoised=False)
    assert needed(config, planned.jobs_of("all", "config")) < 25e9


@pytest.mark.slow
def test_snakemake_stops_at_the_start_where_the_disk_has_too_little_room(tmp_path):
    """A million images of 4096 pixels, which no disk has room for; the folder of the data is there."""
    (tmp_path / "volumes").mkdir()
    (tmp_path / "volumes" / "volume-0.nii").touch()
    write_config(tmp_path, sampling={"train": 1_000_000, "size": 4096})
    run = snakemake(tmp_path, "--configfile", "config.yaml")
    assert run.returncode and "more in out, but its disk has" in run.stdout and "Traceback" not in run.stdout
    assert not (tmp_path / "out" / "data").exists()
