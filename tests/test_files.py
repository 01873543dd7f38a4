import stat

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from fplbench.errors import InputError
from fplbench.files import read_csv, replacing, write_csv, write_text
from fplbench.networks import UNet, weights
from fplbench.stacks import write_stack


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
    assert len(found) == 6


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
