from pathlib import Path

import pytest

from fplbench.noise import NOISES, noise

PAGE = Path(__file__).parents[2] / "docs" / "noise.md"


@pytest.mark.parametrize("name", sorted(NOISES))
def test_the_page_lists_every_noise_with_all_its_options(name):
    row = next(line for line in PAGE.read_text().splitlines() if line.startswith(f"| `{name}`"))
    missing = [option for option in NOISES[name].options.model_fields if f"`{option}`" not in row]
    assert not missing


@pytest.mark.parametrize("name", sorted(NOISES))
def test_every_noise_is_described_and_cited(name):
    entry = NOISES[name]
    assert entry.cites and entry.label and entry.title and entry.summary
    assert all(field.description for field in entry.options.model_fields.values())


def test_a_noise_without_a_docstring_is_refused():
    register = noise("nameless", label="Nameless", title="Nameless", options=NOISES["gaussian"].options, cites="")
    with pytest.raises(ValueError, match="the function of the noise 'nameless' needs a docstring"):
        register(lambda clean, draws, options: clean)
    assert "nameless" not in NOISES
