import pytest
import torch

from fplbench.errors import InputError
from fplbench.networks import UNet


def test_the_number_of_parameters_is_that_of_the_bilinear_variant():
    assert sum(parameter.numel() for parameter in UNet(64).parameters()) == 17_261_825


def test_the_levels_have_the_published_numbers_of_channels():
    network = UNet(64)
    outputs = [block[-3].out_channels for block in [network.first, *network.down, *network.up]]
    assert outputs == [64, 128, 256, 512, 512, 256, 128, 64, 64]
    assert network.last.out_channels == 1 and network.last.kernel_size == (1, 1)


def test_the_output_has_the_shape_of_the_input():
    assert UNet(2)(torch.rand(2, 1, 32, 48)).shape == (2, 1, 32, 48)


@pytest.mark.parametrize("shape", [(1, 1, 40, 32), (1, 1, 32, 40), (1, 3, 32, 32), (32, 32)])
def test_other_shapes_are_refused_in_one_sentence(shape):
    with pytest.raises(InputError, match="multiples of 16"):
        UNet(2)(torch.rand(shape))
