"""What a config holds never reaches a shell as anything but a quoted word, and folders may have any name."""

import re
import shlex

import pytest

from fplbench.config import load_config
from fplbench.errors import InputError
from tests.helpers.workflow import snakemake, write_config, write_volumes

HOSTILE = "a b'; touch x; \"$(touch y)`touch z`|&!#*?~\\"
LINES = f"{HOSTILE}<{{}}>\nsecond; touch w\ttab"
TARGETS = ("all", "fair", "generalisation", "detectability", "noise_sheet", "ablation", "calibrate")
COMMAND = r"^Shell command: (?!None$)(.*?)(?=\n+(?:Would remove|Job stats|\[)|\Z)"  # targets have none
QUOTED = re.compile(r"""'[^']*'|"'"(?=')""")  # shlex.quote writes a quote within a word as '"'"'
BARE = re.compile(r"[\w ./:=,+*-]*")
REDIRECTION = re.compile(r">>? *(?=[\w./]|$)|2>&1|&&")


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    """The commands of every job of a config whose texts and folders are hostile; none of them has run."""
    folder = tmp_path_factory.mktemp("hostile")
    write_hostile_config(folder)
    # Without the profile of the repository, whose logger prints no commands.
    plan = ("--workflow-profile", "none", "--dry-run", "--printshellcmds", "--resources", "gpu=0")
    process = snakemake(folder, *TARGETS, *plan, "--configfile", "config.yaml")
    assert process.returncode == 0, process.stdout[-3000:]
    assert sorted(path.name for path in folder.iterdir()) == [".snakemake", "config.yaml"]
    return re.findall(COMMAND, process.stdout, re.MULTILINE | re.DOTALL)


def write_hostile_config(folder, **changes):
    values = {
        "results": f"out {HOSTILE}",
        "datasets": {"lits": {"root": f"volumes {HOSTILE}", "label": f"LiTS {LINES}", "licence": LINES}},
        "note": LINES,
        "notes": {"lits": LINES},
        "methods": {
            "noisy": {},
            "fpl": {"label": f"FPL {LINES}"},
            "dpir": {"weights": f"weights {HOSTILE}.pth"},
            "median_filter": {"label": LINES, "tune": True},
        },
        "figures": {"image": f"image {HOSTILE}"},
        "calibration": {"note": LINES},
        "fair": {"device": LINES, "methods": ["residual_same_steps"]},
        **changes,
    }
    return write_config(folder, **values)


@pytest.mark.slow
def test_every_command_quotes_what_the_config_holds(commands):
    """Outside of single quotes there is nothing that a shell could take for more than a word or the redirection of a log."""
    assert len(commands) > 60 and len({command.split()[1] for command in commands}) > 25
    for command in commands:
        bare = QUOTED.sub("q", command)
        assert BARE.fullmatch(REDIRECTION.sub("", bare)), bare


@pytest.mark.slow
def test_every_command_is_read_as_words_and_no_part_of_a_value_is_one(commands):
    programs = {"fplbench", "printf"}
    for command in commands:
        words = shlex.split(command)
        assert words[0] in programs and {"touch", "x;", "y)", "second;", "w"}.isdisjoint(words)
        assert all(words[place + 1] == "fplbench" for place, word in enumerate(words) if word == "&&")
    (sample,) = (shlex.split(command) for command in commands if command.startswith("fplbench sample"))
    assert sample[sample.index("--root") + 1] == f"volumes {HOSTILE}"
    assert sample[3] == f"out {HOSTILE}/data/lits"
    (published,) = (shlex.split(command) for command in commands if command.startswith("fplbench published-psnr"))
    assert f"--note={LINES}" in published


@pytest.mark.slow
def test_a_run_in_folders_with_hostile_names_ends_with_its_pages_and_runs_nothing_else(tmp_path):
    folder = tmp_path / "a b'; touch x;\"$(touch y)"
    folder.mkdir()
    write_volumes(folder / f"volumes {HOSTILE}", count=3)
    methods = {"noisy": {}, "median_filter": {"label": f"Median {LINES}"}}
    plain = {"training": None, "feature_error": [], "inserted": {"noises": []}, "noises": {"gaussian": {"sigma": 0.1}}}
    figures = {"image": None}
    sampling = {"train": 3, "validation": 1, "test": 2, "size": 32}
    write_hostile_config(folder, methods=methods, **plain, figures=figures, sampling=sampling, protocol="published", fair=None)
    results = f"out {HOSTILE}"
    targets = [f"{results}/{name}" for name in ("tables/lits.html", "explorer/lits.html")]
    process = snakemake(folder, *targets, "--configfile", "config.yaml")
    assert process.returncode == 0, process.stdout[-3000:]
    assert all((folder / target).stat().st_size > 100 for target in targets)
    assert sorted(path.name for path in folder.iterdir()) == [".snakemake", "config.yaml", results, f"volumes {HOSTILE}"]
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


@pytest.mark.parametrize("name", ["out{x}", "{results}", "<logs>/x", "-out", "out\nx", "out\0x"])
def test_a_folder_that_snakemake_or_a_command_takes_for_something_else_is_refused(name):
    with pytest.raises(InputError, match=r"^results is .*; name another folder"):
        load_config({"results": name})
