"""The registry of data sets."""

import subprocess
import sys

import pytest

from fplbench.datasets import LOADERS
from fplbench.errors import InputError


def test_the_three_data_sets_of_the_paper_with_their_labels_and_windows():
    labels = {name: LOADERS[name].label for name in ("lidc", "rsna", "lits")}
    windows = {name: LOADERS[name].options().window for name in labels}
    assert labels == {"lidc": "LIDC-IDRI", "rsna": "RSNA", "lits": "LiTS"}
    assert windows == {"lidc": (-1000, 400), "rsna": None, "lits": (-160, 240)}


def test_a_misspelt_data_set_gets_the_nearest_name():
    with pytest.raises(InputError, match="'lids' is not a loader: did you mean 'li"):
        LOADERS["lids"]


def test_the_registry_loads_no_heavy_library():
    code = (
        "import sys; from fplbench.datasets import LOADERS, check_root; list(LOADERS);"
        "print({'torch', 'cv2', 'pydicom', 'nibabel', 'pandas', 'PIL', 'scipy', 'skimage'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


@pytest.mark.parametrize("name", ["lidc", "rsna", "lits"])
def test_every_option_is_described(name):
    assert all(field.description for field in LOADERS[name].options.model_fields.values())


def test_every_data_set_says_whether_its_images_may_be_redistributed():
    sharing = {name: dataset.sharing for name, dataset in LOADERS.items()}
    assert "may be redistributed" in sharing["lidc"] and "CC BY 3.0" in sharing["lidc"]
    assert "may not be redistributed" in sharing["lits"] and "CC BY-NC-ND 4.0" in sharing["lits"]
    assert "may not be redistributed" in sharing["rsna"] and "Kaggle" in sharing["rsna"]
