"""A card in words, as the quality page, the README of a bundle and the command line have it."""

from fplbench.networks.card import Card, NoiseLevel
from fplbench.networks.card_text import describe_images, describe_training, noise_text

LEVEL = NoiseLevel(minimum=8, median=10, maximum=12)
CARD = Card(
    method="fpl", label="FPL", dataset="lidc", dataset_label="LIDC-IDRI", modalities=("CT",), hounsfield=True,
    window=(-1000, 400), pixel_mm=(3.7512, 3.8), size=96, images=1080, patients=20, noise="gaussian",
    noise_title="Gaussian Noise", noise_level=LEVEL,
)  # fmt: skip


def test_a_full_card_is_said_in_three_sentences():
    """A grey level is 1400 / 255 = 5.49 HU."""
    assert describe_training(CARD) == (
        "It was trained on 1,080 images of 20 patients from LIDC-IDRI (CT), 96x96 pixels of 3.75 x 3.8 mm. Their noise, Gaussian "
        "Noise, had a standard deviation of 43.9 to 65.9 HU (8 to 12 grey levels), the median 54.9 HU (10 grey levels). Values "
        "from -1000 to 400 HU are its window; values outside pass unchanged."
    )
    assert describe_training(CARD).startswith(describe_images(CARD))


def test_noise_of_images_without_hu_is_said_in_grey_levels():
    other = Card(method="fpl", label="FPL", modalities=("MR",), percentiles=(0.5, 99.5), noise_level=LEVEL, patients=1, images=1)
    assert describe_training(other) == (
        "It was trained on 1 image of 1 patient from a data set that it does not name (MR). Their noise had a standard deviation "
        "of 8 to 12 grey levels, the median 10 grey levels. Its window are the percentiles 0.5 and 99.5 of each series."
    )


def test_what_is_not_known_is_left_out():
    assert describe_training(Card(method="fpl", label="FPL")) == "It was trained on images from a data set that it does not name."
    assert describe_images(Card(method="fpl", label="FPL", dataset="lits", pixel_mm=(1, 1), noise="as_acquired")) == (
        "It was trained on images from lits, pixels of 1 x 1 mm. Their noise was as_acquired."
    )
    assert describe_training(None) == "The model has no card: what it was trained on, if anything, is not recorded."


def test_noise_is_said_with_three_digits_and_never_as_a_power_of_ten():
    assert noise_text((1.23456, 2000), None) == "1.23 to 2000 grey levels"
    assert noise_text((10,), (-1000, 4100)) == "200 HU (10 grey levels)"
