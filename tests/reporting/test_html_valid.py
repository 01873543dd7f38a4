"""Every kind of page is valid HTML, as the Nu checker of the W3C and WHATWG tells.

The checker is a .jar file, which npm's package vnu-jar holds and the variable VNU_JAR may name.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.helpers.pages import write_pages

pytestmark = pytest.mark.slow


def checker() -> Path | None:
    """The checker's .jar file, where there is one."""
    found = [Path(os.environ["VNU_JAR"])] if "VNU_JAR" in os.environ else []
    if shutil.which("npm"):
        roots = [subprocess.run(["npm", "root", *where], capture_output=True, text=True).stdout.strip() for where in ([], ["-g"])]
        found += [Path(root, "vnu-jar", "build", "dist", "vnu.jar") for root in roots if root]
    return next((path for path in found if path.is_file()), None)


@pytest.fixture(scope="module")
def check(tmp_path_factory):
    """Function: the errors and warnings of some pages, one a line."""
    jar = checker()
    if not shutil.which("java"):
        pytest.skip("Java is missing: apt-get install default-jre-headless")
    if jar is None:
        pytest.skip("The HTML checker is missing: npm install -g vnu-jar, or name its vnu.jar in VNU_JAR")
    return lambda *pages: subprocess.run(["java", "-jar", jar, *pages], capture_output=True, text=True).stderr


def test_the_checker_finds_what_is_wrong(check, tmp_path):
    page = tmp_path / "wrong.html"
    page.write_text('<!DOCTYPE html><html lang="en"><head><title>T</title></head><body><p id="a">A<p id="a">B</body></html>')
    assert "Duplicate ID" in check(page)


def test_every_page_is_valid(check, tmp_path):
    pages = write_pages(tmp_path)
    assert set(pages) == {"table", "report", "paper", "explorer"}
    assert check(*pages.values()) == ""
