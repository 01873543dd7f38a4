import numpy as np
import pytest
from PIL import Image

from fplbench.contact_sheet import contact_sheet
from fplbench.errors import InputError
from fplbench.stacks import write_stack


@pytest.fixture
def stacks(tmp_path):
    paths = {}
    for dataset in ("lidc", "rsna"):
        rows = [{"image_id": f"{dataset}{k}", "patient": "p", "source": "s", "slice": k} for k in range(3)]
        write_stack(tmp_path / f"{dataset}.npy", np.full((3, 48, 48), 100, np.uint8), rows)
        paths[dataset] = tmp_path / f"{dataset}.npy"
    return paths


def test_every_data_set_widens_the_sheet(stacks, tmp_path):
    contact_sheet(tmp_path / "one.png", {"lidc": stacks["lidc"]}, {}, seed=1)
    contact_sheet(tmp_path / "two.png", stacks, {"lidc": {"gaussian": {"sigma": 0.2}}}, seed=1, captions={"rsna": "radiograph"})
    one, two = (Image.open(tmp_path / name) for name in ("one.png", "two.png"))
    assert two.width == 2 * one.width and two.height == one.height
    assert np.ptp(np.asarray(two.convert("L"))) > 200


def test_a_missing_image_or_a_wrong_option_is_named(stacks, tmp_path):
    with pytest.raises(InputError, match="has 3 images; there is no image 3"):
        contact_sheet(tmp_path / "sheet.png", stacks, {}, seed=1, image=3)
    with pytest.raises(InputError, match=r"noises\.gaussian\.sgima"):
        contact_sheet(tmp_path / "sheet.png", stacks, {"lidc": {"gaussian": {"sgima": 1}}}, seed=1)
    with pytest.raises(InputError, match="'gausian' is not a noise"):
        contact_sheet(tmp_path / "sheet.png", stacks, {"rsna": {"gausian": {}}}, seed=1)
    assert not (tmp_path / "sheet.png").exists()
