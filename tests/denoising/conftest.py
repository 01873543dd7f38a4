import pytest

from tests.helpers.programs import has_imagemagick


@pytest.fixture(scope="session")
def imagemagick():
    """Skips where ImageMagick is missing."""
    if not has_imagemagick():
        pytest.skip("ImageMagick is not installed")
