"""The page on the published PSNR states what the numbers show, and the one in docs/ is up to date."""

from pathlib import Path

import pytest
import yaml

from fplbench.calibration import Comparison
from fplbench.calibration.evidence import Cell, Kind, read_cells
from fplbench.calibration.page import render, write_page
from fplbench.errors import InputError
from fplbench.files import write_csv

REPOSITORY = Path(__file__).parents[1]
COMPARISONS = REPOSITORY / "docs" / "data" / "comparisons.csv"


def scores(true, wrapped, method, noise="gaussian", published=31.0, ssim=0.55):
    values = (("psnr", true, None), ("psnr_uint8", wrapped, published), ("ssim", ssim, 0.55))
    return [Comparison("ssim", "lidc", noise, method, metric, ours, theirs) for metric, ours, theirs in values]


def write(path, rows):
    write_csv(path, [row.__dict__ for row in rows])
    return path


def page(tmp_path, rows, note=""):
    write_page(write(tmp_path / "c.csv", rows), tmp_path / "page.md", note)
    return (tmp_path / "page.md").read_text()


@pytest.mark.parametrize(
    ("true", "wrapped", "words"),
    [
        (20.0, 31.5, "the published values therefore agree with the wrapped PSNR, and not with the true one"),
        (30.5, 28.0, "the published values therefore agree with the true PSNR, and not with the wrapped one"),
        (31.4, 31.5, "The published values themselves therefore do not decide between the two"),
    ],
)
@pytest.mark.slow
def test_the_conclusion_follows_the_counts(true, wrapped, words, tmp_path):
    text = page(tmp_path, [row for k in range(20) for row in scores(true, wrapped, f"filter{k}")], "One patient.")
    assert words in text
    assert "One patient." in text
    assert f"| Gaussian Noise | 31.0 | {wrapped:.1f} | {true:.1f} | +0.00 |" in text
    assert "There are no orders of the baselines to compare." in text


def test_cells_whose_ssim_is_off_are_not_trusted(tmp_path):
    text = page(tmp_path, [row for k in range(20) for row in scores(20.0, 31.5, f"filter{k}", ssim=0.9)])
    assert "do not decide between the two" in text
    assert "the ones whose SSIM also agrees to within 0.05: there are none." in text


def test_inevitable_agreement_is_told_from_evidence(tmp_path):
    rows = [row for k in range(20) for row in scores(20.0, 31.5, f"low{k}")]
    rows += [row for k in range(5) for row in scores(29.0, 30.5, f"high{k}")]
    text = page(tmp_path, rows)
    assert "Of the 25 true PSNRs here, 20 are lower than that lowest value" in text
    assert "For the others: the published value is closer to the wrapped PSNR in 5 of 5 cases (100 %)" in text


def test_rows_that_repeat_another_noise_are_not_counted(tmp_path):
    rows = scores(20.0, 31.5, "mean_filter") + scores(20.0, 31.5, "mean_filter", noise="thermal")
    assert [cell.noise for cell in read_cells(write(tmp_path / "c.csv", rows))] == ["gaussian"]


def test_rank_correlation_is_spearmans():
    # Ranks of the published values: 1 2 3 4, of the wrapped: 2 1 3 4, so 1 - 6 * 2 / (4 * 15) = 0.8; of the true: 4 3 2 1, so -1.
    values = [(31.0, 30.2, 24.0), (32.0, 30.1, 23.0), (33.0, 30.3, 22.0), (34.0, 30.4, 21.0)]
    kind = Kind("lidc", "gaussian", [Cell("lidc", "gaussian", str(k), *each, 0.0) for k, each in enumerate(values)])
    assert kind.rank_correlation("wrapped") == pytest.approx(0.8)
    assert kind.rank_correlation("true") == pytest.approx(-1)
    same = Kind("lidc", "gaussian", [Cell("lidc", "gaussian", str(k), 31.0, k, k, 0.0) for k in range(4)])
    assert same.rank_correlation("wrapped") is None


def ordered(kinds, follows):
    """Cells whose published values follow the order of one PSNR and not that of the other."""
    cells = []
    for number in range(kinds):
        for k in range(8):
            ours = {"wrapped": 31 + (k * 3 % 8) / 10, "true": 20 + (k * 5 % 8) / 10}
            published = 31 + (ours[follows] % 1)
            cells.append(Cell(f"set{number}", "gaussian", str(k), published, ours["wrapped"], ours["true"], 0.0))
    return cells


@pytest.mark.parametrize("follows", ["wrapped", "true"])
@pytest.mark.slow
def test_a_conclusion_from_the_order_of_the_baselines_needs_enough_kinds(follows):
    assert f"The order of the baselines also agrees with the {follows} PSNR" in render(ordered(20, follows))
    assert "does not decide between the two: neither formula" in render(ordered(19, follows))


def test_a_wrong_or_missing_table_is_named(tmp_path):
    with pytest.raises(InputError, match="fplbench calibrate writes it"):
        read_cells(tmp_path / "none.csv")
    (tmp_path / "other.csv").write_text("noise,value\ngaussian,1\n")
    with pytest.raises(InputError, match=r"other\.csv is not the comparisons\.csv"):
        read_cells(tmp_path / "other.csv")
    (tmp_path / "half.csv").write_text("fit,dataset,noise,method,metric,ours,published\nssim,lidc,gaussian,nlm,ssim,0.5,0.5\n")
    with pytest.raises(InputError, match=r"half\.csv is not the comparisons\.csv"):
        read_cells(tmp_path / "half.csv")


def test_the_page_in_docs_is_up_to_date():
    """If this fails: fplbench published-psnr docs/published-psnr.md docs/data/comparisons.csv --note "..." (sample.yaml)."""
    note = yaml.safe_load((REPOSITORY / "config" / "sample.yaml").read_text())["calibration"]["note"]
    assert (REPOSITORY / "docs" / "published-psnr.md").read_text() == render(read_cells(COMPARISONS), note)


def test_the_levels_of_the_paper_config_are_the_fitted_ones():
    fitted = yaml.safe_load((REPOSITORY / "docs" / "data" / "levels.yaml").read_text())["noises"]
    levels = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text())["noises"]
    assert levels == {noise: fitted[noise] for noise in levels}
