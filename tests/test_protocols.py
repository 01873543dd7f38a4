"""The two protocols, and what the fair one gives each method."""

import pytest
import yaml

from fplbench.config import load_config
from fplbench.config.columns import left_out
from fplbench.config.fits import with_repeats
from fplbench.errors import InputError

SECONDS = {"fpl": 0.3, "residual_same_steps": 0.1, "red_cnn": 0.6}
METHODS = ["noisy", "noisy_grey_map", "fpl", "dpir", "nlm", "wavelet"]


def fair(**changes):
    """A config of the fair protocol with a few methods."""
    values = {
        "protocol": "fair",
        "methods": METHODS,
        "training": {"fpl": {"steps": 300, "batch": 4, "draws": 3}, "drunet": {}},
        "fair": {"methods": ["residual_same_steps", "residual_same_seconds", "red_cnn"], "seconds_per_step": SECONDS},
    }
    return load_config({**values, **changes})


def test_the_papers_config_is_published_and_fits_nothing_on_training_images():
    with open("config/config.yaml") as stream:
        config = load_config(yaml.safe_load(stream))
    assert config.protocol == "published"
    assert not any(column.fitted for column in config.columns.values()) and not config.fair_columns


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"methods": {"nlm": {"tune": True}}}, "methods.nlm is tuned, but under protocol: published"),
        ({"methods": {"nlm": {"grey_map": "affine"}}}, "methods.nlm has a grey map, but under protocol: published"),
        ({"methods": ["noisy_grey_map"]}, "methods.noisy_grey_map has a grey map, but"),
        ({"methods": {"red_cnn": {"budget": "seconds"}}}, "methods.red_cnn has a budget of seconds, but"),
        ({"tune": True}, "tune is True, but under protocol: published"),
        ({"protocol": "free"}, "protocol is 'free'"),
    ],
)
def test_the_published_protocol_refuses_what_belongs_to_the_fair_one(values, message):
    with pytest.raises(InputError) as error:
        load_config(values)
    assert message in str(error.value)


def test_the_fair_protocol_tunes_and_maps_all_but_the_unprocessed_image_and_networks_of_the_noise():
    columns = fair().columns
    assert {name for name, column in columns.items() if column.tuned} == {"dpir", "nlm", "wavelet"}
    assert {name for name, column in columns.items() if column.grey_map} == {"noisy_grey_map", "dpir", "nlm", "wavelet"}
    columns = fair(grey_map="affine").columns
    assert columns["nlm"].grey_map == "affine"


def test_a_method_may_do_without():
    columns = fair(methods={"nlm": {"tune": False, "grey_map": False}, "wavelet": {}}).columns
    assert not columns["nlm"].fitted and columns["nlm"].label == "NL Mean." and columns["wavelet"].fitted


def test_learned_methods_have_the_steps_batch_and_draws_of_fpl():
    config = fair()
    for name in ("red_cnn", "residual_same_steps", "noise2void"):
        options = config.training_options(name)
        assert (options["steps"], options["batch"]) == (300, 4)
    assert config.training_options("red_cnn")["draws"] == 3
    # What is trained for a data set and not for a noise has a budget of its own.
    assert config.training_options("restoration")["steps"] != 300


def test_a_learned_method_with_more_steps_than_fpl_is_refused():
    with pytest.raises(InputError, match=r"training\.red_cnn\.steps is 900, but under protocol: fair .* has FPL's, 300"):
        fair(training={"fpl": {"steps": 300}, "red_cnn": {"steps": 900}})


def test_the_budget_of_seconds_becomes_steps_that_the_resolved_config_holds():
    """FPL takes 300 x 0.3 = 90 s: 900 steps of 0.1 s."""
    config = fair()
    assert config.fits["residual_same_seconds"].options["steps"] == 900
    assert config.fits["residual_same_steps"].options["steps"] == 300
    resolved = config.resolved()
    assert resolved["fair"]["steps"] == {"residual_same_steps": 900}
    # Other seconds on another machine do not change the steps of a run.
    resolved["fair"]["seconds_per_step"] = {}
    assert load_config(resolved).fits["residual_same_seconds"].options["steps"] == 900


def test_both_budgets_give_each_learned_method_a_second_column():
    """RED-CNN has 90 s: 150 steps of 0.6 s."""
    config = fair(
        fair={"methods": ["red_cnn", "residual_same_seconds"], "budgets": ["steps", "seconds"], "seconds_per_step": SECONDS}
    )
    assert list(config.fair_columns) == ["red_cnn", "residual_same_seconds", "red_cnn_same_seconds"]
    assert config.fits["red_cnn_same_seconds"].options["steps"] == 150
    assert config.fits["red_cnn"].options["steps"] == 300


def test_without_seconds_their_control_is_refused_or_left_out_with_the_command_that_measures_them():
    message = r"fair\.seconds_per_step\.fpl: `fplbench step-seconds"
    with pytest.raises(InputError, match=message):
        fair(fair={"methods": ["residual_same_seconds"]})
    config = fair(fair={"methods": {"residual_same_seconds": {"optional": True}, "red_cnn": {}}})
    assert list(config.fair_columns) == ["red_cnn"]
    assert "fplbench step-seconds" in left_out(config)["residual_same_seconds"]


def test_a_shorter_training_has_a_shorter_warm_up():
    """RED-CNN has half of FPL's steps: 150 of 300, and 20 of 40 steps of warm-up."""
    compared = {"methods": ["red_cnn"], "budgets": ["steps", "seconds"], "seconds_per_step": SECONDS}
    config = fair(fair=compared, training={"fpl": {"steps": 300, "warm_up": 40}, "drunet": {}})
    assert config.fits["red_cnn_same_seconds"].options["warm_up"] == 20


