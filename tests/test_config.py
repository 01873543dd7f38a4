import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from fplbench.config import load_config, read_config
from fplbench.config.page import describe_config
from fplbench.config.schema import config_schema
from fplbench.config.sections import PAPER_METHODS, PAPER_NOISES
from fplbench.errors import InputError

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", ["config", "demo"])
def test_the_shipped_configs_are_valid_and_hold_the_whole_matrix(name):
    with open(f"config/{name}.yaml") as stream:
        config = load_config(yaml.safe_load(stream))
    assert sorted(config.noises) == sorted(PAPER_NOISES) and len(PAPER_NOISES) == 13
    assert sorted({*config.methods} - {"noisy_grey_map"}) == sorted(PAPER_METHODS) and len(PAPER_METHODS) == 11
    assert list(config.datasets) == ["lidc", "lits", "rsna"]


def test_the_papers_config_has_the_papers_numbers():
    with open("config/config.yaml") as stream:
        config = load_config(yaml.safe_load(stream))
    assert (config.sampling.train, config.sampling.test, config.sampling.size) == (5000, 500, 256)
    assert config.fpl.width == config.training_options("restoration")["width"] == 64


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"nois": 1}, "nois is not a known key: did you mean 'noises'?"),
        ({"noises": {"gausian": {}}}, "noises.gausian: 'gausian' is not a noise: did you mean 'gaussian'?"),
        ({"noises": {"gaussian": {"sigm": 1}}}, "noises.gaussian.sigm is not a known key: did you mean 'sigma'?"),
        ({"methods": {"median": {}}}, "methods.median: 'median' is not a method: did you mean 'median_filter'?"),
        ({"methods": {"median_filter": {"sise": 3}}}, "methods.median_filter.sise is not a known key: did you mean 'size'?"),
        ({"datasets": {"lidc": {"rot": "x"}}}, "datasets.lidc.rot is not a known key: did you mean 'root'?"),
        ({"datasets": {"lidk": {}}}, "datasets.lidk: 'lidk' is not a loader: did you mean 'lidc'?"),
        ({"training": {"fpl": {"steps": "many"}}}, "training.fpl.steps is 'many': input should be a valid integer"),
        ({"training": {"fpl": {"steps": True}}}, "training.fpl.steps: True is not a number"),
        ({"training": {"fpll": {}}}, "training.fpll: 'fpll' is not a training: did you mean 'fpl'?"),
        ({"denoiser": {}}, "denoiser is not a known key"),
        ({"training": {"drunet": {"pach": 8}}}, "training.drunet.pach is not a known key: did you mean 'patch'?"),
        ({"seed": "one"}, "seed is 'one': input should be a valid integer"),
        ({"explanation": {"beta": -1}}, "explanation.beta is -1: input should be greater than 0"),
        ({"explanation": {"activation": "relu"}}, "its gradient is zero"),
        ({"sampling": {"size": 100}}, "sampling.size is 100: the U-Net needs a multiple of 16"),
        ({"figures": {"noise": "rayleigh"}}, "figures.noise names 'rayleigh', which is not under noises: "),
        ({"feature_error": ["gausian"]}, "feature_error names 'gausian', which is not under noises: did you mean 'gaussian'?"),
        ({"tune": "all"}, "tune is 'all'"),
        ({"metrics": ["psnr", "haarpsy"]}, "metrics names 'haarpsy', which is not a score of images: did you mean 'haarpsi'?"),
        ({"metrics": ["feature_error"]}, "metrics names 'feature_error', which is not a score of images"),
        ({"tables": {"metrics": ["lesion_psn"]}}, "tables.metrics names 'lesion_psn', which is not a metric: did you mean"),
        ({"inserted": {"noises": ["rayleigh"]}}, "inserted.noises names 'rayleigh', which is not under noises"),
        ({"inserted": {"datasets": ["rsna"]}}, "inserted.datasets names 'rsna', but lesions can be inserted into CT images only"),
        ({"sampling": {"lesions": {"share": 2}}}, "sampling.lesions.share is 2: input should be less than or equal to 1"),
        ({"noises": "gaussian"}, "noises is 'gaussian'. It maps names to options, as in noises: {NAME: {}}, or is a list"),
        ({"noises": ["gaussian", "gaussian"]}, "noises names 'gaussian' twice"),
        ({"noises": ["gaussian", "motoin"]}, "noises.motoin: 'motoin' is not a noise: did you mean 'motion'?"),
        ({"datasets": {"lidc": {"noises": {"impulse": {}}}}}, "datasets.lidc.noises.impulse has no counterpart under noises"),
        ({"datasets": {"a b": {"loader": "ct"}}}, "datasets.a b: the name can have letters, digits, _ and -"),
        ({"datasets": {"bm3d": {"loader": "ct"}}, "methods": ["noisy", "bm3d"]}, "datasets.bm3d: methods has that name too"),
        ({"datasets": {"a": {"loader": "ct"}, "A": {"loader": "mr"}}}, "datasets.a: datasets has that name too, in upper"),
        ({"datasets": {"ranks": {"loader": "ct"}}}, "datasets.ranks: a figure of the run has that name"),
        ({"datasets": {"a": {"loader": "ct"}, "a_paper": {"loader": "mr"}}}, "datasets.a_paper: a figure of the run has"),
        ({"datasets": {"a": {"loader": "ct", "label": "CT"}, "b": {"loader": "ct", "label": "CT"}}}, "have the same label, 'CT'"),
        ({"datasets": {"a": {"loader": "paired", "of": "cd"}}}, "datasets.a: of is 'cd', but must be one of ct, mr, radiograph"),
        (
            {"datasets": {"p": {"loader": "paired"}, "a": {"loader": "ct"}}, "noises": {"gaussian": {"datasets": ["p"]}}},
            "noises.gaussian.datasets names 'p', whose images are pairs",
        ),
        ({"datasets": {"lidc": {}, "rsna": {}}, "noises": {"gaussian": {"datasets": ["rsna"]}}}, "datasets.lidc has no noise"),
        ({"noises": ["as_acquired"]}, "noises.as_acquired is the noise of paired images, which no data set here has"),
        ({"datasets": {"p": {"loader": "paired"}}, "inserted": {"noises": ["as_acquired"]}}, "whose noisy images were acquired"),
    ],
)  # fmt: skip
def test_a_wrong_config_is_one_sentence_with_the_key_and_the_nearest_valid_one(values, message):
    with pytest.raises(InputError) as error:
        load_config(values)
    assert message in str(error.value)


