import hashlib
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from fplbench.errors import InputError
from fplbench.files import read_csv, replacing, seal_path, write_csv, write_text
from fplbench.networks import UNet, weights
from fplbench.stacks import open_stack, write_stack
from fplbench.training.loop.state import load_state, save_state
from tests.helpers.files import flip


def permissions(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_every_kind_of_file_gets_the_permissions_of_a_new_file(tmp_path):
    (tmp_path / "new").touch()
    index = [{"image_id": "a", "patient": "p"}]
    write_text(tmp_path / "note.txt", "text")
    write_csv(tmp_path / "table.csv", index)
    write_stack(tmp_path / "stack.npy", np.zeros((1, 4, 4), np.uint8), index)
    weights.save(UNet(width=2), tmp_path / "network.safetensors")
    found = {path.name: permissions(path) for path in tmp_path.iterdir()}
    assert found == dict.fromkeys(found, permissions(tmp_path / "new"))
    assert len(found) == 8  # with the seals of the stack and of the network


def test_a_private_file_of_a_library_becomes_readable(tmp_path):
    (tmp_path / "new").touch()
    with replacing(tmp_path / "tensors.safetensors") as temporary:
        save_file({"x": torch.zeros(2)}, temporary)
        temporary.chmod(0o600)
    assert permissions(tmp_path / "tensors.safetensors") == permissions(tmp_path / "new")


def test_a_failure_keeps_the_old_file_and_leaves_nothing_else(tmp_path):
    write_text(tmp_path / "note.txt", "old")
    with pytest.raises(RuntimeError), replacing(tmp_path / "note.txt") as temporary:
        temporary.write_text("half of the n")
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]
    assert (tmp_path / "note.txt").read_text() == "old"


def test_a_table_comes_back_as_strings(tmp_path):
    write_csv(tmp_path / "new" / "table.csv", [{"name": "a, b", "value": 1}, {"name": "ü", "value": 2.5}])
    assert read_csv(tmp_path / "new" / "table.csv", ["name"]) == [
        {"name": "a, b", "value": "1"},
        {"name": "ü", "value": "2.5"},
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"name\na\n", "has no column 'value'"),
        (b"name,value\na,1\nb\n", "line 3: the number of values differs from the 2 columns"),
        (b"name,value\na,1,2\n", "line 2: the number of values differs from the 2 columns"),
        (b"\xff\xfe\x00", r"is not a \.csv table"),
    ],
)
def test_a_damaged_table_is_refused(tmp_path, content, message):
    (tmp_path / "table.csv").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_csv(tmp_path / "table.csv", ["name", "value"])
    with pytest.raises(InputError, match=r"none\.csv does not exist"):
        read_csv(tmp_path / "none.csv")


def test_the_seal_is_the_sha_256_of_the_file_and_goes_when_another_program_of_ours_replaces_it(tmp_path):
    write_stack(tmp_path / "stack.npy", np.zeros((1, 4, 4), np.uint8))
    content = (tmp_path / "stack.npy").read_bytes()
    assert seal_path(tmp_path / "stack.npy").read_text().strip() == hashlib.sha256(content).hexdigest()
    write_text(tmp_path / "stack.npy", "another file of that name")
    assert not seal_path(tmp_path / "stack.npy").exists()


def test_a_flipped_bit_of_a_stack_is_found(tmp_path):
    write_stack(tmp_path / "stack.npy", np.zeros((1, 4, 4), np.uint8))
    flip(tmp_path / "stack.npy")
    with pytest.raises(InputError, match=r"stack\.npy is not a readable .* has changed since it was written.* Delete it"):
        open_stack(tmp_path / "stack.npy")
    seal_path(tmp_path / "stack.npy").unlink()  # as the message says for those who have changed it themselves
    assert open_stack(tmp_path / "stack.npy").sum() == 1


def test_a_flipped_bit_of_a_network_is_found(tmp_path):
    weights.save(UNet(width=2), tmp_path / "network.safetensors")
    weights.load(tmp_path / "network.safetensors")
    flip(tmp_path / "network.safetensors")
    with pytest.raises(InputError, match=r"The weight file .* cannot be used: it has changed since it was written"):
        weights.load(tmp_path / "network.safetensors")


def test_a_flipped_bit_of_a_training_state_is_found(tmp_path):
    network = UNet(width=2)
    optimizer = torch.optim.Adam(network.parameters())
    save_state(tmp_path / "state.safetensors", network, optimizer, {"step": 3}, {"config": "a"})
    assert load_state(tmp_path / "state.safetensors", network, optimizer, {"config": "a"})[0] == {"step": 3}
    flip(tmp_path / "state.safetensors")
    with pytest.raises(InputError, match=r"state.* has changed since it was written: delete it to start again"):
        load_state(tmp_path / "state.safetensors", network, optimizer, {"config": "a"})


def test_files_from_elsewhere_have_no_seal_and_are_read(tmp_path):
    np.save(tmp_path / "stack.npy", np.full((2, 3, 4), 7, np.uint8))
    assert open_stack(tmp_path / "stack.npy").shape == (2, 3, 4)


def test_what_a_killed_process_has_left_half_written_is_removed_and_what_another_one_writes_is_not(tmp_path):
    code = (
        "import sys, time; from fplbench.files import replacing\n"
        "with replacing(sys.argv[1], sealed=True) as file: print(file, flush=True); time.sleep(60)"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code, tmp_path / "a.npy"], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    killed, working = (Path(process.stdout.readline().strip()) for process in started)
    assert killed.exists() and working.exists()  # neither has taken the other's file
    started[0].kill()
    started[0].wait()
    others = [tmp_path / name for name in (".a.npy.notes.npy", ".b.npy.0123456789abcdef0123456789abcdef.npy", "a.npy")]
    for path in others:
        path.touch()
    write_stack(tmp_path / "a.npy", np.zeros((1, 4, 4), np.uint8))
    assert not killed.exists() and working.exists() and all(path.exists() for path in others)
    started[1].kill()
    started[1].wait()
