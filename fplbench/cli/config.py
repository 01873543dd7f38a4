"""The command that explains the config."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
    app.command("config")(config)


def config(
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of the config instead.")] = False,
) -> None:
    """Print every key of the config with its default and meaning."""
    if schema:
        from fplbench.config.schema import config_schema

        typer.echo(config_schema(), nl=False)
        return
    from fplbench.config.page import describe_config

    typer.echo(describe_config())