def test_options_of_a_data_set_override_those_of_the_noise():
    config = load_config(
        {
            "noises": {"gaussian": {"sigma": 0.1}},
            "datasets": {"lidc": {"noises": {"gaussian": {"sigma": 0.2}}}, "lits": {}},
        }
    )
    assert config.noise_options("lidc", "gaussian")["sigma"] == 0.2
    assert config.noise_options("lits", "gaussian")["sigma"] == 0.1


def test_the_relu_control_runs_where_it_is_asked_for():
    training = {"fpl": {"allow_zero_gradient": True}}
    config = load_config({"explanation": {"activation": "relu"}, "training": training})
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
        ({"training": {"drunet": {}}}, None),
        ({"training": {"drunet": {}}, "methods": {"dpir": {"weights": "my.pth"}}}, "my.pth"),
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
    assert list(load_config({"methods": methods, "tune": "both", "protocol": "fair"}).columns) == [
        "noisy",
        "median_filter",
        "median_filter_tuned",
    ]


def test_a_list_of_names_takes_their_defaults():
    config = load_config({"datasets": ["lits"], "noises": ["gaussian", "motion"], "methods": ["noisy", "tv"]})
    assert config.noises == {"gaussian": {}, "motion": {}}
    assert list(config.columns) == ["noisy", "tv"] and list(config.datasets) == ["lits"]


def test_one_noise_in_place_of_the_papers_says_how_to_add_it_to_them():
    values = {"noises": {"rayleigh": {}}, "ablation": {"noises": ["structured"]}}
    with pytest.raises(InputError, match=r"it has rayleigh\. A section noises replaces .* --configfile config/config.yaml yours"):
        load_config(values)


def test_a_control_takes_the_options_of_what_it_controls():
    config = load_config({"training": {"fpl": {"width": 8}}})
    assert config.training_options("residual_same_steps")["width"] == 8
    config = load_config({"training": {"fpl": {"width": 8}, "residual_same_steps": {"width": 4}}})
    assert config.training_options("residual_same_steps")["width"] == 4


