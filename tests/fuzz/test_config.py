"""Whatever a config holds, it loads or is refused in one sentence; what has loaded loads again to the same."""

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fplbench.config import load_config
from fplbench.config.models import Config
from fplbench.datasets import LOADERS
from fplbench.errors import InputError
from fplbench.methods import METHODS
from fplbench.noise import NOISES
from fplbench.training import TRAININGS
from tests.fuzz.strategies import TEXTS, mappings, places, replaced, values

ROOT = Path(__file__).parents[2]
CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.yaml"))
SHIPPED = {path.stem: yaml.safe_load(path.read_text()) for path in sorted((ROOT / "config").glob("*.yaml"))}
NAMED = {"datasets": LOADERS, "noises": NOISES, "methods": METHODS, "training": TRAININGS}
ENTRY = ("loader", "noises", "datasets", "label", "root", "window", "of", "method", "tune", "grey_map", "budget", "rule")


def keys_of(section):
    """Keys that values of a section can have."""
    fields = getattr(Config.model_fields[section].annotation, "model_fields", {})
    return (*fields, *NAMED.get(section, ()), *(ENTRY if section in NAMED else ()), "lidc", "gaussian")


def entries_of(section):
    """Options of registered names: `gaussian: {sigma: ...}`."""
    models = {name: (*entry.options.model_fields, *ENTRY) for name, entry in NAMED[section].items()}
    return st.sampled_from([*models]).flatmap(lambda name: st.fixed_dictionaries({name: st.none() | mappings(*models[name])}))


def sections():
    """A config of one or several sections."""
    one = {name: values(*keys_of(name)) | (entries_of(name) if name in NAMED else st.nothing()) for name in Config.model_fields}
    return st.lists(st.sampled_from([*one]), min_size=1, max_size=3, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: one[name] for name in names})
    )


def check(config):
    """Load a config, or have it refused in a sentence; then load it again."""
    try:
        loaded = load_config(config)
    except InputError as error:
        assert str(error).strip()
        return None
    resolved = loaded.resolved()
    again = load_config(json.loads(json.dumps(resolved))).resolved()
    assert json.dumps(again) == json.dumps(resolved)
    return loaded


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_a_config_that_once_failed(path):
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert (check(config) is None) == path.stem.startswith("results-")  # which are refused; what is fixed otherwise loads


@given(sections())
def test_any_sections(config):
    check(config)


@given(st.data())
def test_a_shipped_config_with_another_value_somewhere(data):
    config = SHIPPED[data.draw(st.sampled_from([*SHIPPED]))]
    path = data.draw(st.sampled_from(places(config)))
    check(replaced(config, path, data.draw(values(*map(str, path)))))


@given(st.dictionaries(TEXTS, values(), max_size=3))
def test_any_keys(config):
    check(config)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_configs_load_again_to_the_same(name):
    if not name.startswith("ablation"):  # plans, which are added to another config
        assert check(SHIPPED[name]) is not None
