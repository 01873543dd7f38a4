"""Jobs of a run and what they train, against counts by hand."""

import pytest

from fplbench.config import load_config
from fplbench.errors import InputError
from fplbench.planning.asking import Job, jobs_of
from fplbench.planning.jobs import count_by_rule, networks
from tests.helpers.workflow import ROOT, plan, write_config
from tests.planning import planned

DEMO = ROOT / "config" / "demo.yaml"


@pytest.mark.slow
@pytest.mark.parametrize("target", ["fair", "ablation"])
def test_the_jobs_are_those_of_a_dry_run_in_an_empty_folder(tmp_path, target):
    found = plan(tmp_path, target, "--configfile", str(DEMO))
    for uncounted in ("total", "write_config", target):
        del found[uncounted]
    assert count_by_rule(planned.jobs_of(target, "demo")) == found


@pytest.mark.slow
def test_trainings_of_the_fair_comparison_are_those_of_its_two_noises():
    """Three data sets and two noises for each learned method; DRUNet and the explained network have no noise."""
    found = {name: each.count for name, each in networks(planned.read("demo"), planned.jobs_of("fair", "demo")).items()}
    assert found["fpl"] == found["dncnn"] == found["residual_same_seconds"] == 3 * 2
    assert found["drunet"] == found["restoration"] == 3


@pytest.mark.slow
def test_trainings_of_an_ablation_that_screens_its_variants():
    """Two data sets; four noises, of which two screen. Of 25 variants, the controls and one more are trained with five seeds."""
    config = planned.read("demo", "ablation")
    variants = config.ablation_variants()
    found = {name: each.count for name, each in networks(config, planned.jobs_of("ablation", "demo", "ablation")).items()}
    in_all_cells, screened, seeds = 2 * 4, 2 * 2, 5
    assert found["ablation: fpl"] == found["ablation: mask_weight"] == in_all_cells * seeds
    assert found["ablation: residual_same_steps"] == screened * seeds  # elsewhere the control is residual_same_seconds
    assert found["ablation: as_published"] == in_all_cells  # the first seed alone
    of_forms = [found[f"ablation: {name}"] for name in variants if name not in [*config.ablation.always, "as_published"]]
    assert sorted(of_forms) == [screened] * (len(of_forms) - 1) + [in_all_cells * seeds]
    assert found["restoration"] == 2 * 2  # with another seed too, which judges


@pytest.mark.slow
def test_repeats_are_trained_and_published_weights_are_not(tmp_path):
    """One data set and two noises, three repeats; two more networks are explained and denoise at a known level."""
    methods = {"noisy": {}, "fpl": {}, "dpir": {"weights": "drunet.pth"}, "kuwahara": {"rule": True}}
    path = write_config(tmp_path, methods=methods, training={"fpl": {"width": 2}}, repeats=3)
    jobs = jobs_of(["all"], [path], ROOT / "Snakefile", ["--directory", str(tmp_path)])
    config = load_config({"datasets": ["lits"], "noises": ["gaussian"], "methods": ["fpl", "dpir"]})
    assert {name: each.count for name, each in networks(config, jobs).items()} == {"fpl": 2 * 3, "restoration": 1}
    assert count_by_rule(jobs)["denoise_kuwahara"] == 2


def test_what_computes_nothing_is_not_counted():
    jobs = [Job("all"), Job("write_config", log=["config.log"]), Job("score", log=["a.log"]), Job("score", log=["b.log"])]
    assert count_by_rule(jobs) == {"score": 2}


def test_a_target_that_there_is_not_is_said_in_the_words_of_snakemake(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"No rule makes nonsense\. Targets are files below"):
        jobs_of(["nonsense"], [DEMO], ROOT / "Snakefile")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="There is no Snakefile: run this in the folder of the benchmark"):
        jobs_of(["all"], [DEMO])
