import json

import pytest

from fplbench.errors import InputError
from fplbench.reporting.screening import write_aligned, write_screened
from tests.helpers.ablation import lesion_rows, read_json, write_alignment, write_images, write_lesions
from tests.helpers.scores import run
from tests.reporting.conftest import lesion_row

VARIANTS = {
    "residual_same_steps": "",
    "fpl": "guided",
    "near": "sobel",
    "far": "grad",
    "flat": "relu",
    "gone": "none",
    "weight": "",
}


@pytest.fixture
def tables(tmp_path):
    one = write_alignment(tmp_path, "lidc/gaussian", {"residual": 1, "guided": 0.02, "sobel": 0.5, "grad": 0.02, "relu": ""})
    other = write_alignment(tmp_path, "rsna/gaussian", {"residual": 1, "guided": 0.04, "sobel": 0.75, "grad": 0.06, "relu": ""})
    return [one, other]


def test_variants_are_kept_by_their_mean_cosine_and_controls_in_any_case(tables, tmp_path):
    write_aligned(tmp_path / "aligned.json", tables, VARIANTS, ["fpl"], 0.05)
    found = read_json(tmp_path / "aligned.json")
    assert found["variants"] == ["residual_same_steps", "fpl", "near", "weight"]  # in the order given
    assert found["left_out"] == {"far": pytest.approx(0.04), "flat": None, "gone": None}


def test_a_mean_cosine_at_the_limit_is_kept(tables, tmp_path):
    write_aligned(tmp_path / "aligned.json", tables, VARIANTS, [], 0.625)
    assert read_json(tmp_path / "aligned.json")["variants"] == ["residual_same_steps", "near", "weight"]


def test_align_variants_as_a_command(tables, tmp_path):
    out = tmp_path / "aligned.json"
    variants = ["--variants", json.dumps(VARIANTS), "--control=fpl", "--control=flat", "--least-cosine", "0.7"]
    run("align-variants", out, *tables, *variants)
    assert read_json(out)["variants"] == ["residual_same_steps", "fpl", "flat", "weight"]


def test_alignment_names_a_missing_control_and_a_cosine_that_is_none(tables, tmp_path):
    with pytest.raises(InputError, match="The control 'fp' is not among the variants: did you mean 'fpl'"):
        write_aligned(tmp_path / "out.json", tables, VARIANTS, ["fp"], 0.05)
    bad = write_alignment(tmp_path, "lits/gaussian", {"guided": "high"})
    with pytest.raises(InputError, match="the cosine of 'guided' is 'high', which is not a number"):
        write_aligned(tmp_path / "out.json", [bad], VARIANTS, [], 0.05)


PSNR = {"residual_same_steps": 30, "residual_same_seconds": 30.5, "fpl": 30.25, "a": 30.5, "b": 30.75, "c": 25.75}
LESIONS = {"residual_same_steps": 20, "residual_same_seconds": 20.5, "fpl": 20, "a": 21, "b": 22, "c": 26}
RECOVERY = {"residual_same_steps": 0.5, "residual_same_seconds": 0.5, "fpl": 0.5, "a": 0.75, "b": 1.25, "c": 0.5}
CONTROLS = ["residual_same_steps", "residual_same_seconds", "fpl"]


def single(values, shift=0.0):
    return {name: [value + shift] for name, value in values.items()}


@pytest.fixture
def screening(tmp_path):
    """Scores of two cells: in the second, all PSNR is 1 dB higher, a gains 1 dB more for lesions, and no contrast is scored."""
    blank = {name: [""] for name in RECOVERY}
    second = single(LESIONS | {"a": 22})
    scores = [write_images(tmp_path, "lidc/x", single(PSNR)), write_images(tmp_path, "lidc/y", single(PSNR, 1))]
    lesions = [
        write_lesions(tmp_path, "lidc/x", lesion_rows(single(LESIONS), single(RECOVERY))),
        write_lesions(tmp_path, "lidc/y", [{**row, "recovery_error": ""} for row in lesion_rows(second, blank)]),
    ]
    return scores, lesions


def test_variants_are_ranked_by_their_mean_gain_for_lesions_less_the_loss_beyond_the_limit(screening, tmp_path):
    out = tmp_path / "screened.json"
    write_screened(out, *screening, CONTROLS, keep=2, largest_loss=0.5)
    found = read_json(out)
    # b gains 1.5 dB in both cells, a 0.5 and 1.5 dB. c gains 5.5 dB, but loses 4.75 dB of PSNR, 4.25 beyond the limit, which
    # leaves 1.25. |1 - recovery|: .5, .25, .25, .5
    assert found["ranking"] == [
        {"variant": "b", "lesion_psnr_gain": 1.5, "psnr_gain": 0.25, "recovery_error_gain": 0.25},
        {"variant": "c", "lesion_psnr_gain": 5.5, "psnr_gain": -4.75, "recovery_error_gain": 0.0},
        {"variant": "a", "lesion_psnr_gain": 1.0, "psnr_gain": 0.0, "recovery_error_gain": 0.25},
    ]
    assert found["variants"] == [*CONTROLS, "b", "c"]
    assert found["reference"] == "residual_same_seconds"
    assert found["cells"] == ["lidc/x", "lidc/y"]
    assert found["methods"] == [f"{name}-1" for name in PSNR]


