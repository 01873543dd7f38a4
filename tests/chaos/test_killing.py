import os
import secrets
from random import Random

import pytest

from tests.chaos.killing import play, timed
from tests.chaos.runs import Run, prepare

ROUNDS = int(os.environ.get("FPLBENCH_CHAOS_ROUNDS", "3"))
SEED = int(os.environ.get("FPLBENCH_CHAOS_SEED", secrets.randbits(32)))


@pytest.mark.slow
def test_a_run_whose_processes_are_killed_again_and_again_ends_with_the_scores_of_an_undisturbed_one(tmp_path):
    undisturbed, run = Run(prepare(tmp_path / "undisturbed")), Run(prepare(tmp_path / "killed"))
    seconds = timed(undisturbed.finish)
    expected = undisturbed.scores()
    assert {"scores.csv", "hashes/lits/gaussian.json", "tables/lits.md"} <= expected.keys()

    def completed():
        assert run.scores() == expected

    print(f"FPLBENCH_CHAOS_SEED={SEED} FPLBENCH_CHAOS_ROUNDS={ROUNDS}; undisturbed, the run takes {seconds:.0f} s")
    kills = play(run, ROUNDS, Random(SEED), seconds, completed)
    print(kills)
    assert kills.hit.total() == ROUNDS
    assert run.finish() == {}
    assert run.left_over() == []
