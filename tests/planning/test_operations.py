"""Operations of trainings and methods, against those of trainings that really run, and against sums by hand."""

import pytest
import torch
import yaml
from torch.utils.flop_counter import FlopCounterMode

from fplbench.config import load_config
from fplbench.config.fits import Fit
from fplbench.networks import UNet
from fplbench.planning.asking import Job
from fplbench.planning.counter import operations_of
from fplbench.planning.devices import operations_of_run
from fplbench.planning.images import denoised_in_all
from fplbench.planning.made_up import folder_of_images
from fplbench.planning.operations import SIDE, count_operations, training_cost
from fplbench.training import TRAININGS, train
from tests.helpers.workflow import ROOT

SHORT = {"steps": 23, "batch": 2, "log_every": 5, "validate_every": 10, "validation_images": 2, "warm_up": 0, "width": 4}
SMALL = {"fpl": {"feature_interval": 3}, "drunet": {"blocks": 1, "patch": 48}, "restoration": {}, "noise2void": {}, "dncnn": {}}


def demo(**changes):
    return load_config({**yaml.safe_load((ROOT / "config" / "demo.yaml").read_text()), **changes})


def unet_by_hand(width, pixels):
    """Operations of one pass, from the channels of the paper: 2 * 9 * in * out for each 3x3 convolution and pixel."""
    w = width
    blocks = [
        (1, w, w, 1),
        (w, 2 * w, 2 * w, 4),
        (2 * w, 4 * w, 4 * w, 16),
        (4 * w, 8 * w, 8 * w, 64),
        (8 * w, 8 * w, 8 * w, 256),
    ]
    blocks += [(16 * w, 8 * w, 4 * w, 64), (8 * w, 4 * w, 2 * w, 16), (4 * w, 2 * w, w, 4), (2 * w, w, w, 1)]
    return sum(18 * (first * middle + middle * last) * pixels / area for first, middle, last, area in blocks) + 2 * w * pixels


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.slow
def test_a_training_executes_what_was_predicted(tmp_path, name):
    """Images of 96 pixels, of which the prediction sees a part; L_FP in some steps, scores of images, rows of a log."""
    config = demo(sampling={"train": 4, "validation": 4, "test": 1, "size": 96}, training={"restoration": {"width": 4}})
    training = TRAININGS[name]
    options = training.options(**SHORT, **SMALL[name]).model_dump()
    with folder_of_images(config, 1, SIDE) as files:
        predicted = training_cost(Fit(name, training, options), files, config.sampling).all.total
    with folder_of_images(config, 4, 96) as files:
        given = {**files, "validation_clean": files["clean"], "validation_noisy": files["noisy"]}
        inputs = {key: given[key] for key in training.needs(options)}
        executed = operations_of(lambda: train(name, inputs, tmp_path / "out.safetensors", options, seed=1, device="cpu"))
    assert predicted == pytest.approx(executed, rel=0.1)


def test_the_counter_counts_as_the_one_of_torch_does():
    network, images = UNet(2), torch.rand(2, 1, 32, 32)
    reference = FlopCounterMode(display=False)
    with reference:
        network(images).square().sum().backward()
    assert operations_of(lambda: network(images).square().sum().backward()) == reference.get_total_flops()


@pytest.mark.slow
def test_the_networks_of_the_paper_have_the_operations_of_their_convolutions():
    config = load_config({"datasets": ["lidc"], "noises": ["gaussian"], "methods": ["fpl", "dpir"]})
    counts = count_operations(config, [Job("train_fpl"), Job("train_restoration"), Job("denoise_networks")])
    forward = unet_by_hand(64, 256**2)
    assert counts.trainings["fpl"].parameters == 17_261_825
    assert counts.methods["fpl"] == pytest.approx(forward)
    # A step runs forwards, and backwards for the weights and for what each layer but the first gets.
    first = 2 * 9 * 1 * 64 * 256**2
    assert counts.trainings["restoration"].plain.total == pytest.approx(3 * forward - first)
    # 139 GMAC, as the authors' network has with its two input channels.
    assert counts.methods["dpir"] == pytest.approx(2 * 139e9, rel=0.01)
    # Twenty thousand steps of sixteen images.
    assert counts.trainings["fpl"].all.total == pytest.approx(20_000 * 16 * counts.trainings["fpl"].feature.total, rel=0.02)


def test_images_are_counted_for_every_cell_and_every_option_that_is_tried():
    """35 cells, and four with lesions inserted into 24 images; ten levels of dpir's grid are tried on six images."""
    jobs = 35 * [Job("denoise_networks")] + 4 * [Job("denoise_networks_inserted")]
    found = denoised_in_all(demo(), jobs)
    assert found["fpl"] == 39 * (12 + 6) + 4 * 24
    assert found["dpir"] == 39 * (12 + 6 + 10 * 6) + 4 * 24


@pytest.mark.slow
def test_variants_of_the_ablation_denoise_in_every_draw_and_the_explained_network_is_theirs():
    """One network of the lesions' explanation, trained on joined images: 12 test images and 24 with lesions, in two draws."""
    config = demo(ablation={"draws": 2, "seeds": [1], "noises": ["gaussian"]})
    cell = {"dataset": "lidc", "noise": "gaussian"}
    name = "lesion_guided_sigmoid_sum_relu"
    jobs = [
        Job("train_ablation", {**cell, "variant": "lesion_weight", "seed": "1"}),
        Job("explain_for_ablation", {"dataset": "lidc", "explanation": name}),
        Job("apply_ablation", {**cell, "stage": "test"}),
    ]
    counts = count_operations(config, jobs)
    found = operations_of_run(config, counts, jobs)
    forward = unet_by_hand(8, 96**2)
    assert found["rule apply_ablation"].total == pytest.approx(2 * (12 + 24) * forward)
    # Forwards, and backwards to the image: the gradient of all layers, those of the weights left out.
    assert found[f"rule explain_for_ablation, {name}"].total == pytest.approx((48 + 96) * 2 * forward, rel=0.01)
