import numpy as np
import pytest
from PIL import Image

from fplbench.errors import InputError
from fplbench.files import write_csv
from fplbench.networks import DRUNet, weights
from fplbench.networks.counting import count
from fplbench.reporting.cost import write_cost
from fplbench.reporting.cost_figure import cost_figure, read_points
from tests.helpers.scores import read_rows, run, write_config

HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"
MEASURED = "6.0\t0:00:06\t118.5\t324\t72\t87\t0.01\t0.13\t45.87\t10.0"
TOO_SHORT = "0.5\t0:00:00" + 8 * "\tNA"
NOTHING = "0.0000\t0:00:00" + 8 * "\tNA"
HARDLY_SEEN = MEASURED.replace("6.0", "0.9", 1)
BOTH_NOISES = ("gaussian", "poisson")


@pytest.fixture
def folder(tmp_path, write_scores):
    """Scores of three methods on two noises, four images each: mean PSNR 29.5, 21.5 and 31.5."""
    levels = {"nlm": 28, "noisy": 20, "own": 30}
    write_scores(
        {("lidc", noise, method): [level + i for i in range(4)] for noise in BOTH_NOISES for method, level in levels.items()}
    )
    return tmp_path


def measure(folder, group, noises=BOTH_NOISES, **seconds):
    """Write what a group measured inside its process."""
    for noise in noises:
        rows = [
            {"method": method, "images": 4, "seconds": value, "peak_memory_mb": 118.5, "device": "cpu"}
            for method, value in seconds.items()
        ]
        write_csv(folder / "cost" / "lidc" / noise / f"{group}.csv", rows)


def benchmark(folder, method, *lines, noises=BOTH_NOISES):
    """Write a benchmark file as Snakemake does."""
    for noise in noises:
        file = folder / "benchmarks" / "lidc" / noise / f"{method}.tsv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(HEADER + "".join(f"{line}\n" for line in lines))


def cost(folder, **networks):
    """The table of costs by noise and method."""
    write_cost(folder / "cost.csv", folder / "scores.csv", folder / "cost", folder / "benchmarks", **networks)
    return {(row["noise"], row["method"]): row for row in read_rows(folder / "cost.csv")}


def test_costs_inside_the_process_are_joined_with_the_mean_scores(folder):
    measure(folder, "filters", nlm=3.0)
    measure(folder, "fast", noisy=0.5, own=2)
    rows = cost(folder)
    assert len(rows) == 6
    ssim = np.mean([0.28, 0.29, 0.3, 0.31])
    assert rows["poisson", "nlm"] == {
        "dataset": "lidc", "noise": "poisson", "method": "nlm", "images": "4", "seconds": "3.0", "seconds_per_image": "0.75",
        "parameters": "", "operations": "",
        "peak_memory_mb": "118.5", "device": "cpu", "measured": "method", "psnr": "29.5", "ssim": str(ssim),
    }  # fmt: skip
    assert rows["gaussian", "noisy"]["seconds_per_image"] == "0.125"


def test_a_rule_in_another_language_has_the_time_of_its_command(folder):
    measure(folder, "filters", nlm=3.0, noisy=0.5)
    benchmark(folder, "own", MEASURED, MEASURED.replace("6.0", "8.0", 1))
    benchmark(folder, "nlm", MEASURED)  # overridden by what was measured inside the process
    rows = cost(folder)
    own, nlm = rows["gaussian", "own"], rows["gaussian", "nlm"]
    assert (own["seconds"], own["seconds_per_image"], own["peak_memory_mb"]) == ("7.0", "1.75", "118.5")
    assert (own["measured"], own["device"]) == ("command", "")
    assert (nlm["seconds"], nlm["measured"]) == ("3.0", "method")


@pytest.mark.parametrize(("line", "seconds"), [(TOO_SHORT, "0.5"), (HARDLY_SEEN, "0.9")])
def test_memory_that_was_hardly_sampled_is_left_empty(folder, line, seconds):
    measure(folder, "filters", nlm=3.0, noisy=0.5)
    benchmark(folder, "own", line)
    row = cost(folder)["gaussian", "own"]
    assert (row["seconds"], row["peak_memory_mb"]) == (seconds, "")


def test_a_command_too_fast_for_snakemake_has_empty_fields_and_the_figure_is_drawn(folder, caplog):
    measure(folder, "filters", nlm=3.0, noisy=0.5)
    benchmark(folder, "own", NOTHING)
    row = cost(folder)["gaussian", "own"]
    assert (row["seconds"], row["seconds_per_image"], row["peak_memory_mb"], row["psnr"]) == ("", "", "", "31.5")
    assert "own takes on lidc/gaussian and 1 more is not known: the command ended before Snakemake" in caplog.text
    cost_figure(folder / "cost.png", folder / "cost.csv")
    assert Image.open(folder / "cost.png").format == "PNG"
    assert set(read_points(folder / "cost.csv", "psnr")["lidc"]) == {"nlm", "noisy"}


