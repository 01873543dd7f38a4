"""The folder of a data set: what is said if it is not there."""

import pytest

from fplbench.datasets import LOADERS, check_root, find_dataset
from fplbench.datasets.roots import NOTICE
from fplbench.errors import InputError


@pytest.mark.parametrize("state", ["missing", "empty"])
@pytest.mark.parametrize("name", ["lidc", "rsna", "lits"])
def test_the_message_for_a_missing_folder_gives_the_key_and_how_to_get_the_data(tmp_path, name, state):
    root = tmp_path / "data"
    if state == "empty":
        root.mkdir()
    with pytest.raises(InputError) as error:
        check_root(find_dataset(name), root)
    for text in (str(root), f"datasets.{name}.root", f"fplbench fetch {name}", LOADERS[name].page):
        assert text in str(error.value)


def test_the_licence_alone_is_an_empty_folder(tmp_path):
    """As an interrupted download leaves it."""
    (tmp_path / NOTICE).write_text("CC BY 3.0")
    with pytest.raises(InputError, match="is empty"):
        check_root(find_dataset("lidc"), tmp_path)
    (tmp_path / "1.dcm").touch()
    check_root(find_dataset("lidc"), tmp_path)


def test_a_general_loader_only_asks_for_the_folder(tmp_path):
    with pytest.raises(InputError, match=r"set datasets\.own\.root to the folder with the DICOM or NIfTI files\.$"):
        check_root(find_dataset("own", "ct"), tmp_path / "none")


def test_a_file_is_not_a_folder(tmp_path):
    (tmp_path / "a").touch()
    with pytest.raises(InputError, match="is not a folder"):
        check_root(find_dataset("lits"), tmp_path / "a")
