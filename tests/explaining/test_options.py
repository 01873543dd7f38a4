"""What an explanation takes, and what it refuses."""

import pytest

from fplbench.errors import InputError
from fplbench.explaining.documentation import describe_features
from fplbench.explaining.options import ExplanationOptions
from fplbench.explaining.registry import FEATURES
from fplbench.registry import parse_options


def parse(**values):
    return parse_options(ExplanationOptions, values, "explanation")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"feature": "guidet"}, "there is no feature 'guidet': did you mean 'guided'"),
        ({"feature": "sobel", "level": 1}, "level has no effect with feature sobel"),
        ({"feature": "encoder", "readout": "half_square"}, "readout has no effect with feature encoder"),
        ({"feature": "gradient", "samples": 3}, "samples has no effect with feature gradient"),
        ({"feature": "integrated_gradients", "spread": 0.2}, "spread has no effect with feature integrated_gradients"),
        ({"feature": "mask", "network": "lesion"}, "network has no effect with feature mask"),
        ({"feature": "encoder", "level": 5}, r"explanation\.level is 5: input should be less than or equal to 4"),
        ({"level": -1}, r"explanation\.level is -1"),
        ({"feature": "smoothgrad", "spread": 0.0}, r"explanation\.spread is 0\.0"),
        ({"feature": "smoothgrad", "samples": 0}, r"explanation\.samples is 0"),
        ({"network": "restorer"}, r"explanation\.network is 'restorer'"),
    ],
)
def test_options_that_do_not_fit_are_refused_in_a_sentence(wrong, message):
    with pytest.raises(InputError, match=message):
        parse(**wrong)


@pytest.mark.parametrize(("feature", "level"), [("encoder", 0), ("grad_cam", 4), ("guided", None), ("gradient", None)])
def test_the_level_that_a_feature_reads_by_default_is_in_its_options(feature, level):
    assert parse(feature=feature).level == parse(feature=feature, level=None).level == level
    assert parse(feature=feature, level=2).level == 2


@pytest.mark.parametrize("feature", FEATURES)
def test_complete_options_are_read_back(feature):
    options = parse(feature=feature)
    assert parse(**options.model_dump(mode="json")) == options


def test_controls_need_no_network_and_the_annotation_is_not_of_images():
    assert {name for name in FEATURES if not parse(feature=name).needs_network} == {"sobel", "mask"}
    assert {name for name in FEATURES if not parse(feature=name).of_images} == {"mask"}


def test_the_table_of_the_features_says_which_have_a_gradient():
    table = describe_features()
    assert table.splitlines()[1] == "| --- | --- | --- | --- | --- | --- |"
    last = {row.split(" | ")[0].strip("| `"): row.split(" | ")[-1].strip(" |") for row in table.splitlines()[2:]}
    but = "yes, but not with relu and sum"
    assert last == {
        "encoder": "yes",
        "grad_cam": "yes",
        "gradient": but,
        "guided": but,
        "integrated_gradients": "yes",
        "mask": "none",
        "smoothgrad": but,
        "sobel": "yes",
    }
    assert len({row.count("|") for row in table.splitlines()}) == 1
