"""What a change of the config or of the code runs again, on a finished run: exactly what depends on it."""

import shutil

import pytest

from tests.helpers.workflow import ROOT, TRAINING, plan, snakemake, write_config

LESION_FIGURES = {"lesion_figure", "inserted_figure", "recovery_figure", "lesion_summary"}
PAGES = {"explorer", "paper_comparison"}
MAPS = {"grey_map_figure"}
AFTER_A_METHOD = {"score", "score_features", "collate_dataset", "collate", "table", "figure", "feature_figure", "cost",
                  "heat_map", "rank_figure", "manifest", "report", "all"} | LESION_FIGURES | PAGES  # fmt: skip
# Lesions are inserted for Gaussian noise, and the rule of that cell has a name of its own.
FILTERS, NETWORKS = ({f"denoise_{group}", f"denoise_{group}_inserted"} for group in ("filters", "networks"))
AFTER_A_TRAINING = AFTER_A_METHOD | NETWORKS | {"training_figure"}


@pytest.fixture(scope="module")
def planned(benchmark_run, tmp_path_factory):
    """Function: the jobs that would run after one file of the package was edited."""
    folder = benchmark_run
    copy = tmp_path_factory.mktemp("repository")
    for name in ("fplbench", "workflow", "profiles"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", copy)

    def jobs(file, old, new):
        path = copy / "fplbench" / file
        before = path.read_text()
        assert old in before, f"{old!r} is not in {file}"
        path.write_text(before.replace(old, new, 1))
        try:
            return dict(plan(folder, "--configfile", "config.yaml", repository=copy))
        finally:
            path.write_text(before)

    return jobs


def changed(folder, **changes):
    """The jobs that would run after a change of the config."""
    return dict(plan(folder, "--configfile", write_config(folder, "changed.yaml", **changes).name))


def test_a_rerun_with_nothing_changed_does_nothing(benchmark_run):
    folder = benchmark_run
    assert "Nothing to be done" in snakemake(folder, "--configfile", "config.yaml").stdout


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("noise/intensity.py", '"""', '"""Other words. '),
        ("datasets/loaders/lits.py", "import re\n", "import re  # a comment\n"),
        ("stacks.py", '"""', '"""Other words. '),
        ("methods/median_filter.py", 'description="', 'description="Other words. '),
        ("explaining/guided.py", '    """', '    """Other words. '),
        ("denoising/groups.py", '"""', '# A comment.\n"""'),
    ],
)
def test_a_comment_a_docstring_or_a_description_runs_nothing(planned, file, old, new):
    assert planned(file, old, new) == {}


def test_code_of_a_noise_runs_the_noises_of_its_file_and_what_follows_from_them(planned):
    """The config has two noises: Rician noise, of mri.py, and Gaussian noise, of another file."""
    jobs = planned("noise/mri.py", "np.sqrt(power, out=power)", "np.sqrt(power)")
    assert jobs["synthesize_noise"] == jobs["train_fpl"] == jobs["denoise_filters"] == jobs["score"] == 1
    assert not {"score_features", "add_noise_to_inserted", "denoise_filters_inserted"} & jobs.keys()  # of Gaussian noise alone
    assert not {"sample_images", "train_restoration", "train_drunet", "explain_clean_images", "write_config"} & jobs.keys()


def test_code_of_a_method_runs_its_group(planned):
    jobs = planned("methods/median_filter.py", "import numpy as np\n", "import numpy as np\n\nUNUSED = 1\n")
    assert jobs["denoise_filters"] + jobs["denoise_filters_inserted"] == jobs["score"] == 2
    assert set(jobs) - {"total"} == AFTER_A_METHOD | FILTERS | MAPS


def test_code_of_guided_backpropagation_runs_maps_feature_scores_and_the_trainings_that_read_maps(planned):
    jobs = planned("explaining/guided.py", "0.5 * output.square().sum()", "output.square().sum() / 2")
    assert jobs["explain_clean_images"] == 1 and jobs["score_features"] == 1 and jobs["train_fpl"] == 2
    # DPIR is in the group of FPL, and has a grey map.
    assert set(jobs) - {"total"} == AFTER_A_TRAINING | {"explain_clean_images", "train_fpl"} | MAPS


