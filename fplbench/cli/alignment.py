"""Commands that examine explanations before anyone trains with them: where L_FP points, and how noise changes the maps."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fplbench.cli.options import DeviceName, NumericsJson, Threads, apply_numerics, parse_json, use_threads
from fplbench.errors import InputError

if TYPE_CHECKING:
    from fplbench.explaining.options import ExplanationOptions

OF_ANY_SIZE = ("gradient_ratio", "change", "change_sd", "sensitivity")
"""Columns whose values differ by orders of magnitude."""
Networks = Annotated[
    list[str] | None,
    typer.Option(
        "--network",
        help="Weight file of an explained network, .safetensors, by its role: restoration, lesion or random; may be repeated.",
        metavar="ROLE=PATH",
    ),
]
Explanations = Annotated[
    str | None,
    typer.Option(
        help='Explanations by name, as a JSON object, such as {"mine": {"feature": "guided", "beta": 10}}; '
        "fplbench explanations lists the features and their options.",
        metavar="JSON",
        show_default="a choice for the networks that are given",
    ),
]
Images = Annotated[int, typer.Option(min=1, help="Number of images, at even distances in the stack.")]
Out = Annotated[Path | None, typer.Option(help="Table to write, .csv.")]
Figure = Annotated[Path | None, typer.Option(help="Picture to write, .png, .pdf or .svg.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this stage."""
    app.command("explanations")(explanations)
    app.command("align")(align)
    app.command("compare-explanations")(compare_explanations)


def explanations() -> None:
    """List the features that explanations find, with their options."""
    from fplbench.explaining.documentation import describe_features

    typer.echo(describe_features())


def align(
    denoiser: Annotated[Path, typer.Argument(help="Weight file of a trained denoiser, .safetensors.")],
    clean: Annotated[Path, typer.Argument(help="Stack of clean images, .npy.")],
    noisy: Annotated[Path, typer.Argument(help="Noisy stack of the same images.")],
    networks: Networks = None,
    explanations: Explanations = None,
    images: Images = 16,
    out: Out = None,
    figure: Figure = None,
    threads: Threads = 1,
    device: DeviceName = "auto",
    numerics: NumericsJson = "{}",
) -> None:
    """Measure whether L_FP of explanations points from the output of a denoiser to the clean images.

    A cosine of 1 is the direction of the residual loss, and near 0 the loss teaches nothing about the error.
    """
    apply_numerics(numerics)
    use_threads(threads)
    from fplbench.explaining.alignment import RESIDUAL, alignments, default_explanations
    from fplbench.explaining.alignment_table import COLUMNS, alignment_rows
    from fplbench.reporting.panels import check_picture

    if figure is not None:
        check_picture(figure)
    paths = _named(networks, "--network", "restoration=restoration.safetensors")
    chosen = _read_explanations(explanations, default_explanations(paths), (RESIDUAL,))
    found = alignments(denoiser, clean, noisy, chosen, paths, images, device)
    rows = alignment_rows(found, chosen)
    _print(rows, COLUMNS)
    _write(out, rows, COLUMNS)
    if figure is not None:
        from fplbench.reporting.alignment_figure import alignment_figure

        alignment_figure(figure, found)


def compare_explanations(
    clean: Annotated[Path, typer.Argument(help="Stack of clean images, .npy.")],
    noisy: Annotated[
        list[str] | None,
        typer.Option(help="Noisy stack of the same images, by the name of its noise; repeat it.", metavar="NAME=PATH"),
    ] = None,
    denoised: Annotated[
        list[str] | None,
        typer.Option(help="Denoised stack, by the name of its noise; repeat it.", metavar="NAME=PATH"),
    ] = None,
    networks: Networks = None,
    explanations: Explanations = None,
    images: Images = 16,
    out: Out = None,
    figure: Figure = None,
    threads: Threads = 1,
    device: DeviceName = "auto",
    numerics: NumericsJson = "{}",
) -> None:
    """Measure how much the maps of explanations change between clean, noisy and denoised images, for each noise.

    The paper chooses guided back-propagation because it is sensitive to noise (section 3.1). The image itself and its Sobel
    gradients are compared too, as controls.
    """
    apply_numerics(numerics)
    use_threads(threads)
    from fplbench.explaining.sensitivity import COLUMNS, DEFAULT, IMAGE, Comparison, change_rows
    from fplbench.reporting.panels import check_picture

    if figure is not None:
        check_picture(figure)
    example = "gaussian=noisy/gaussian/test.npy"
    comparison = Comparison(
        clean,
        _named(noisy, "--noisy", example),
        _named(denoised, "--denoised", example),
        _read_explanations(explanations, DEFAULT, (IMAGE,)),
        _named(networks, "--network", "restoration=restoration.safetensors"),
        images,
        device,
    )
    found = comparison.changes()
    rows = change_rows(found)
    _print(rows, COLUMNS)
    _write(out, rows, COLUMNS)
    if figure is not None:
        from fplbench.reporting.sensitivity_figure import sensitivity_figure

        sensitivity_figure(figure, found, comparison.shown())


def _named(arguments: Sequence[str] | None, option: str, example: str) -> dict[str, Path]:
    """Read the values of an option that names files."""
    paths: dict[str, Path] = {}
    for argument in arguments or ():
        name, separator, path = argument.partition("=")
        if not separator or not name or not path:
            raise InputError(f"{option} {argument} does not name a file; write it as {option} {example}.")
        if name in paths:
            raise InputError(f"{option} gives {name!r} twice.")
        paths[name] = Path(path)
    return paths


def _read_explanations(
    text: str | None, default: Mapping[str, Mapping[str, Any]], reserved: Sequence[str]
) -> "dict[str, ExplanationOptions]":
    """The explanations of a JSON object, or others where there is none."""
    from fplbench.explaining.named import named_explanations

    return named_explanations(default if text is None else parse_json(text, "--explanations"), reserved)


def _print(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> None:
    """Print a table and what its columns mean, without those that are empty."""
    from fplbench.reporting.markdown import aligned

    shown = [name for name in columns if any(row[name] != "" for row in rows)]
    words = next(place for place, name in enumerate(shown) if not all(isinstance(row[name], str) for row in rows))
    typer.echo(aligned([shown, *([_written(name, row[name]) for name in shown] for row in rows)], words))
    typer.echo("\n" + "\n".join(f"{name}: {columns[name]}." for name in shown))


def _written(column: str, value: Any) -> str:
    """A value for people."""
    if not isinstance(value, float):
        return str(value)
    return f"{value:.3g}" if column in OF_ANY_SIZE else f"{value:.3f}"


def _write(path: Path | None, rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> None:
    from fplbench.files import write_csv

    if path is not None:
        write_csv(path, rows, list(columns))
        typer.echo(f"Written: {path}")
