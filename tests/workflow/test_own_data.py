"""Data of one's own through the whole workflow: scans under any name, and pairs of noisy and clean images."""

import csv
import json
import shutil

import nibabel
import numpy as np
import pytest

from tests.helpers.workflow import TRAINING, snakemake, write_config, write_volumes


@pytest.fixture(scope="module")
def own_run(tmp_path_factory):
    """A finished run on CT volumes called `mine`, and on pairs called `lowdose`, whose noisy images are 100 HU too bright."""
    folder = tmp_path_factory.mktemp("own")
    write_volumes(folder / "scans")
    for mask in (folder / "scans").glob("segmentation-*"):
        mask.unlink()
    shutil.copytree(folder / "scans", folder / "pairs/full")
    for path in sorted((folder / "pairs/full").iterdir()):
        volume = nibabel.load(path)
        noisy = folder / "pairs/quarter" / path.name
        noisy.parent.mkdir(exist_ok=True)
        nibabel.save(nibabel.Nifti1Image(np.asarray(volume.dataobj) + np.int16(100), volume.affine), noisy)
    window = [-200, 300]
    write_config(
        folder,
        datasets={
            "mine": {"loader": "ct", "label": "My scans", "root": "scans", "window": window},
            "lowdose": {"loader": "paired", "root": "pairs", "clean": "full", "noisy": "quarter", "window": window},
        },
        noises={"gaussian": {"sigma": 0.1}},
        methods={"noisy": {}, "fpl": {}, "median_filter": {}},
        training={"restoration": TRAINING, "fpl": TRAINING},
    )
    process = snakemake(folder, "--configfile", "config.yaml", "--rerun-triggers", "mtime")
    assert process.returncode == 0, process.stdout[-3000:]
    return folder / "out"


def rows(path):
    with open(path, newline="") as stream:
        return list(csv.DictReader(stream))


def test_pairs_have_one_noise_as_they_were_acquired(own_run):
    noises = {dataset: {row["noise"] for row in rows(own_run / f"scores/{dataset}.csv")} for dataset in ("mine", "lowdose")}
    assert noises == {"mine": {"gaussian"}, "lowdose": {"as_acquired"}}


def test_the_noisy_image_of_a_pair_is_the_one_that_was_acquired(own_run):
    """100 HU are 51 of 255 grey levels in a window of 500 HU, but at the edge of the body, where air is cut off and averaged."""
    clean = np.load(own_run / "data/lowdose/test.npy").astype(int)
    noisy = np.load(own_run / "noisy/lowdose/as_acquired/test.npy").astype(int)
    inside = (clean > 100) & (clean < 204)
    assert inside.mean() > 0.2
    assert np.abs((noisy - clean)[inside] - 51).max() <= 1


def test_tables_and_pages_have_the_labels(own_run):
    assert "My scans" in (own_run / "tables/mine.html").read_text()
    table = (own_run / "tables/lowdose.md").read_text()
    assert "As acquired" in table or "as acquired" in table
    report = (own_run / "report.html").read_text()
    assert "My scans" in report and "lowdose" in report
    assert "ask their owner" in (own_run / "explorer/mine.html").read_text()


def test_only_the_papers_data_sets_stand_beside_the_paper(own_run):
    assert not (own_run / "paper").exists()


def test_the_resolved_config_names_the_loaders(own_run):
    datasets = json.loads((own_run / "config.json").read_text())["datasets"]
    assert {name: entry["loader"] for name, entry in datasets.items()} == {"mine": "ct", "lowdose": "paired"}
