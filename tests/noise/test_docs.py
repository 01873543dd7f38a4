from pathlib import Path

import pytest

from fplbench.noise import NOISES

PAGE = Path(__file__).parents[2] / "docs" / "noise.md"


@pytest.mark.parametrize("name", sorted(NOISES))
def test_the_page_lists_every_kind_with_all_its_options(name):
    row = next(line for line in PAGE.read_text().splitlines() if line.startswith(f"| `{name}`"))
    missing = [option for option in NOISES[name].options.model_fields if f"`{option}`" not in row]
    assert not missing


@pytest.mark.parametrize("name", sorted(NOISES))
def test_every_kind_says_what_it_is_and_where_it_comes_from(name):
    entry = NOISES[name]
    assert entry.cites and entry.label and entry.title
    assert all(field.description for field in entry.options.model_fields.values())