def test_a_method_that_nothing_measured_is_named(folder, caplog):
    measure(folder, "filters", nlm=3.0, noisy=0.5)
    benchmark(folder, "own", MEASURED, noises=["gaussian"])
    rows = cost(folder)
    assert rows["gaussian", "own"]["seconds"] == "6.0"
    assert (rows["poisson", "own"]["seconds"], rows["poisson", "own"]["measured"]) == ("", "")
    assert "own takes on lidc/poisson is not known: nothing measured it" in caplog.text
    assert "nlm" not in caplog.text


def test_a_run_without_any_cost_still_has_its_table_and_figure(folder):
    write_cost(folder / "cost.csv", folder / "scores.csv", folder / "cost")
    cost_figure(folder / "cost.png", folder / "cost.csv")
    assert read_points(folder / "cost.csv", "psnr") == {}
    assert Image.open(folder / "cost.png").format == "PNG"


def test_the_command_writes_table_and_figure_with_the_labels_of_the_config(folder):
    measure(folder, "filters", nlm=3.0, noisy=0.5)
    benchmark(folder, "own", MEASURED)
    methods = {"nlm": {"label": "Means"}, "noisy": {}, "own": {"rule": True}}
    config = write_config(folder / "config.json", datasets=["lidc"], noises=["gaussian"], methods=methods, feature_error=[])
    paths = (folder / "cost.csv", folder / "scores.csv", folder / "cost")
    run("cost", *paths, "--benchmarks", folder / "benchmarks", "--figure", folder / "cost.svg", "--config", config)
    text = (folder / "cost.svg").read_text()
    assert text.lstrip().startswith("<?xml")
    assert "<!-- Means -->" in text
    assert "<!-- LIDC -->" in text
    assert "Those of own include the start of the program." in text


def test_points_are_the_median_time_in_milliseconds_and_the_mean_quality(tmp_path):
    times = {"gaussian": (0.1, 20.0), "poisson": (0.2, 30.0), "rician": (9.0, 31.0)}
    rows = [
        {"dataset": "lidc", "noise": noise, "method": "nlm", "seconds_per_image": time, "psnr": psnr, "ssim": psnr / 100}
        for noise, (time, psnr) in times.items()
    ]
    write_csv(tmp_path / "cost.csv", rows)
    assert read_points(tmp_path / "cost.csv", "psnr") == {"lidc": {"nlm": (200.0, 27.0)}}
    assert read_points(tmp_path / "cost.csv", "ssim")["lidc"]["nlm"][1] == pytest.approx(0.27)


def test_what_is_not_a_cost_or_benchmark_is_refused(folder):
    measure(folder, "filters", nlm="soon")
    with pytest.raises(InputError, match="seconds of nlm on lidc/gaussian are not a number: 'soon'"):
        cost(folder)
    measure(folder, "filters", nlm=3.0)
    benchmark(folder, "own", "text")
    with pytest.raises(InputError, match=r"own.tsv is not a benchmark file of Snakemake"):
        cost(folder)
    with pytest.raises(InputError, match=r"gone.csv does not exist"):
        write_cost(folder / "cost.csv", folder / "gone.csv", folder / "cost")


def test_a_figure_of_another_table_is_refused(folder):
    with pytest.raises(InputError, match=r"scores.csv has no column 'seconds_per_image'"):
        cost_figure(folder / "cost.png", folder / "scores.csv")
    rows = [{"dataset": "lidc", "noise": "gaussian", "method": "nlm", "seconds_per_image": "soon", "psnr": 1, "ssim": 1}]
    write_csv(folder / "cost.csv", rows)
    with pytest.raises(InputError, match=r"cost.csv is not a table of costs: .*'soon'"):
        cost_figure(folder / "cost.png", folder / "cost.csv")


def test_networks_have_parameters_and_operations_and_repeats_the_mean_of_their_times(tmp_path, write_scores):
    write_scores({("lidc", "gaussian", name): [value] * 4 for name, value in (("fpl", 30), ("fpl-2", 32), ("nlm", 28))})
    rows = [
        {"method": name, "seconds": seconds, "peak_memory_mb": 9, "device": "cpu"} for name, seconds in (("fpl", 2), ("fpl-2", 4))
    ]
    write_csv(tmp_path / "cost" / "lidc" / "gaussian" / "networks.csv", rows)
    weights.save(DRUNet(width=4, blocks=1), tmp_path / "fpl.safetensors")
    found = cost(tmp_path, networks={"fpl": tmp_path / "fpl.safetensors"}, side=32)
    assert list(found) == [("gaussian", "fpl"), ("gaussian", "nlm")]
    row = found["gaussian", "fpl"]
    size = count(DRUNet(width=4, blocks=1), 32, 32)
    assert (row["parameters"], row["operations"]) == (str(size.parameters), str(size.operations))
    assert (float(row["seconds"]), float(row["psnr"])) == (3, 31)
    assert found["gaussian", "nlm"]["parameters"] == ""
