"""Commands that make charts of a whole run."""

import typer


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
