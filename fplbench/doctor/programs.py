"""Checks of programs and fonts beside Python."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from fplbench.doctor.registry import Finding, Place, check

DOCUMENT = r"""\documentclass{article}\usepackage{booktabs}
\begin{document}\begin{tabular}{l}\toprule x\\\bottomrule\end{tabular}\end{document}
"""
TEX = "apt-get install texlive-latex-base texlive-latex-recommended"
TEST_PROGRAMS = {
    "chromium": "chromium",
    "chromedriver": "chromium-driver",
    "java": "default-jre-headless",
    "convert": "imagemagick",
}
"""Programs that tests use, and the package of Debian that has each."""


@check("tex")
def tex(place: Place) -> Finding:
    """Whether TeX can set the tables: a document of two lines is compiled."""
    if shutil.which("pdflatex") is None:
        advice = f"Tables are written all the same, as .tex, .md, .csv and .html. To compile them here: `{TEX}`."
        return Finding("warning", "There is no pdflatex.", advice)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "x.tex").write_text(DOCUMENT, encoding="ascii")
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "x.tex"]
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False, timeout=120)
        if run.returncode or not (Path(folder) / "x.pdf").exists():
            said = next((line for line in run.stdout.splitlines() if line.startswith("!")), "! no reason given")
            return Finding(
                "warning", f"pdflatex cannot set a table: {said.removeprefix('! ')}", f"The package booktabs: `{TEX}`."
            )
    return Finding("ok", "pdflatex sets a table with booktabs.")


@check("fonts")
def fonts(place: Place) -> Finding:
    """Whether matplotlib finds the fonts of the figures."""
    import matplotlib
    from matplotlib import font_manager

    wanted = {
        weight: font_manager.FontProperties(family=matplotlib.rcParams["font.family"], weight=weight)
        for weight in ("normal", "bold")
    }
    missing = []
    for weight, properties in wanted.items():
        try:
            font_manager.findfont(properties, fallback_to_default=False)
        except ValueError:
            missing.append(weight)
    name = font_manager.FontProperties(fname=font_manager.findfont(wanted["normal"])).get_name()
    if missing:
        given = ", ".join(matplotlib.rcParams["font.family"])
        advice = (
            f"Figures would have other letters. Mend font.family in {matplotlib.matplotlib_fname()}, or install matplotlib again."
        )
        return Finding("warning", f"matplotlib finds no {' and no '.join(missing)} font of the family {given}.", advice)
    return Finding("ok", f"Figures are lettered in {name}.")


@check("tests")
def test_programs(place: Place) -> Finding:
    """Which programs there are that tests use, and nothing else does."""
    missing = {program: package for program, package in TEST_PROGRAMS.items() if shutil.which(program) is None}
    if missing:
        found = f"Not there: {', '.join(missing)}. Only tests use them, and skip without them."
        return Finding("ok", found, f"For developers: `apt-get install {' '.join(missing.values())}`.")
    return Finding("ok", f"{', '.join(TEST_PROGRAMS)} are there; only tests use them.")