@pytest.mark.parametrize(("limit", "ranked"), [(0.0, ["b", "a", "c"]), (0.5, ["b", "c", "a"]), (1.0, ["c", "b", "a"])])
def test_what_counts_against_a_variant_depends_on_the_limit(screening, tmp_path, limit, ranked):
    """c has 0.75, 1.25 and 1.75 dB left; b has 1.5 and a 1."""
    write_screened(tmp_path / "out.json", *screening, CONTROLS, keep=9, largest_loss=limit)
    assert read_json(tmp_path / "out.json")["variants"] == [*CONTROLS, *ranked]


def test_only_forms_are_kept_if_they_are_named_and_the_others_are_ranked_all_the_same(screening, tmp_path):
    out = tmp_path / "out.json"
    write_screened(out, *screening, CONTROLS, keep=1, largest_loss=0.1)
    ranking = [row["variant"] for row in json.loads(out.read_text())["ranking"]]
    write_screened(out, *screening, CONTROLS, keep=1, largest_loss=0.1, forms=ranking[1:])
    found = json.loads(out.read_text())
    assert found["variants"] == [*CONTROLS, ranking[1]]
    assert [row["variant"] for row in found["ranking"]] == ranking


def test_without_the_same_seconds_the_same_steps_are_the_reference(tmp_path):
    psnr = {name: value for name, value in PSNR.items() if name in ("residual_same_steps", "a", "b")}
    lesions = single({"residual_same_steps": 20, "a": 21, "b": 21})
    scores = write_images(tmp_path, "lidc/x", single(psnr))
    table = write_lesions(tmp_path, "lidc/x", lesion_rows(lesions, single({name: 1 for name in psnr})))
    arguments = ["--lesion-scores", table, "--control=residual_same_steps", "--keep", "1", "--largest-loss", "0.1"]
    run("screen-variants", tmp_path / "out.json", scores, *arguments)
    found = read_json(tmp_path / "out.json")
    assert [row["variant"] for row in found["ranking"]] == ["a", "b"]  # equal: in the order of the tables
    assert found["ranking"][0]["lesion_psnr_gain"] == 1.0
    assert found["variants"] == ["residual_same_steps", "a"]


def test_lesions_are_averaged_over_images_then_lesions_then_patients(tmp_path):
    scores = write_images(tmp_path, "lidc/x", {"residual_same_steps": [30], "a": [30]})
    # p0: lesion A has 1 and 3 dB more, mean 2, lesion B 6, mean 4; p1: 1 dB more. Over patients: 2.5
    more = [("A", "i0", "p0", 1), ("A", "i1", "p0", 3), ("B", "i0", "p0", 6), ("C", "i2", "p1", 1)]
    rows = [
        {**lesion_row(method, lesion, image, patient, 1, int(lesion == "B")), "psnr": 20 + (gain if method == "a-1" else 0)}
        for method in ("residual_same_steps-1", "a-1")
        for lesion, image, patient, gain in more
    ]
    table = write_lesions(tmp_path, "lidc/x", rows)
    write_screened(tmp_path / "out.json", [scores], [table], ["residual_same_steps"], 1, 0.1)
    assert read_json(tmp_path / "out.json")["ranking"][0]["lesion_psnr_gain"] == 2.5


def test_screening_names_what_is_missing(screening, tmp_path):
    scores, lesions = screening
    out = tmp_path / "out.json"
    with pytest.raises(InputError, match="There are no scores of lesions for lidc/y"):
        write_screened(out, scores, lesions[:1], CONTROLS, 1, 0.1)
    with pytest.raises(InputError, match="The control 'mask_weight' was not scored"):
        write_screened(out, scores, lesions, ["mask_weight"], 1, 0.1)
    several = write_images(tmp_path / "b", "lidc/x", {"residual_same_steps": [30, 31]})
    table = write_lesions(tmp_path / "b", "lidc/x", lesion_rows({"residual_same_steps": [1, 2]}, {"residual_same_steps": [1, 1]}))
    with pytest.raises(
        InputError, match=r"'residual_same_steps' has the seeds \[1, 2\], but variants are screened with one seed"
    ):
        write_screened(out, [several], [table], [], 1, 0.1)
    with pytest.raises(InputError, match="have scores of different methods"):
        write_screened(out, [several], lesions[:1], [], 1, 0.1)
    alone = write_images(tmp_path / "c", "lidc/x", {"a": [30]})
    table = write_lesions(tmp_path / "c", "lidc/x", lesion_rows({"a": [1]}, {"a": [1]}))
    with pytest.raises(InputError, match="against residual_same_seconds or residual_same_steps, and neither was scored"):
        write_screened(out, [alone], [table], [], 1, 0.1)
    with pytest.raises(InputError, match="No lesion was scored"):
        write_screened(out, [alone], [write_lesions(tmp_path / "c", "lidc/x", [])], [], 1, 0.1)