def test_what_learns_from_noisy_images_alone_is_not_chosen_with_clean_ones():
    config = fair(training={"fpl": {"keep": "best"}, "drunet": {}})
    assert config.training_options("red_cnn")["keep"] == "best"
    assert config.training_options("noise2void")["keep"] == config.training_options("neighbor2neighbor")["keep"] == "last"


def test_options_of_fpl_are_shared_where_its_weights_come_from_elsewhere():
    config = fair(methods={"fpl": {"weights": "mine.safetensors"}, "noisy": {}})
    assert config.training_options("red_cnn")["steps"] == 300


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"fair": {"budgets": ["steps", "seconds"]}}, "fair.budgets has seconds, but fair.seconds_per_step is empty: `fplbench"),
        ({"fair": {"budgets": ["steps", "steps"]}}, "fair.budgets names a budget twice"),
        ({"fair": {"methods": {}}}, "fair.methods needs at least one name"),
        ({"fair": {"methods": {"red_cnn": {"bath": 2}}}}, "fair.methods.red_cnn.bath is not a known key: did you mean 'batch'?"),
        ({"fair": {"methods": {"mine": {"rule": True}}}}, "fair.methods.mine has rule: true"),
        ({"fair": {"methods": {"nlm": {"strength": 5}}}}, "fair.methods.nlm is under methods too"),
        ({"fair": {"seconds_per_step": {"red_cn": 1}}}, "fair.seconds_per_step names 'red_cn', which is not a training: did you"),
        ({"fair": {"steps": {"nlm": 1}}}, "fair.steps names 'nlm', which is not a training"),
        ({"methods": {"nlm": {"budget": "seconds"}}}, "methods.nlm.budget is seconds, which is for networks other than FPL"),
        ({"methods": {"fpl": {"budget": "seconds"}}}, "methods.fpl.budget is seconds, which is for networks other than FPL"),
        ({"methods": {"fair_nlm": {"method": "nlm"}}}, "methods.fair_nlm has the name of a group of methods"),
        ({"explanation": {"activation": "relu"}, "training": {"dncnn": {"features": True}}, "methods": ["dncnn"]}, "is zero"),
    ],
)  # fmt: skip
def test_a_comparison_that_cannot_be_made_is_refused_with_the_key(values, message):
    with pytest.raises(InputError) as error:
        fair(**values)
    assert message in str(error.value)


def test_repeats_name_the_stacks_of_learned_methods_alone():
    config = fair(repeats=3)
    names = with_repeats(config.columns.values(), config)
    assert [name for name in names if name.startswith("fpl")] == ["fpl", "fpl-2", "fpl-3"]
    assert [name for name in names if name.startswith("nlm")] == ["nlm"]
    assert {"dpir-2", "dpir-3"} <= names.keys()  # its network is trained here
    assert "dpir-2" not in with_repeats((published := fair(repeats=3, training={})).columns.values(), published)


def test_a_noise_may_be_limited_to_some_data_sets():
    config = load_config({"noises": {"gaussian": {}, "poisson": {"datasets": ["lits"]}}})
    assert config.noises_of("lits") == ["gaussian", "poisson"] and config.noises_of("lidc") == ["gaussian"]
    assert config.cells(["poisson"]) == [("lits", "poisson")]
    assert load_config(config.resolved()).noises_of("rsna") == ["gaussian"]
    assert "datasets" not in config.noise_options("lits", "poisson")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"noises": {"gaussian": {"datasets": ["lidk"]}}}, "noises.gaussian.datasets names 'lidk', which is not under datasets"),
        ({"noises": {"gaussian": {"datasets": []}}}, "noises.gaussian.datasets is []"),
        ({"noises": {"low_dose_ct": {}}}, "noises.low_dose_ct is made from Hounsfield units, which rsna does not have"),
        ({"ablation": {"noises": ["rician"]}, "noises": {"gaussian": {}, "rician": {"datasets": ["lits"]}}}, "limited to lits"),
        (
            {"detectability": {"noises": ["low_dose_ct"]}, "noises": {"low_dose_ct": {"datasets": ["lidc"]}}},
            "detectability.noises names 'low_dose_ct', which needs Hounsfield units",
        ),
    ],
)
def test_a_wrong_limit_is_named(values, message):
    with pytest.raises(InputError) as error:
        load_config(values)
    assert message in str(error.value)


def test_a_noise_that_is_limited_to_all_data_sets_is_not_limited():
    config = load_config({"datasets": ["lidc"], "noises": {"low_dose_ct": {"datasets": ["lidc"]}}})
    assert config.figures.noise == "low_dose_ct" and config.detectability.noises == []


@pytest.mark.parametrize("name", ["fair", "lidc-small"])
def test_the_shipped_fair_configs_have_the_levels_of_the_papers_config(name):
    with open("config/config.yaml") as paper, open(f"config/{name}.yaml") as stream:
        published, config = load_config(yaml.safe_load(paper)), load_config(yaml.safe_load(stream))
    assert config.protocol == "fair" and {"noisy_grey_map", "fpl", "dpir"} <= config.columns.keys()
    for dataset in config.datasets:
        for noise in {*config.noises_of(dataset)} & published.noises.keys():
            assert config.noise_options(dataset, noise) == published.noise_options(dataset, noise)
