"""What guided back-propagation refuses."""

import numpy as np
import pytest
import torch
from torch import nn

from fplbench.errors import InputError
from fplbench.explaining.guided import guided_backprop
from tests.explaining.networks import smooth_images, trained_unet


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"readout": "summ"}, "did you mean 'sum'"),
        ({"activation": "rely"}, "did you mean 'relu'"),
        ({"beta": 0.0}, "beta is 0.0"),
        ({"beta": float("inf")}, "beta is inf"),
    ],
)
def test_unknown_choices_are_refused_in_one_sentence(wrong, message):
    with pytest.raises(InputError, match=message):
        guided_backprop(trained_unet(0), smooth_images(1), **wrong)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((1, 1, 32, 32), np.float32), r"must be a torch tensor, not ndarray; .* torch\.from_numpy"),
        (torch.rand(1, 32, 32), r"have shape \(1, 32, 32\), but must have shape \(N, 1, H, W\).* unsqueeze"),
        (torch.rand(1, 3, 32, 32), r"have shape \(1, 3, 32, 32\)"),
        (torch.zeros(1, 1, 32, 32, dtype=torch.uint8), r"are torch\.uint8, but must be floating point"),
    ],
)
def test_images_of_another_type_or_shape_are_refused(images, message):
    with pytest.raises(InputError, match=message):
        guided_backprop(trained_unet(0), images)


def test_swapped_arguments_are_named():
    with pytest.raises(InputError, match=r"must be a network \(torch\.nn\.Module\), not Tensor"):
        guided_backprop(smooth_images(1), trained_unet(0))


def test_a_network_without_relus_is_refused():
    with pytest.raises(InputError, match="ReLU"):
        guided_backprop(nn.Conv2d(1, 1, 1), torch.rand(1, 1, 4, 4))
