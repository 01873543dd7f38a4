"""Commands that make the paper beside a run."""

import typer


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
