"""Write the parts of the documentation that the code declares: `make generated`."""

from pathlib import Path

import yaml

from fplbench.calibration.page import write_page
from fplbench.config.page import describe_config
from fplbench.config.schema import config_schema
from fplbench.denoising.documentation import describe_methods
from fplbench.explaining.documentation import describe_features

ROOT = Path(__file__).parents[1]


def replace_section(file: Path, heading: str, text: str, following: str = "") -> None:
    """Replace what stands in a page between a heading and the following one, or the end."""
    before, found, rest = file.read_text().partition(f"{heading}\n")
    after = rest[rest.index(following) :] if following else ""
    file.write_text(f"{before}{found}\n{text}\n" + (f"\n{after}" if after else ""))


with open(ROOT / "config" / "sample.yaml") as stream:
    note = yaml.safe_load(stream)["calibration"]["note"]
write_page(ROOT / "docs" / "data" / "comparisons.csv", ROOT / "docs" / "published-psnr.md", note)
replace_section(ROOT / "docs" / "config.md", "## Keys", describe_config())
replace_section(ROOT / "docs" / "methods.md", "## Options", describe_methods(), "## Sources\n")
replace_section(ROOT / "docs" / "feature-preserving-loss.md", "### Features", describe_features(), "### Uses\n")
(ROOT / "config" / "schema.json").write_text(config_schema())
