import re
import subprocess
import sys

import numpy as np
import pytest

from fplbench.config.sections import PAPER_NOISES
from fplbench.errors import InputError
from fplbench.methods import METHODS
from fplbench.networks.card import Card
from fplbench.noise import NOISES
from fplbench.registry import Registry, parse_options
from fplbench.training import TRAININGS


def test_every_noise_of_table_1_is_registered_and_some_more():
    more = {"as_acquired", "ghosting", "gibbs", "impulse", "low_dose_ct", "rayleigh", "spike"}
    assert {*NOISES} - more == {*PAPER_NOISES} and more <= {*NOISES}


def test_the_message_for_an_unknown_name_has_the_nearest_one():
    with pytest.raises(InputError, match="'gausian' is not a noise: did you mean 'gaussian'"):
        NOISES["gausian"]


def test_the_message_for_a_name_like_no_other_has_the_list():
    with pytest.raises(InputError, match="the known names are bilateral"):
        METHODS["zzzzzzzz"]


def test_a_name_can_only_be_registered_once():
    registry = Registry("thing", "fplbench.noise")
    registry.add("a", 1)
    with pytest.raises(ValueError, match="twice"):
        registry.add("a", 2)


def test_a_name_is_a_string():
    for registry, kind in ((NOISES, "noise"), (METHODS, "method")):
        with pytest.raises(InputError, match=f"The name of a {kind} must be a string, not ndarray"):
            registry[np.zeros(3)]
        assert [] not in registry


def test_every_entry_has_a_summary():
    for registry in (NOISES, METHODS, TRAININGS):
        for entry in registry.values():
            assert entry.summary, entry.name


def test_options_are_a_mapping():
    with pytest.raises(InputError, match=r"noises\.gaussian is 3, but must be a mapping of options"):
        parse_options(NOISES["gaussian"].options, 3, "noises.gaussian")


def test_a_key_within_a_file_is_named_before_the_file():
    for where, said in (
        ("card.json of t/a.zip", "The window in card.json of t/a.zip is nan"),
        ("The card of a.zip", "The window in the card of a.zip is nan"),
        ("card", "card.window.0 is nan"),
    ):
        with pytest.raises(InputError, match=rf"^{re.escape(said)}: input should be a finite number\.$"):
            parse_options(Card, {"method": "fpl", "label": "FPL", "window": [float("nan"), 1]}, where)
    with pytest.raises(InputError, match=r"^The window_ in card\.json of a\.zip is not a known key: did you mean 'window'"):
        parse_options(Card, {"method": "fpl", "label": "FPL", "window_": 1}, "card.json of a.zip")
    with pytest.raises(InputError, match=r"is 'x': it must be a list of values, such as \[1, 2\]\.$"):
        parse_options(Card, {"method": "fpl", "label": "FPL", "window": "x"}, "card.json of a.zip")


def test_looking_up_a_noise_loads_no_heavy_library():
    script = (
        "import sys; from fplbench.noise import NOISES; list(NOISES);"
        "print(*{'torch', 'cv2', 'scipy', 'skimage', 'pandas'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert result.stdout.strip() == ""


def test_the_order_does_not_depend_on_what_was_imported_before():
    script = "import fplbench.training.residual_same_steps; from fplbench.training import TRAININGS; print(*TRAININGS)"
    names = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout.split()
    assert names == sorted(names) == list(TRAININGS)
