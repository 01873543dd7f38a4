"""Disk by kind, against files that are written and against the demo where its results are."""

import shutil
from collections import namedtuple

import numpy as np
import pytest
import torch
import yaml

from fplbench.config import load_config
from fplbench.config.fits import Fit
from fplbench.errors import InputError
from fplbench.networks import UNet, weights
from fplbench.networks.drunet import DRUNet
from fplbench.peers import PEERS, build
from fplbench.planning.disk import HEADER, KINDS, check_space, disk, existing, needed, scratch
from fplbench.planning.weights import weight_bytes
from fplbench.stacks import write_stack
from fplbench.training import TRAININGS
from tests.helpers.workflow import ROOT, snakemake, write_config

DEMO = ROOT / "results" / "demo"
Usage = namedtuple("Usage", "total used free")


def demo(**changes):
    return load_config({**yaml.safe_load((ROOT / "config" / "demo.yaml").read_text()), **changes})


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
    for planned, network in ((fit("fpl", width=width), UNet(width)), (fit("drunet", width=width, blocks=2), DRUNet(width, 2))):
        weights.save(network, tmp_path / "weights.safetensors", {"options": dict(planned.options)})
        assert weight_bytes(planned) == pytest.approx((tmp_path / "weights.safetensors").stat().st_size, abs=6000)


def test_weights_of_a_peer_are_those_of_its_network():
    planned = fit("dncnn", width=8, layers=4)
    network = build("dncnn", {name: planned.options[name] for name in PEERS["dncnn"].options.model_fields})
    numbers = sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values())
    assert weight_bytes(planned) == pytest.approx(numbers, abs=13_000)
    assert all(tensor.device == torch.device("cpu") for tensor in network.state_dict().values())


@pytest.mark.skipif(not (DEMO / "run.json").exists(), reason="there are no results of the demo")
def test_the_demo_takes_what_is_planned_of_each_kind():
    planned = disk(demo())
    for kind, size in planned.items():
        assert size == pytest.approx(total_size(DEMO / name for name in KINDS[kind]), rel=0.05), kind
    assert sum(planned.values()) == pytest.approx(existing(DEMO), rel=0.05)


def test_a_training_has_its_further_draws_and_its_state_on_disk():
    """Three more draws of four images of 32 pixels; the state has weights and two moments, and the best weights are kept."""
    given = {"width": 2, "draws": 4, "keep": "best", "features": False}
    config = demo(
        protocol="published",
        sampling={"train": 4, "validation": 1, "test": 1, "size": 32},
        methods={"noisy": {}, "fpl": {}},
        training={"fpl": given, "restoration": {"width": 2}},
    )
    state = 4 * weight_bytes(fit("fpl", width=2))
    assert scratch(config) == 3 * (HEADER + 4 * 32 * 32) + state
    assert needed(config, 2) - needed(config, 1) == scratch(config)


def test_too_little_room_is_one_sentence_and_what_exists_is_not_counted_again(tmp_path, monkeypatch):
    config = demo(results=str(tmp_path / "new" / "results"))
    enough = needed(config)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: Usage(10 * enough, 0, enough + 1))
    check_space(config)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: Usage(10 * enough, 0, enough - 1))
    with pytest.raises(InputError, match=r"needs about 229 MB more in .*results, but its disk has 229 MB free: make room"):
        check_space(config)
    (tmp_path / "new" / "results").mkdir(parents=True)
    (tmp_path / "new" / "results" / "stack.npy").write_bytes(bytes(1000))
    check_space(config)


def test_without_denoised_images_one_data_set_of_them_is_counted():
    kept, dropped = demo(), demo(keep_denoised=False)
    assert needed(kept) - needed(dropped) == pytest.approx(disk(kept)["denoised images"] * 2 / 3)


@pytest.mark.slow
def test_snakemake_stops_at_the_start_where_the_disk_has_too_little_room(tmp_path):
    """A million images of 4096 pixels, which no disk has room for; the folder of the data is there."""
    (tmp_path / "volumes").mkdir()
    (tmp_path / "volumes" / "volume-0.nii").touch()
    write_config(tmp_path, sampling={"train": 1_000_000, "size": 4096})
    run = snakemake(tmp_path, "--configfile", "config.yaml")
    assert run.returncode and "more in out, but its disk has" in run.stdout and "Traceback" not in run.stdout
    assert not (tmp_path / "out" / "data").exists()
