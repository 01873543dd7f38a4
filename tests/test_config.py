import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from fplbench.config import PAPER_METHODS, PAPER_NOISES, load_config
from fplbench.errors import InputError
from fplbench.reporting.config_page import describe_config


@pytest.mark.parametrize("name", ["config", "demo"])
def test_the_shipped_configs_are_valid_and_hold_the_whole_matrix(name):
    with open(f"config/{name}.yaml") as stream:
        config = load_config(yaml.safe_load(stream))
    assert sorted(config.noises) == sorted(PAPER_NOISES) and len(PAPER_NOISES) == 13
    assert sorted(config.methods) == sorted(PAPER_METHODS) and len(PAPER_METHODS) == 11
    assert list(config.datasets) == ["lidc", "lits", "rsna"]


def test_the_papers_config_has_the_papers_numbers():
    with open("config/config.yaml") as stream:
        config = load_config(yaml.safe_load(stream))
    assert (config.sampling.train, config.sampling.test, config.sampling.size) == (5000, 500, 256)
    assert config.denoiser.width == config.restoration.width == 64


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"nois": 1}, "nois is not a known key: did you mean 'noises'?"),
        ({"noises": {"gausian": {}}}, "noises.gausian: 'gausian' is not a noise: did you mean 'gaussian'?"),
        ({"noises": {"gaussian": {"sigm": 1}}}, "noises.gaussian.sigm is not a known key: did you mean 'sigma'?"),
        ({"methods": {"median": {}}}, "methods.median: 'median' is not a method: did you mean 'median_filter'?"),
        ({"methods": {"median_filter": {"sise": 3}}}, "methods.median_filter.sise is not a known key: did you mean 'size'?"),
        ({"datasets": {"lidc": {"rot": "x"}}}, "datasets.lidc.rot is not a known key: did you mean 'root'?"),
        ({"datasets": {"lidk": {}}}, "datasets.lidk: 'lidk' is not a data set: did you mean 'lidc'?"),
        ({"denoiser": {"steps": "many"}}, "denoiser.steps is 'many': input should be a valid integer"),
        ({"denoiser": {"steps": True}}, "denoiser.steps: True is no number"),
        ({"drunet": {"pach": 8}}, "drunet.pach is not a known key: did you mean 'patch'?"),
        ({"seed": "one"}, "seed is 'one': input should be a valid integer"),
        ({"explanation": {"beta": -1}}, "explanation.beta is -1: input should be greater than 0"),
        ({"explanation": {"activation": "relu"}}, "its gradient is zero"),
        ({"sampling": {"size": 100}}, "sampling.size is 100: the U-Net needs a multiple of 16"),
        ({"figures": {"noise": "rayleigh"}}, "figures.noise is 'rayleigh', which is not under noises"),
        ({"feature_error": ["gausian"]}, "feature_error names 'gausian', which is not in the config: did you mean 'gaussian'?"),
        ({"tune": "all"}, "tune is 'all'"),
        ({"datasets": {"lidc": {"noises": {"impulse": {}}}}}, "datasets.lidc.noises.impulse has no counterpart under noises"),
    ],
)  # fmt: skip
def test_a_wrong_config_is_one_sentence_with_the_key_and_the_nearest_valid_one(values, message):
    with pytest.raises(InputError) as error:
        load_config(values)
    assert message in str(error.value)


def test_options_of_a_data_set_go_before_those_of_the_noise():
    config = load_config(
        {
            "noises": {"gaussian": {"sigma": 0.1}},
            "datasets": {"lidc": {"noises": {"gaussian": {"sigma": 0.2}}}, "lits": {}},
        }
    )
    assert config.noise_options("lidc", "gaussian")["sigma"] == 0.2
    assert config.noise_options("lits", "gaussian")["sigma"] == 0.1


def test_the_relu_control_runs_where_it_is_asked_for():
    config = load_config({"explanation": {"activation": "relu"}, "denoiser": {"allow_zero_gradient": True}})
    assert config.explanation.activation == "relu"


def test_checking_a_config_loads_no_heavy_library():
    script = (
        "import sys; from fplbench.config import load_config; load_config({});"
        "print(*{'torch', 'cv2', 'scipy', 'skimage', 'pandas', 'pywt', 'pydicom', 'nibabel', 'matplotlib'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert result.stdout.strip() == ""


@pytest.mark.parametrize(
    ("values", "weights"),
    [
        ({}, "weights/drunet_gray.pth"),
        ({"drunet": {}}, None),
        ({"drunet": {}, "methods": {"dpir": {"weights": "my.pth"}}}, "my.pth"),
    ],
)
def test_dpir_takes_the_published_weights_unless_a_section_trains_them_or_a_file_is_named(values, weights):
    config = load_config(values)
    assert config.weights_of(config.columns["dpir"]) == weights


def test_a_config_with_another_noise_alone_shows_and_ablates_that_one():
    config = load_config({"noises": {"impulse": {}}, "methods": {"noisy": {}, "tv": {}}})
    assert config.figures.noise == "impulse" and config.ablation.noises == ["impulse"]
    assert not config.trains_fpl


def test_tuning_adds_columns_or_replaces_them():
    methods = {"noisy": {}, "median_filter": {}}
    assert list(load_config({"methods": methods}).columns) == ["noisy", "median_filter"]
    assert list(load_config({"methods": methods, "tune": "both"}).columns) == [
        "noisy",
        "median_filter",
        "median_filter_tuned",
    ]


def test_the_page_says_what_the_models_declare():
    """Where this fails: replace what stands under Keys by what `fplbench config` prints."""
    page = (Path(__file__).parents[1] / "docs" / "config.md").read_text()
    assert page.partition("## Keys\n")[2].strip() == describe_config()
