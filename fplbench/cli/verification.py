"""Commands that verify and compare runs."""

import typer


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