def test_code_of_training_runs_nothing_but_its_version_runs_the_trainings(planned):
    assert planned("training/fpl.py", "nn.init.zeros_(parameter)", "parameter.data.zero_()") == {}
    assert planned("training/loop/trainer.py", "math.ceil", "math.floor") == {}
    jobs = planned("training/__init__.py", "TRAINING_VERSION = ", "TRAINING_VERSION = 1 + ")
    assert jobs["train_fpl"] == 2 and jobs["train_restoration"] == jobs["train_drunet"] == 1
    assert not {"sample_images", "synthesize_noise", "denoise_filters"} & jobs.keys()


def test_a_changed_caption_runs_its_figure_again(planned):
    jobs = planned("reporting/explainability.py", "F: feature maps", "F: maps")
    assert jobs["feature_figure"] == 1
    assert set(jobs) - {"total"} == {"feature_figure", "manifest", "report", "all"}


def test_a_changed_note_runs_what_shows_it(benchmark_run):
    folder = benchmark_run
    jobs = changed(folder, notes={"lits": "Made-up volumes."})
    shows = {"table", "figure", "feature_figure", "noise_figure", "report", "manifest", "all"}
    assert set(jobs) - {"total"} == shows | LESION_FIGURES | MAPS | PAGES


def test_a_changed_noise_option_runs_that_noise_alone(benchmark_run):
    folder = benchmark_run
    jobs = changed(folder, noises={"gaussian": {"sigma": 0.2}, "rician": {}})
    assert jobs["synthesize_noise"] == jobs["train_fpl"] == jobs["score"] == 1
    assert "train_restoration" not in jobs and "sample_images" not in jobs


def test_a_changed_method_option_runs_its_group_alone(benchmark_run):
    folder = benchmark_run
    jobs = changed(folder, methods={"noisy": {}, "fpl": {}, "dpir": {}, "median_filter": {"size": 5}})
    assert jobs["denoise_filters"] + jobs["denoise_filters_inserted"] == jobs["score"] == 2
    assert not NETWORKS & jobs.keys() and not {"train_fpl", "synthesize_noise"} & jobs.keys()


def test_a_changed_training_option_runs_that_training(benchmark_run):
    folder = benchmark_run
    drunet = {**TRAINING, "blocks": 1, "patch": 16}
    jobs = changed(folder, training={"restoration": TRAINING, "fpl": {**TRAINING, "steps": 5}, "drunet": drunet})
    assert jobs["train_fpl"] == 2
    assert not {"train_restoration", "train_drunet", "explain_clean_images", *FILTERS} & jobs.keys()


def test_other_inserted_lesions_run_what_shows_them_and_no_training(benchmark_run):
    folder = benchmark_run
    jobs = changed(folder, inserted={"noises": ["gaussian"], "train": 2, "validation": 1, "test": 3, "moved": 0.5})
    assert jobs["insert_lesions"] == jobs["add_noise_to_inserted"] == jobs["denoise_networks_inserted"] == jobs["score"] == 1
    assert not {"sample_images", "synthesize_noise", "train_fpl", "denoise_filters", "denoise_networks"} & jobs.keys()


def test_code_of_a_metric_scores_again(planned):
    jobs = planned("scoring/gmsd.py", "import numpy as np\n", "import numpy as np\n\nUNUSED = 1\n")
    assert jobs["score"] == 2 and not (FILTERS | NETWORKS | {"train_fpl", "sample_images"}) & jobs.keys()


def test_other_metrics_in_the_tables_run_the_tables_alone(benchmark_run):
    folder = benchmark_run
    jobs = changed(folder, tables={"metrics": ["psnr", "gmsd"]})
    assert "table" in jobs and not {"score", "collate", *FILTERS} & jobs.keys()
