"""The hash of a job's code, on a copy of the package in which one file is edited."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import fplbench
from fplbench.code_hash import _targets, imported_modules

PACKAGE = Path(fplbench.__file__).parent


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """Function: hash modules of a copy of the package in which some text was replaced."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(PACKAGE, folder / "fplbench", ignore=shutil.ignore_patterns("__pycache__"))

    def hash_of(*modules, file=None, old="", new=""):
        path = folder / "fplbench" / (file or "seeds.py")
        before = path.read_text()
        assert old in before, f"{old!r} is not in {path}"
        path.write_text(before.replace(old, new, 1))
        try:
            script = "import sys; from fplbench.code_hash import code_hash; print(code_hash(*sys.argv[1:]))"
            command = [sys.executable, "-c", script, *modules]
            return subprocess.run(
                command, cwd=folder, env={"PYTHONPATH": str(folder)}, check=True, capture_output=True, text=True
            ).stdout
        finally:
            path.write_text(before)

    return hash_of


def test_comments_docstrings_layout_and_descriptions_change_nothing(copy):
    plain = copy("fplbench.noise.mri")
    assert copy("fplbench.noise.mri", file="noise/mri.py", old='"""Noise', new='# A comment.\n\n"""Other words') == plain
    description = 'description="Number of receiver coils'
    assert copy("fplbench.noise.mri", file="noise/mri.py", old=description, new='description="Other words') == plain
    # The docstring of a class that the module imports.
    assert (
        copy("fplbench.noise.mri", file="errors.py", old='(ValueError):\n    """', new='(ValueError):\n    """Other. ') == plain
    )


def test_code_of_the_module_and_of_what_it_imports_changes_the_hash(copy):
    plain = copy("fplbench.noise.mri")
    assert copy("fplbench.noise.mri", file="noise/mri.py", old="np.sqrt(power, out=power)", new="np.sqrt(power)") != plain
    assert copy("fplbench.noise.mri", file="noise/draws.py", old="standard_normal", new="other") != plain
    assert copy("fplbench.noise.mri", file="noise/intensity.py", old="np.", new="numpy.") == plain


@pytest.mark.parametrize(
    ("module", "inside", "outside"),
    [
        # Imports inside functions count; a class is imported from its own module, not through the package.
        ("fplbench.methods.fpl", {"networks.unet", "networks.inference", "stacks"}, {"networks.drunet", "methods.dpir"}),
        ("fplbench.explaining.maps", {"explaining.guided", "networks.unet"}, {"networks.drunet", "scoring.metrics"}),
        # A name that a package looks up when it is asked for.
        ("fplbench.training.loop.run", {"networks.weights"}, {"networks.drunet"}),
        ("fplbench.noise.synthesis", {"seeds", "stacks", "noise.registry"}, {"noise.mri", "noise.motion"}),
        ("fplbench.denoising.groups", {"denoising.tuning", "scoring.metrics"}, {"methods.nlm", "training.fpl"}),
        ("fplbench.datasets.sampling.sample", {"datasets.scan", "seeds"}, {"datasets.lidc", "downloads.sample"}),
    ],
)
def test_what_a_job_runs_is_followed_and_what_it_does_not_run_is_not(module, inside, outside):
    found = {name.removeprefix("fplbench.") for name in imported_modules([module])}
    assert inside <= found
    assert not outside & found


def test_no_hash_depends_on_the_version_or_on_the_command_line():
    for module in ("fplbench.denoising.groups", "fplbench.reporting.report", "fplbench.training.loop.run"):
        found = imported_modules([module])
        assert "fplbench" not in found
        assert not [name for name in found if name.startswith("fplbench.cli")]


def test_a_module_that_is_not_there_is_named():
    with pytest.raises(ModuleNotFoundError, match=r"fplbench\.noise\.nothing"):
        imported_modules(["fplbench.noise.nothing"])


def test_a_name_that_a_package_looks_up_is_followed_to_its_module(copy):
    new = "import numpy as np\nfrom fplbench.explaining import guided_backprop\nfrom fplbench.networks import UNet\n"
    script = {"file": "methods/median_filter.py", "old": "import numpy as np\n", "new": new}
    assert copy("fplbench.methods.median_filter", **script) != copy("fplbench.methods.median_filter")
    found = {module for name in ("UNet", "guided_backprop") for package in ("networks", "explaining")
             for module in _targets(f"fplbench.{package}", name)}  # fmt: skip
    assert {"fplbench.networks.unet", "fplbench.explaining.guided"} <= found
    assert "fplbench.networks.drunet" not in found


def test_a_table_of_a_package_counts(copy):
    changed = copy("fplbench.published", file="published/tables.csv", old="gaussian", new="changed")
    assert changed != copy("fplbench.published")


def test_what_another_process_found_is_not_parsed_again_and_a_damaged_cache_does_no_harm(tmp_path):
    """Without the parser the hash can only come from the cache."""
    script = "import ast; {}from fplbench.code_hash import code_hash; print(code_hash('fplbench.noise.mri'))"
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}

    def hash_of(before=""):
        command = [sys.executable, "-c", script.format(before)]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    expected = hash_of()
    assert hash_of("ast.parse = None; ") == expected
    (kept,) = (tmp_path / "fplbench").iterdir()
    for text in ("no JSON", "[]", json.dumps(dict.fromkeys(json.loads(kept.read_text()), 1))):
        kept.write_text(text)
        assert hash_of() == expected
