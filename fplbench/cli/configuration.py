"""The command that explains the config."""

import typer


def register(app: typer.Typer) -> None:
    """Add this part's commands."""
    app.command("config")(config)


def config() -> None:
    """Print every key of the config with its default and meaning."""
    from fplbench.reporting.config_page import describe_config

    typer.echo(describe_config())
