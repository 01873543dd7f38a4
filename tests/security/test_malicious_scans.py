"""Malicious scans and archives: one sentence or a reason in a list, little memory, and nothing outside of the folder.

`tests/datasets/test_reader.py` and `tests/applying/running/test_safety.py` have hundreds of mutated files; `test_bundle.py` has
archives that lead out of their folder, links, and bombs in a model bundle.
"""

import io
import sys
import tarfile

import numpy as np
import pytest

from fplbench import cli
from fplbench.downloads.lits import unpack
from fplbench.errors import InputError
from tests.helpers.dicom_files import write_ct
from tests.helpers.memory import peak_memory
from tests.security import malicious
from tests.security.malicious import resident_peak

MEMORY = 500  # MB in the process itself; readers have a limit of their own
READERS = 1300  # MB: `fplbench.datasets.workers.MEMORY` and what the libraries use
SCANS = {
    "sides that are negative": lambda folder: malicious.write_volume_of_zeros(folder / "volume-0.nii.gz", (40000, 40000, 2), 1),
    "sides of 32767": lambda folder: malicious.write_volume_of_zeros(folder / "volume-0.nii.gz", (32767, 32767, 32767), 1),
    "a size of 8 GB": lambda folder: malicious.write_volume_of_zeros(folder / "volume-0.nii.gz", (16000, 16000, 8), 1),
    "pixels of 17 PB": lambda folder: malicious.write_huge_slice(folder / "a.dcm"),
}


def run(monkeypatch, *arguments):
    """A command as on the command line: its exit code or what it says, with the memory of all processes checked."""
    monkeypatch.setattr(sys, "argv", ["fplbench", *map(str, arguments)])
    monkeypatch.setattr(cli, "_spare_the_collector", lambda: None)
    with resident_peak() as own, peak_memory() as readers, pytest.raises(SystemExit) as ended:
        cli.main()
    assert own() < MEMORY and readers() < READERS
    return ended.value.code


@pytest.mark.slow
def test_scans_that_claim_impossible_sizes(monkeypatch, tmp_path):
    """Each is named with its reason by the check of the data, and given to `apply` in one folder, none of them is denoised."""
    for number, (name, write_scan) in enumerate(SCANS.items()):
        folder = tmp_path / "in" / ("dicom" if name.startswith("pixels") else "nifti") / str(number)
        folder.mkdir(parents=True)
        write_scan(folder)
    assert sum(path.stat().st_size for path in (tmp_path / "in").rglob("*")) < 2**20
    code = run(monkeypatch, "apply", "median_filter", tmp_path / "in", tmp_path / "out", "--window", "-160", "240")
    assert isinstance(code, str) and code.startswith("fplbench: ") and "\n" not in code
    assert not [path for path in tmp_path.glob("out*/**/*") if path.suffix in (".nii", ".gz", ".dcm")]
    for dataset, folder in (("lits", "nifti"), ("lidc", "dicom")):
        code = run(monkeypatch, "check-data", dataset, "--root", tmp_path / "in" / folder)
        assert code == 1 or "no usable image" in code  # the second where everything is left out on purpose, as several frames are


@pytest.mark.slow
def test_a_volume_that_unpacks_to_more_than_its_header_says_is_refused(monkeypatch, tmp_path):
    """300 MB of zeros behind a volume of 64 x 64 x 4."""
    malicious.write_volume_of_zeros(tmp_path / "a.nii.gz", (64, 64, 4), 300)
    assert (tmp_path / "a.nii.gz").stat().st_size < 2 * 2**20
    code = run(monkeypatch, "apply", "median_filter", tmp_path / "a.nii.gz", tmp_path / "b.nii.gz", "--window", "-160", "240")
    sizes = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert (code is None or code == 0 or "\n" not in str(code)) and sizes < 8 * 2**20


LEADING_OUT = {
    "parent": tarfile.TarInfo("Task03_Liver/imagesTr/../../../escaped"),
    "absolute": tarfile.TarInfo("/tmp/Task03_Liver/imagesTr/escaped"),
    "not asked for": tarfile.TarInfo("Task03_Liver/imagesTs/escaped"),
    "prefix": tarfile.TarInfo("Task03_Liver/imagesTr/../../../../etc/escaped"),
}


@pytest.mark.parametrize("name", LEADING_OUT)
def test_a_member_with_a_name_that_leads_out_is_not_unpacked(tmp_path, name):
    (tmp_path / "a.tar").write_bytes(malicious.tar_of((LEADING_OUT[name], b"bad")))
    folder = tmp_path / "one" / "two"
    folder.mkdir(parents=True)
    try:
        unpack(tmp_path / "a.tar", folder)
    except InputError as error:
        assert "leads out of the folder" in str(error)
    assert not list(tmp_path.rglob("escaped"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE])
def test_links_and_devices_are_not_unpacked_and_not_followed(tmp_path, kind):
    link = tarfile.TarInfo("Task03_Liver/imagesTr/link")
    link.type, link.linkname = kind, str(tmp_path / "outside")
    through = tarfile.TarInfo("Task03_Liver/imagesTr/link/escaped.nii.gz")
    (tmp_path / "outside").mkdir()
    (tmp_path / "a.tar").write_bytes(malicious.tar_of((link, b""), (through, b"content")))
    (tmp_path / "in").mkdir()
    unpack(tmp_path / "a.tar", tmp_path / "in")
    assert not list((tmp_path / "outside").iterdir())
    assert not any(path.is_symlink() or path.is_fifo() for path in (tmp_path / "in").rglob("*"))


def test_a_member_that_claims_a_terabyte_is_reported_without_being_written(tmp_path):
    member = tarfile.TarInfo("Task03_Liver/imagesTr/liver_0.nii.gz")
    member.size = 2**40
    (tmp_path / "a.tar").write_bytes(member.tobuf() + bytes(1024))
    with pytest.raises(InputError, match="is damaged"):
        unpack(tmp_path / "a.tar", tmp_path / "in")
    assert not list(tmp_path.rglob("liver_0*"))


@pytest.mark.slow
def test_a_series_whose_names_lead_out_of_the_folder_is_written_below_the_output(monkeypatch, tmp_path):
    """The names of DICOM elements never become names of files: those of the input are kept."""
    values = np.random.default_rng(0).integers(-100, 100, (32, 32)).astype(np.int16)
    for number in range(2):
        write_ct(
            tmp_path / f"in/{number}.dcm", hounsfield=values, z=number, number=number + 1, patient="../../escaped",
            StudyID="/tmp/escaped", SeriesDescription="../escaped", PatientName="$(touch escaped)",
        )  # fmt: skip
    monkeypatch.setattr(sys, "argv", ["fplbench", "apply", "median_filter", str(tmp_path / "in"), str(tmp_path / "out")])
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--window", "-160", "240"])
    monkeypatch.setattr(cli, "_spare_the_collector", lambda: None)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code in (None, 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]
    assert not [path for path in tmp_path.rglob("*") if "escaped" in path.name]
