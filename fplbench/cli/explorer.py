"""Commands that make the explorer pages."""

import typer


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
