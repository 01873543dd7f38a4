"""Options of every registered name, as JSON, are read or refused in a sentence; with them an image is made, or refused."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fplbench.cli.options import parse_json
from fplbench.datasets import LOADERS, SamplingOptions
from fplbench.errors import InputError
from fplbench.explaining.options import ExplanationOptions
from fplbench.lesions.options import InsertionOptions
from fplbench.methods import METHODS, denoise
from fplbench.noise import NOISES, synthesize
from fplbench.numerics import NumericsOptions
from fplbench.options import Options
from fplbench.registry import parse_options
from fplbench.training import TRAININGS
from tests.fuzz.strategies import mappings, values

MODELS = {
    f"{kind} {name}": entry.options
    for kind, registry in (("noise", NOISES), ("method", METHODS), ("training", TRAININGS), ("data set", LOADERS))
    for name, entry in registry.items()
} | {model.__name__: model for model in (ExplanationOptions, InsertionOptions, NumericsOptions, SamplingOptions)}
QUICK = ("bilateral", "filter_combination", "gaussian_filter", "mean_filter", "median_filter", "wavelet", "wiener")
"""Filters that take less than a second whatever their options are."""
IMAGE = np.random.default_rng(0).integers(0, 256, (1, 32, 32), dtype=np.uint8)


@pytest.mark.parametrize("name", MODELS)
@given(data=st.data())
def test_options_of_any_values(name, data):
    model: type[Options] = MODELS[name]
    given_values = data.draw(mappings(*model.model_fields))
    try:
        found = parse_options(model, given_values, name)
    except InputError as error:
        assert str(error)
        return
    assert parse_options(model, json.loads(found.model_dump_json()), name).model_dump_json() == found.model_dump_json()


@given(values().map(lambda value: json.dumps(value, default=str, skipkeys=True)) | st.text(max_size=40))
def test_json_of_any_kind(text):
    try:
        assert isinstance(parse_json(text), dict)
    except InputError as error:
        assert str(error).startswith("--options is")


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "1" * 5000, '{"a": ' + "9" * 5000 + "}", "\ud800", "NaN"])
def test_json_that_once_failed(text):
    with pytest.raises(InputError):
        parse_json(text)


def numbers(model):
    """Options of a model that are numbers, with values of any size within its limits or near them."""
    fields = {name: field for name, field in model.model_fields.items() if field.annotation in (int, float)}
    small = st.sampled_from([0, 1, 2, 3, 5, 0.0, 1e-12, 1e-3, 0.5, 0.999, 1.0, 10.0, 300.0])
    return st.fixed_dictionaries({}, optional=dict.fromkeys(fields, small))


def made(function):
    """The image that a noise or a method makes; None where its options are refused."""
    try:
        found = function()
    except InputError:
        return None
    assert found.dtype == np.uint8 and found.shape == IMAGE.shape
    return found


@pytest.mark.parametrize("name", [name for name, noise in NOISES.items() if noise.needs is None])
@given(data=st.data())
def test_a_noise_with_any_numbers_makes_an_image(name, data):
    options = data.draw(numbers(NOISES[name].options))
    made(lambda: np.rint(255 * synthesize(name, IMAGE / np.float32(255), seed=1, **options)).astype(np.uint8))


@pytest.mark.parametrize("name", QUICK)
@given(data=st.data())
def test_a_filter_with_any_numbers_makes_an_image(name, data):
    options = data.draw(numbers(METHODS[name].options))
    found = made(lambda: denoise(name, IMAGE, **options))
    assert found is None or math.isfinite(found.mean())
