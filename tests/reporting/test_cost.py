import csv

import pytest
from typer.testing import CliRunner

from fplbench.cli import app
from fplbench.errors import InputError
from fplbench.files import write_csv
from fplbench.reporting.cost import cost_figure, write_cost

HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


@pytest.fixture
def scores(tmp_path):
    rows = [
        {"dataset": "lidc", "noise": "gaussian", "method": method, "image_id": f"i{image}", "patient": "p",
         "psnr": psnr + image, "psnr_uint8": 30.0, "ssim": 0.5}
        for method, psnr in (("nlm", 28.0), ("noisy", 20.0)) for image in range(4)
    ]  # fmt: skip
    write_csv(tmp_path / "scores.csv", rows)
    return tmp_path / "scores.csv"


def benchmark(tmp_path, method, *lines):
    file = tmp_path / "times" / "lidc" / "gaussian" / f"{method}.tsv"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(HEADER + "".join(f"{line}\n" for line in lines))
    return file


def read(path):
    with open(path, newline="") as stream:
        return {row["method"]: row for row in csv.DictReader(stream)}


MEASURED = "6.0\t0:00:06\t118.5\t324\t72\t87\t0.01\t0.13\t45.87\t10.0"
TOO_SHORT = "0.5\t0:00:00" + 8 * "\tNA"
HARDLY_SEEN = MEASURED.replace("6.0", "0.9", 1)


def test_seconds_an_image_and_peak_memory(scores, tmp_path):
    benchmark(tmp_path, "nlm", MEASURED, MEASURED.replace("6.0", "8.0", 1))
    benchmark(tmp_path, "noisy", TOO_SHORT)
    write_cost(tmp_path / "cost.csv", scores, [tmp_path / "times"])
    rows = read(tmp_path / "cost.csv")
    nlm = {key: float(rows["nlm"][key]) for key in ("images", "seconds", "seconds_per_image", "processor_seconds")}
    assert nlm == {"images": 4, "seconds": 7.0, "seconds_per_image": 1.75, "processor_seconds": 10.0}
    assert float(rows["nlm"]["peak_memory_mb"]) == 118.5
    assert float(rows["nlm"]["psnr"]) == 29.5
    assert (rows["noisy"]["peak_memory_mb"], rows["noisy"]["processor_seconds"]) == ("", "")
    assert float(rows["noisy"]["seconds_per_image"]) == 0.125


def test_what_the_samples_of_memory_miss_is_left_empty(scores, tmp_path):
    benchmark(tmp_path, "nlm", HARDLY_SEEN)
    write_cost(tmp_path / "cost.csv", scores, [tmp_path / "times" / "lidc" / "gaussian" / "nlm.tsv"])
    row = read(tmp_path / "cost.csv")["nlm"]
    assert (row["seconds"], row["peak_memory_mb"], row["processor_seconds"]) == ("0.9", "", "")


def test_a_method_without_a_benchmark_is_named(scores, tmp_path, caplog):
    benchmark(tmp_path, "nlm", MEASURED)
    write_cost(tmp_path / "cost.csv", scores, [tmp_path / "times"])
    assert "noisy has no benchmark" in caplog.text


def test_the_command_writes_table_and_figure(scores, tmp_path):
    benchmark(tmp_path, "nlm", MEASURED)
    benchmark(tmp_path, "noisy", TOO_SHORT)
    command = ["cost", tmp_path / "cost.csv", scores, tmp_path / "times", "--figure", tmp_path / "cost.svg"]
    result = CliRunner().invoke(app, [str(word) for word in command])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "cost.svg").read_text().lstrip().startswith("<?xml")


def test_a_benchmark_without_scores_is_named(scores, tmp_path):
    file = benchmark(tmp_path, "wiener", MEASURED)
    with pytest.raises(InputError, match="no scores of lidc/gaussian/wiener"):
        write_cost(tmp_path / "cost.csv", scores, [file])


def test_what_is_no_benchmark_is_refused(scores, tmp_path):
    file = benchmark(tmp_path, "nlm")
    with pytest.raises(InputError, match="has no running time"):
        write_cost(tmp_path / "cost.csv", scores, [file])
    file.write_text("text")
    with pytest.raises(InputError, match=r"has no running time|is no benchmark file"):
        write_cost(tmp_path / "cost.csv", scores, [file])
    with pytest.raises(InputError, match="does not exist"):
        write_cost(tmp_path / "cost.csv", scores, [file.with_name("noisy.tsv")])
    with pytest.raises(InputError, match="no benchmark files"):
        write_cost(tmp_path / "cost.csv", scores, [])


def test_a_figure_of_another_table_is_refused(scores, tmp_path):
    with pytest.raises(InputError, match="is no table of costs"):
        cost_figure(tmp_path / "cost.png", scores)
