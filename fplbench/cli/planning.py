"""The command that says what a run needs."""

import json
from pathlib import Path
from typing import Annotated

import typer

from fplbench.cli.options import DeviceName, Threads, use_threads

DEFAULT = Path("config/config.yaml")


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
    app.command("plan")(plan)


def plan(
    targets: Annotated[
        list[str], typer.Argument(help="Targets as Snakemake knows them, such as fair, ablation, or a file.", show_default=False)
    ] = ["all"],  # noqa: B006, as typer copies it
    configfile: Annotated[
        list[Path] | None,
        typer.Option(
            help=f"Config of the run, {DEFAULT} without it. "
            "Several stand behind one --configfile, as for Snakemake; later ones win."
        ),
    ] = None,
    measure: Annotated[
        bool, typer.Option("--measure", help="Time a few steps, methods and noises on this machine, and scale them.")
    ] = False,
    device: DeviceName = "auto",
    threads: Threads = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False,
) -> None:
    """Say what a run needs, without any data: jobs, disk, operations of networks, and hours on known devices.

    Call it in the folder of the Snakefile, which says what the targets need. With --measure, let nothing else run meanwhile.
    """
    from fplbench.config import read_yaml
    from fplbench.errors import InputError
    from fplbench.planning.asking import require

    further = [target for target in targets if target.endswith((".yaml", ".yml"))]
    if further and not configfile:
        raise InputError(f"{further[0]} is taken for a target: write --configfile before it.")
    # Snakemake takes all words behind --configfile.
    configfiles = [*(configfile or [DEFAULT]), *map(Path, further)]
    targets = [target for target in targets if target not in further] or ["all"]
    require()
    config = read_yaml(*configfiles)
    from fplbench.numerics import use_numerics
    from fplbench.planning.jobs import planned
    from fplbench.planning.plan import make_plan
    from fplbench.planning.text import describe

    use_numerics(config.computing)
    use_threads(threads)
    found = make_plan(config, planned(config, targets, configfiles), device if measure else None)
    typer.echo(json.dumps(found.as_json(), indent=1) if as_json else describe(found))