@pytest.mark.parametrize("name", ["config", "fair", "demo", "sample"])
def test_a_resolved_config_is_complete_and_loads_again(name, tmp_path):
    with open(f"config/{name}.yaml") as stream:
        config = load_config(yaml.safe_load(stream))
    resolved = config.resolved()
    assert resolved["noises"]["gaussian"].keys() >= {"sigma"} and resolved["datasets"]["lits"]["window"] == [-160, 240]
    (tmp_path / "config.json").write_text(json.dumps(resolved))
    again = read_config(tmp_path / "config.json")
    assert again.resolved() == resolved
    assert again.weights_of(again.columns["dpir"]) == config.weights_of(config.columns["dpir"])
    for noise in config.noises:
        assert again.noise_options("rsna", noise) == config.noise_options("rsna", noise)


@pytest.mark.parametrize(("text", "message"), [("{", "is not a JSON file"), ("[]", "is not a config")])
def test_what_is_not_a_resolved_config_is_refused(text, message, tmp_path):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(InputError, match=message):
        read_config(tmp_path / "config.json")
    with pytest.raises(InputError, match="does not exist"):
        read_config(tmp_path / "gone.json")


def test_the_page_says_what_the_models_declare():
    page = (ROOT / "docs" / "config.md").read_text()
    if page.partition("## Keys\n")[2].strip() != describe_config():
        pytest.fail("docs/config.md is out of date: run `make generated`.", pytrace=False)


def test_the_schema_is_that_of_the_models():
    if (ROOT / "config" / "schema.json").read_text() != config_schema():
        pytest.fail("config/schema.json is out of date: run `make generated`.", pytrace=False)


@pytest.mark.parametrize("name", ["config", "fair", "lidc-small", "demo", "sample"])
def test_the_shipped_configs_fit_the_schema_that_their_first_line_names(name):
    text = (ROOT / "config" / f"{name}.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=schema.json\n")
    jsonschema.validate(yaml.safe_load(text), json.loads(config_schema()))


@pytest.mark.slow
@pytest.mark.parametrize(
    "values",
    [
        {"nois": 1},
        {"noises": {"gausian": {}}},
        {"noises": {"gaussian": {"sigm": 1}}},
        {"methods": {"median_filter": {"sise": 3}}},
        {"datasets": {"lidc": {"rot": "x"}}},
        {"training": {"fpl": {"steps": "many"}}},
    ],
)
def test_the_schema_refuses_what_the_models_refuse(values):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(values, json.loads(config_schema()))


def test_pairs_have_one_noise_and_the_others_are_added_to_the_rest():
    pairs = {"loader": "paired", "of": "ct"}
    config = load_config({"datasets": {"lidc": {}, "mayo": pairs}, "noises": {"gaussian": {}, "rician": {}}})
    assert config.noises_of("mayo") == ["as_acquired"] and config.noises_of("lidc") == ["gaussian", "rician"]
    assert (config.figure_noise("lidc"), config.figure_noise("mayo")) == ("gaussian", "as_acquired")
    assert config.cells() == [("lidc", "gaussian"), ("lidc", "rician"), ("mayo", "as_acquired")]
    assert config.generalisation == ["gaussian", "rician"] and config.compared == ["lidc"]
    alone = load_config({"datasets": {"mayo": pairs}})
    assert [*alone.noises] == ["as_acquired"] and alone.compared == ["mayo"]
    assert load_config(alone.resolved()).resolved() == alone.resolved()


def test_only_data_sets_that_are_read_as_the_papers_are_compared_with_it():
    config = load_config({"datasets": {"lidc": {}, "lits": {"loader": "ct"}, "chest": {"loader": "lidc"}}})
    assert config.published == ["lidc"]


def test_data_sets_can_have_different_noises():
    """What compares data sets then has nothing to compare, and figures show the first noise of each."""
    noises = {"low_dose_ct": {"datasets": ["a"]}, "rician": {"datasets": ["b"]}}
    config = load_config({"datasets": {"a": {"loader": "ct"}, "b": {"loader": "mr"}}, "noises": noises})
    assert config.ablation.noises == config.generalisation == config.detectability.noises == []
    assert (config.figure_noise("a"), config.figure_noise("b")) == ("low_dose_ct", "rician")
