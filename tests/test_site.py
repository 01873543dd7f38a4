"""What the strict build of the documentation does not look at: the navigation, pictures, and links out of docs/."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [*sorted(DOCS.glob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]


def test_the_navigation_has_every_page_once():
    with open(ROOT / "zensical.toml", "rb") as stream:
        navigation = tomllib.load(stream)["project"]["nav"]
    assert sorted(page for entry in navigation for page in entry.values()) == sorted(page.name for page in DOCS.glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_links_to_is_there(page):
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
    assert [target for target in targets if "://" not in target and not (page.parent / target).exists()] == []
