"""The licence and citation of a data set, shown before a download and saved with the data."""

from pathlib import Path

from fplbench.datasets.files import check_folder
from fplbench.datasets.registry import LOADERS
from fplbench.datasets.roots import NOTICE
from fplbench.files import write_text


def announce(name: str, folder: Path, requirements: str) -> str:
    """Write the licence and the citation to DATA_LICENCE.md in the data folder.

    Args:
        name: lidc, rsna or lits.
        folder: the data folder; it is created if it does not exist.
        requirements: what the download needs, for the screen only.

    Returns:
        The text to show: licence, citation, source and requirements.

    Raises:
        InputError: the folder cannot be written to.
    """
    dataset = LOADERS[name]
    text = f"# {dataset.label}\n\nLicence: {dataset.licence}\n\nPlease cite: {dataset.citation}\n\nFrom: {dataset.page}\n"
    check_folder(folder)
    write_text(folder / NOTICE, text)
    return f"{text}\n{requirements}\n"
