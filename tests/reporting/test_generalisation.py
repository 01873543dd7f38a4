import csv

import numpy as np
import pytest
from PIL import Image

from fplbench.errors import InputError
from fplbench.reporting.facts import Facts
from fplbench.reporting.generalisation import entries, write_generalisation
from fplbench.reporting.scores import read_scores


def test_data_sets_are_means_over_noises(write_scores):
    cells = {
        ("lits", "poisson", "lidc"): [30, 32], ("lits", "poisson", "noisy"): [20, 22],
        ("lits", "rician", "lidc"): [20, 22], ("lits", "rician", "noisy"): [24, 26],
    }  # fmt: skip
    found = {(e.trained, e.applied): e for e in entries(read_scores(write_scores(cells)), "dataset", 0) if e.metric == "psnr"}
    assert found["lidc", "lits"].mean == 26
    assert found["lidc", "lits"].gain == 3
    assert found["lidc", "lits"].group == ""
    assert (found["lidc", "lits"].low, found["lidc", "lits"].high) == (None, None)  # two patients


def test_intervals_are_paired_over_noises_and_name_images_where_persons_are_unknown(write_scores):
    base = np.random.default_rng(0).normal(30, 2, 20)
    path = write_scores({("rsna", "poisson", "lidc"): base, ("rsna", "rician", "lidc"): 60 - base})
    unknown, volumes = Facts(persons_known=False), Facts(persons_known=False, identified=False, counted_by=("volume",))
    assert {e.unit for e in entries(read_scores(path), "dataset", 0, {"rsna": volumes})} == {"volumes"}
    [found] = [e for e in entries(read_scores(path), "dataset", 0, {"rsna": unknown}) if e.metric == "psnr"]
    assert (found.low, found.high) == pytest.approx((30, 30))  # what a patient loses on one noise it gains on the other
    assert (found.unit, found.units) == ("images", 20)


def test_noises_scored_on_other_images_are_refused(write_scores):
    path = write_scores({("lits", "poisson", "lidc"): [30, 32], ("lits", "rician", "lidc"): [20]})
    with pytest.raises(InputError, match="The noises of lits were scored on different images"):
        list(entries(read_scores(path), "dataset", 0))


def test_noises_have_a_matrix_a_data_set(write_scores):
    cells = {
        (data, noise, trained): [30.0 + len(trained)] * 2
        for data in ("lidc", "rsna")
        for noise in ("poisson", "rician")
        for trained in ("poisson", "rician")
    }
    found = [e for e in entries(read_scores(write_scores(cells)), "noise", 0) if e.metric == "psnr"]
    assert {(e.group, e.trained, e.applied): e.mean for e in found}["rsna", "poisson", "rician"] == 37
    assert len(found) == 8
    assert found[0].gain is None


@pytest.mark.parametrize("across", ["dataset", "noise"])
def test_files_hold_the_matrix(write_scores, tmp_path, across):
    names = {"dataset": ("lidc", "lits"), "noise": ("poisson", "rician")}[across]
    cells = {
        (data, noise, trained): [30, 31]
        for data in ("lidc", "lits")
        for noise in ("poisson", "rician")
        for trained in (*names, "noisy")
    }
    write_generalisation(write_scores(cells), tmp_path, across, seed=0)
    with open(tmp_path / f"generalisation_{across}.csv", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["metric"] == "psnr"]
    assert {row["trained"] for row in rows} == {*names, "noisy"}
    assert {row["applied"] for row in rows} == set(names)
    assert Image.open(tmp_path / f"generalisation_{across}.png").format == "PNG"
