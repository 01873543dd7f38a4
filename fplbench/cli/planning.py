"""The command that says what a run will take."""

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
        list[Path],
        typer.Option(help="Config of the run. Several stand behind one --configfile, as for Snakemake; later ones win."),
    ] = [DEFAULT],  # noqa: B006, as typer copies it
    measure: Annotated[
        bool, typer.Option("--measure", help="Time a few steps, methods and noises on this machine, and scale them.")
    ] = False,
    device: DeviceName = "auto",
    threads: Threads = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False,
) -> None:
    """Say what a run will take, without any data: jobs, disk, operations of networks, and hours on known devices.

    Call it in the folder of the Snakefile, which says what the targets need. With --measure, let nothing else run meanwhile.
    """
    from fplbench.config import read_yaml

    # Snakemake takes all words behind --configfile.
    further = [Path(target) for target in targets if target.endswith((".yaml", ".yml"))]
    configfile = [*configfile, *further]
    targets = [target for target in targets if Path(target) not in further] or ["all"]
    config = read_yaml(*configfile)
    from fplbench.device import use_numerics
    from fplbench.planning.jobs import planned
    from fplbench.planning.plan import make_plan
    from fplbench.planning.text import describe

    use_numerics(config.computing)
    use_threads(threads)
    found = make_plan(config, planned(config, targets, configfile), device if measure else None)
    typer.echo(json.dumps(found.as_json(), indent=1) if as_json else describe(found))
