import hashlib
import json

import pytest

from fplbench.errors import InputError
from fplbench.files import write_csv, write_text
from fplbench.reporting.manifest import manifest
from tests.helpers.scores import run, write_config


def sha256(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def folder(tmp_path):
    """A clean stack, and the hashes that were taken when it was scored."""
    folder = tmp_path / "results"
    for name, data in {"data/lidc/test.npy": b"clean", "scores.csv": b"scores"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    hashes = {"clean": {"test": sha256(b"clean")}, "denoised": {"fpl": sha256(b"fpl"), "noisy": sha256(b"noisy")}}
    for noise in ("gaussian", "poisson"):
        write_text(folder / "hashes" / "lidc" / f"{noise}.json", json.dumps(hashes))
    return folder


def test_files_go_by_their_paths_from_the_folder_of_the_run_and_those_elsewhere_are_apart(folder, tmp_path):
    (tmp_path / "weights.pth").write_bytes(b"weights")
    files = [folder / "scores.csv", folder / ".." / "results" / "data" / "lidc" / "test.npy", tmp_path / "weights.pth"]
    found = manifest({}, files, folder)
    assert found["files"] == {
        "scores.csv": {"sha256": sha256(b"scores"), "bytes": 6},
        "data/lidc/test.npy": {"sha256": sha256(b"clean"), "bytes": 5},
    }
    assert found["outside"] == {str(tmp_path / "weights.pth"): {"sha256": sha256(b"weights"), "bytes": 7}}


def test_denoised_stacks_are_listed_by_the_hashes_from_when_they_were_scored(folder):
    """They are not there any more; the noise poisson is left over from a run with another config."""
    config = {"datasets": {"lidc": {}}, "noises": {"gaussian": {}}}
    found = manifest(config, [folder / "data" / "lidc" / "test.npy"], folder, folder / "hashes")
    assert found["files"]["denoised/lidc/gaussian/fpl.npy"] == {"sha256": sha256(b"fpl")}
    assert sorted(found["files"]) == [
        "data/lidc/test.npy", "denoised/lidc/gaussian/fpl.npy", "denoised/lidc/gaussian/noisy.npy",
    ]  # fmt: skip


def test_a_clean_stack_that_has_changed_since_it_was_scored_is_refused(folder):
    (folder / "data" / "lidc" / "test.npy").write_bytes(b"other")
    with pytest.raises(InputError, match=r"data/lidc/test.npy has changed since 'gaussian' was scored"):
        manifest({}, [folder / "data" / "lidc" / "test.npy"], folder, folder / "hashes")


def test_a_folder_without_hashes_is_refused(folder):
    with pytest.raises(InputError, match="holds no hashes of scored stacks"):
        manifest({}, [], folder, folder / "nothing")


def test_devices_seeds_and_threads_are_those_of_the_jobs(folder, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    write_csv(
        folder / "cost.csv",
        [{"method": "fpl", "device": "cuda"}, {"method": "nlm", "device": "cpu"}, {"method": "r", "device": ""}],
    )
    found = manifest({"seed": 5, "repeats": 3}, [folder / "cost.csv"], folder)
    assert found["devices"] == ["cpu", "cuda"]
    assert found["seeds"] == {"run": 5, "trainings": [5, 6, 7]}
    assert found["threads"]["environment"]["OMP_NUM_THREADS"] == "3"


def test_the_command_writes_paths_from_the_folder_of_the_manifest(folder):
    config = write_config(folder / "config.json", datasets=["lidc"], noises=["gaussian"])
    run("manifest", folder / "run.json", folder / "scores.csv", config, "--hashes", folder / "hashes", "--config", config)
    found = json.loads((folder / "run.json").read_text())
    assert {"scores.csv", "config.json", "denoised/lidc/gaussian/fpl.npy"} < set(found["files"])
    assert found["config"] == json.loads(config.read_text())
