import pytest

from fplbench.errors import InputError
from fplbench.methods import METHODS
from fplbench.noise import NOISES
from fplbench.registry import Registry


def test_every_noise_of_table_1_and_two_more_are_registered():
    assert len(NOISES) == 15


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(InputError, match="'gausian' is not a noise: did you mean 'gaussian'"):
        NOISES["gausian"]


def test_a_name_like_no_other_is_answered_with_the_list():
    with pytest.raises(InputError, match="known are bilateral"):
        METHODS["zzzzzzzz"]


def test_a_name_is_registered_once():
    registry = Registry("thing", "fplbench.noise")
    registry.add("a", 1)
    with pytest.raises(ValueError, match="twice"):
        registry.add("a", 2)


def test_every_option_has_a_description():
    for registry in (NOISES, METHODS):
        for entry in registry.values():
            for name, field in entry.options.model_fields.items():
                assert field.description, f"{entry.name}.{name}"
