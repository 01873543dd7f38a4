"""The command that checks the installation."""

import json
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
    app.command("doctor")(doctor)


def doctor(
    configfile: Annotated[
        list[Path] | None,
        typer.Option(
            help="Config of a run, to check its data and room too. "
            "Several stand behind one --configfile, as for Snakemake; later ones win."
        ),
    ] = None,
    further: Annotated[list[Path] | None, typer.Argument(hidden=True)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check the installation and this machine, and say what to do (exit code 0: it can run, 1: it cannot)."""
    from fplbench.doctor import consult
    from fplbench.errors import InputError

    if further and not configfile:
        raise InputError(f"Write --configfile before {further[0]}.")
    lines = []
    for line in consult([*(configfile or ()), *(further or ())]):
        lines.append(line)
        if not as_json:
            typer.echo(str(line))
    errors = [line.name for line in lines if line.finding.status == "error"]
    warnings = [line.name for line in lines if line.finding.status == "warning"]
    if as_json:
        checks = [{"name": line.name, **vars(line.finding)} for line in lines]
        typer.echo(json.dumps({"ok": not errors, "checks": checks}, indent=1))
    elif errors:
        typer.echo(f"\nThe benchmark cannot run here until these are fixed: {', '.join(errors)}.")
    else:
        less = f", with what its warnings say: {', '.join(warnings)}" if warnings else ""
        typer.echo(f"\nThe benchmark can run here{less}.")
    raise typer.Exit(1 if errors else 0)
