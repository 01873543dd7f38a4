"""Commands of the ablation: they choose the variants that are trained, and compare them."""

from pathlib import Path
from typing import Annotated

import typer

from fplbench.cli.options import ConfigFile, parse_json, read_run
from fplbench.cli.tables import DataFolder
from fplbench.errors import InputError

Out = Annotated[Path, typer.Argument(help="File to write, .json.")]
Controls = Annotated[
    list[str] | None, typer.Option("--control", help="Variant that is kept whatever its scores; repeat it.", metavar="NAME")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
    app.command("align-variants")(align_variants)
    app.command("screen-variants")(screen_variants)
    app.command("ablation")(ablation)


def align_variants(
    out: Out,
    tables: Annotated[
        list[Path], typer.Argument(help="Tables of fplbench align, .csv, one for each data set and noise.", metavar="TABLE...")
    ],
    variants: Annotated[
        str,
        typer.Option(
            help='Explanation of each variant as a JSON object, "" where features are not compared, so that it is kept.',
            metavar="JSON",
        ),
    ],
    controls: Controls = None,
    least_cosine: Annotated[float, typer.Option(help="Smallest mean cosine over the tables that is kept.")] = 0.0,
) -> None:
    """Choose the variants of the ablation whose loss points at the clean image; those without a gradient are left out."""
    from fplbench.reporting.screening import write_aligned

    explanations = parse_json(variants, "--variants")
    for name, explanation in explanations.items():
        if not isinstance(explanation, str):
            raise InputError(f'--variants gives {name!r} {explanation!r}: the name of its explanation is needed, or "".')
    write_aligned(out, tables, explanations, controls or (), least_cosine)


def screen_variants(
    out: Out,
    scores: Annotated[
        list[Path],
        typer.Argument(
            help="Scores of images, {dataset}/{noise}.csv, of methods named {variant}-{seed} with one seed.", metavar="SCORES..."
        ),
    ],
    lesion_scores: Annotated[list[Path], typer.Option(help="Scores of lesions, {dataset}/{noise}.csv; repeat it.")],
    keep: Annotated[int, typer.Option(min=1, help="How many variants are kept beside the controls.")],
    controls: Controls = None,
    largest_loss: Annotated[
        float, typer.Option(min=0, help="Loss of PSNR, dB, beyond which a variant comes after those with less.")
    ] = 0.1,
    forms: Annotated[
        list[str] | None,
        typer.Option("--form", help="Variant that can be kept, if not all can; repeat it.", metavar="NAME", show_default="all"),
    ] = None,
) -> None:
    """Choose the variants of the ablation that raise the PSNR of lesions most with one seed."""
    from fplbench.reporting.screening import write_screened

    write_screened(out, scores, lesion_scores, controls or (), keep, largest_loss, forms)


def ablation(
    folder: Annotated[
        Path,
        typer.Argument(
            help="Folder with validation/ and test/, which hold scores, feature_scores, lesion_scores and detectability as "
            "{dataset}/{noise}.csv of methods named {variant}-{seed}; ablation.csv, ablation.md and ablation_{dataset}.png are "
            "written into it."
        ),
    ],
    control: Annotated[str, typer.Option(help="Variant that the others are compared with.")],
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Compare variants of a method, each trained with several seeds, with a control variant."""
    from fplbench.config import load_config
    from fplbench.reporting.ablation import write_ablation
    from fplbench.reporting.ablation_roles import Roles
    from fplbench.reporting.captions import presentation

    run = read_run(config)
    roles = Roles.of((run or load_config({})).ablation_variants())
    write_ablation(folder, control, roles, presentation(run).labels, data)
