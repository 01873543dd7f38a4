import pytest

from fplbench.denoising.columns import EntryOptions, select
from fplbench.errors import InputError
from fplbench.methods import METHODS


def columns(entries, tune=False):
    return [(column.name, column.label, column.tuned) for column in select(entries, tune).values()]


def test_an_entry_is_the_method_of_its_name_with_its_options():
    column = select({"nlm": {"strength": 12}, "noisy": None})["nlm"]
    assert (column.method.name, column.label) == ("nlm", "NL Mean.")
    assert (column.options, column.tuned) == ({"strength": 12}, False)


def test_a_method_can_stand_under_several_names():
    entries = {"nlm": {}, "nlm_12": {"method": "nlm", "strength": 12, "label": "NLM 12"}}
    assert columns(entries) == [("nlm", "NL Mean.", False), ("nlm_12", "NLM 12", False)]


def test_tune_tunes_what_has_a_grid():
    assert columns({"noisy": {}, "tv": {}}, tune=True) == [("noisy", "Noisy", False), ("tv", "TV†", True)]


def test_default_and_tuned_stand_side_by_side():
    expected = [("noisy", "Noisy", False), ("tv", "TV", False), ("tv_tuned", "TV†", True)]
    assert columns({"noisy": {}, "tv": {}}, tune="both") == expected


def test_an_entry_decides_for_itself():
    expected = [("tv", "TV", False), ("nlm", "NL Mean.†", True)]
    assert columns({"tv": {"tune": False}, "nlm": {}}, tune=True) == expected
    assert columns({"tv": {"tune": True}}) == [("tv", "TV†", True)]


def test_where_all_options_are_given_there_is_nothing_to_tune():
    assert columns({"tv": {"weight": 30}}, tune=True) == [("tv", "TV", False)]


def test_weights_and_device_are_kept_apart_from_what_tuning_keeps():
    column = select({"dpir": {"weights": "w.pth", "device": "cpu", "x8": True}}, tune=True)["dpir"]
    assert column.options == {"x8": True}
    assert column.place == {"weights": "w.pth", "device": "cpu"}


def test_a_rule_of_the_users_is_a_column():
    column = select({"kuwahara": {"rule": True, "label": "Kuwahara"}}, tune=True)["kuwahara"]
    assert (column.method, column.label, column.tuned) == (None, "Kuwahara", False)


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ({"medan_filter": {}}, "methods.medan_filter: .*did you mean 'median_filter'.* set rule: true"),
        ({"nlm": {"strenght": 1}}, "methods.nlm.strenght is not a known key: did you mean 'strength'"),
        ({"nlm": {"tune": "sometimes"}}, "methods.nlm.tune"),
        ({"noisy": {"tune": True}}, "no option left to choose"),
        ({"nlm": {"rule": True}}, "is the name of a method"),
        ({"mine": {"rule": True, "size": 3}}, "methods.mine.size cannot be combined with rule"),
        ({"a/b": {"rule": True}}, "letters, digits and underscores"),
        ({"filters": {"rule": True}}, "methods.filters has the name of a group of methods"),
        ({"tv": {}, "tv_tuned": {"method": "tv"}}, "methods.tv_tuned would appear twice"),
    ],
)
def test_what_is_not_valid_is_named(entries, sentence):
    with pytest.raises(InputError, match=sentence):
        select(entries, tune="both")


def test_no_method_has_an_option_of_the_name_of_an_entrys_key():
    for method in METHODS.values():
        assert not set(method.options.model_fields) & set(EntryOptions.model_fields), method.name
