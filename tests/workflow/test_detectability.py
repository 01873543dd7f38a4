import csv
import json

import nibabel
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from fplbench.cli.detectability import register
from fplbench.errors import InputError
from fplbench.stacks import open_stack, write_stack
from tests.helpers.workflow import plan, snakemake, write_config, write_volumes

OBSERVER = {"contrasts": {"lits": [60]}, "sizes": [48], "pairs": 20, "resamples": 100}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of the target alone, on volumes of 4 mm to a pixel."""
    folder = tmp_path_factory.mktemp("detectability")
    write_volumes(folder / "volumes")
    for path in (folder / "volumes").iterdir():
        nibabel.save(nibabel.Nifti1Image(nibabel.load(path).get_fdata().astype(np.int16), np.diag([4, 4, 2, 1])), path)
    methods = {"noisy": {}, "fpl": {}, "median_filter": {"tune": True}}
    write_config(folder, methods=methods, detectability=OBSERVER, tuning={"images": 2})
    process = snakemake(folder, "detectability", "--configfile", "config.yaml")
    assert process.returncode == 0, process.stdout[-3000:]
    return folder


def test_every_method_is_scored_on_the_noise_of_the_figures(finished):
    with open(finished / "out/detectability/detectability.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {(row["dataset"], row["noise"], row["method"]) for row in rows} == {
        ("lits", "gaussian", name) for name in ("noisy", "fpl", "median_filter")
    }
    assert {row["pairs"] for row in rows} == {"20"}
    for kind in ("dprime", "nps", "ttf"):
        assert (finished / f"out/detectability/{kind}_lits.png").exists()


def test_noise_of_a_pair_is_independent_and_denoised_stacks_do_not_stay(finished):
    assert not list((finished / "out/detectability").rglob("median_filter.npy"))
    snakemake(finished, "out/detectability/noisy/lits/gaussian/absent.npy", "--configfile", "config.yaml", "--notemp", "--force")
    noise = [
        open_stack(finished / f"out/detectability/noisy/lits/gaussian/{kind}.npy").astype(float)
        - open_stack(finished / f"out/detectability/lits/{kind}.npy")
        for kind in ("absent", "present")
    ]
    inside = np.s_[:, 12:20, 12:20]  # away from values that are clipped
    assert abs(np.corrcoef(noise[0][inside].ravel(), noise[1][inside].ravel())[0, 1]) < 0.1


def test_it_is_not_part_of_all_and_a_new_contrast_leaves_trainings_alone(finished):
    assert not {"observe", "insert_signals"} & plan(finished, "--configfile", "config.yaml").keys()
    methods = {"noisy": {}, "fpl": {}, "median_filter": {"tune": True}}
    changed = {**OBSERVER, "contrasts": {"lits": [40]}}
    write_config(finished, "changed.yaml", methods=methods, detectability=changed, tuning={"images": 2})
    jobs = plan(finished, "detectability", "--configfile", "changed.yaml")
    assert jobs["insert_signals"] == jobs["observe"] == 1 and "train_fpl" not in jobs


def test_tuned_options_are_those_of_the_test_images(tmp_path):
    app = typer.Typer()
    register(app)
    image = np.random.default_rng(0).integers(0, 256, (1, 16, 16)).astype(np.uint8)
    for kind in ("absent", "present"):
        write_stack(tmp_path / "noisy" / f"{kind}.npy", image, [{"image_id": "a", "patient": "p"}])
    (tmp_path / "median_filter.json").write_text('{"size": 5}')
    arguments = ["denoise-signals", str(tmp_path / "noisy"), str(tmp_path / "out"), "--methods"]
    arguments.append(json.dumps({"median_filter": {"method": "median_filter", "tune": True}}))
    outcome = CliRunner().invoke(app, arguments)
    assert isinstance(outcome.exception, InputError) and "--chosen median_filter.json" in str(outcome.exception)
    CliRunner().invoke(app, [*arguments, f"--chosen={tmp_path / 'median_filter.json'}"], catch_exceptions=False)
    found = open_stack(tmp_path / "out" / "present" / "median_filter.npy")
    assert found[0, 8, 8] == np.median(image[0, 6:11, 6:11])
