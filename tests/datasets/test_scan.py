"""The header scan, its cache, and the walk that stays inside the root."""

import csv
import errno
import logging
import os

import numpy as np
import pytest

from fplbench.datasets import LOADERS
from fplbench.datasets.files import walk
from fplbench.datasets.loaders.lidc import LidcOptions
from fplbench.datasets.loaders.lits import LitsOptions
from fplbench.datasets.loaders.rsna import RsnaOptions
from fplbench.datasets.scan import check_headers, check_readable, report, scan
from fplbench.errors import InputError
from tests.helpers.dicom_files import write_ct, write_radiograph
from tests.helpers.nifti_files import write_volume

LIDC = LOADERS["lidc"]


def run(root, cache=None, **options):
    return scan(LIDC, LidcOptions(root=root, **options), 1, cache)


def test_a_second_scan_opens_nothing_that_is_unchanged(lidc_root, tmp_path):
    cache = tmp_path / "headers.csv"
    first = run(lidc_root, cache)
    for path in lidc_root.rglob("*.dcm"):
        status = path.stat()
        path.write_bytes(b"\0" * status.st_size)  # would be unreadable if it were opened
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    second = run(lidc_root, cache)
    assert (first.reused, second.reused) == (0, 72) and second.headers == first.headers


def test_unreadable_files_are_read_again(lidc_root, tmp_path, monkeypatch):
    cache = tmp_path / "headers.csv"
    path = min(lidc_root.rglob("*.dcm"))
    content, status = path.read_bytes(), path.stat()
    path.write_bytes(b"x" * len(content))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert len(run(lidc_root, cache).unreadable) == 1
    path.write_bytes(content)  # the same size, and the same time of change as before
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    found = run(lidc_root, cache)
    assert (found.reused, len(found.headers), len(found.unreadable)) == (71, 72, 0)


def test_a_mask_that_comes_later_or_changes_is_noticed(tmp_path):
    options, cache = LitsOptions(root=tmp_path / "in", liver_only=True), tmp_path / "headers.csv"

    def chosen():
        found = scan(LOADERS["lits"], options, 1, cache)
        return [header["chosen"] for header in found.headers.values()], found.reused

    write_volume(tmp_path / "in/volume-1.nii", np.zeros((4, 4, 9)))
    with pytest.raises(InputError, match="no liver mask"):
        chosen()
    liver = np.zeros((4, 4, 9))
    liver[2, 2, 3:6] = 1
    write_volume(tmp_path / "in/segmentation-1.nii", liver, dtype=np.uint8)
    assert chosen() == (["3-5"], 0)
    assert chosen() == (["3-5"], 1)
    liver[2, 2, 8] = 1
    path = write_volume(tmp_path / "in/segmentation-1.nii", liver, dtype=np.uint8)
    os.utime(path, ns=(1, 1))
    assert chosen() == (["3-5 8-8"], 0)
    path.unlink()
    with pytest.raises(InputError, match="no liver mask"):
        chosen()


@pytest.mark.parametrize(("column", "value"), [("position", "abc"), ("position", "nan"), ("row_spacing", "0.7]"), ("order", "")])
def test_a_damaged_row_of_the_cache_is_ignored(lidc_root, tmp_path, column, value):
    cache = tmp_path / "headers.csv"
    first = run(lidc_root, cache)
    rows = list(csv.reader(cache.open(newline="")))
    rows[5][rows[0].index(column)] = value
    with open(cache, "w", newline="") as file:
        csv.writer(file).writerows(rows)
    found = run(lidc_root, cache)
    assert found.reused == 71 and found.headers == first.headers


def test_an_interrupted_scan_keeps_what_it_has_read(lidc_root, tmp_path, monkeypatch):
    """The progress bar stands in for a user who stops the scan after 30 files."""

    def interrupted(answers, *_, **__):
        yield from (answer for _, answer in zip(range(30), answers, strict=False))
        raise KeyboardInterrupt

    monkeypatch.setattr("tqdm.tqdm", interrupted)
    cache = tmp_path / "headers.csv"
    with pytest.raises(KeyboardInterrupt):
        run(lidc_root, cache)
    monkeypatch.undo()
    found = run(lidc_root, cache)
    assert found.reused == 30 and len(found.headers) == 72


def test_a_changed_a_new_and_a_removed_file_are_noticed(lidc_root, tmp_path):
    cache = tmp_path / "headers.csv"
    run(lidc_root, cache)
    changed, removed, *_ = sorted(lidc_root.rglob("*.dcm"))
    write_ct(changed, patient="changed", hounsfield=np.zeros((30, 30), np.int16))
    removed.unlink()
    write_ct(lidc_root / "new.dcm", patient="new")
    found = run(lidc_root, cache)
    assert found.reused == 70 and len(found.headers) == 72
    assert {"changed", "new"} <= {header["patient"] for header in found.headers.values()}
    assert run(lidc_root, cache).reused == 72


@pytest.mark.parametrize("content", [b"", b"key,file\n1\n", b"key," + b'"' * 200_000, b"key,\xff\xfe\0"])
def test_a_damaged_cache_is_ignored(lidc_root, tmp_path, content):
    cache = tmp_path / "headers.csv"
    cache.write_bytes(content)
    assert len(run(lidc_root, cache).headers) == 72
    assert run(lidc_root, cache).reused == 72


@pytest.mark.parametrize("content", [b"image_id,person\na,b\n", b"\xff\xfe\0", b'"' * 200_000])
@pytest.mark.parametrize("pseudonymise", [False, True])
def test_a_file_that_is_not_a_cache_is_neither_overwritten_nor_deleted(lidc_root, tmp_path, content, pseudonymise):
    cache = tmp_path / "persons.csv"
    cache.write_bytes(content)
    with pytest.raises(InputError, match=r"persons\.csv is not a header cache"):
        run(lidc_root, cache, pseudonymise=pseudonymise)
    assert cache.read_bytes() == content


def test_a_header_is_read_without_the_pixels(tmp_path):
    """For 40 files with 512 KiB of pixels each, by the bytes that the kernel counts as read."""
    paths = [write_ct(tmp_path / f"{z}.dcm", z=z, hounsfield=np.zeros((512, 512), np.int16)) for z in range(40)]
    LIDC.read_header(paths[0], LidcOptions())
    before = bytes_read()
    for path in paths:
        LIDC.read_header(path, LidcOptions())
    assert bytes_read() - before < 40 * 20_000


def bytes_read():
    with open("/proc/self/io") as file:
        return int(file.readline().split()[1])


def test_every_file_left_out_is_named_and_counted_by_reason(lidc_root, caplog):
    (lidc_root / "broken.dcm").write_bytes(b"nonsense")
    write_ct(lidc_root / "scout.dcm", modality="DX")
    write_ct(lidc_root / "other.dcm", modality="DX", z=3)
    (lidc_root / "069.xml").write_text("<nodules/>")
    with caplog.at_level(logging.INFO):
        found = run(lidc_root)
        report(found, LidcOptions(root=lidc_root))
    assert list(found.unreadable) == ["broken.dcm"] and found.files_left_out == 3
    assert "Unreadable: broken.dcm: it is named .dcm but is not a DICOM file." in caplog.text
    assert "Left out: scout.dcm: modality DX." in caplog.text
    assert "Left out: 2 files: modality DX." in caplog.text
    assert "Left out: 1 file: .xml, not an image." in caplog.text
    assert "Headers: 72 images, 3 files left out, 1 unreadable." in caplog.text
    assert "Taken from the cache: 0 files." in caplog.text


def test_more_than_the_share_of_unreadable_files_stops():
    options = LidcOptions(max_unreadable=0.05)
    check_readable(5, 95, options, "lidc")
    with pytest.raises(InputError, match=r"6 of 100 files cannot be read \(6\.0%.*datasets\.lidc\.max_unreadable"):
        check_readable(6, 94, options, "lidc")


@pytest.mark.parametrize(("element", "ending"), [("PatientID", ", or read them with loader: ct."), ("SOPInstanceUID", "folder.")])
def test_where_files_have_no_patient_the_loader_that_reads_them_is_named(tmp_path, element, ending):
    write_ct(tmp_path / "a.dcm", **{element: None})
    with pytest.raises(InputError) as error:
        check_headers(run(tmp_path), LidcOptions(root=tmp_path), "lidc")
    assert str(error.value).endswith(ending)


def test_a_folder_without_images_is_named(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    message = r"no usable image of LIDC-IDRI \(1 file: \.txt, not an image\): set datasets\.lidc\.root.*fplbench fetch lidc"
    with pytest.raises(InputError, match=message):
        run(tmp_path)


def test_a_folder_that_is_a_link_out_of_the_root_is_named(tmp_path):
    write_radiograph(tmp_path / "big/stage_2_train_images/a.dcm", np.full((16, 16), 90, np.uint8))
    (tmp_path / "rsna").mkdir()
    (tmp_path / "rsna/stage_2_train_images").symlink_to(tmp_path / "big/stage_2_train_images")
    with pytest.raises(InputError, match="use the target of stage_2_train_images as the root, or"):
        scan(LOADERS["rsna"], RsnaOptions(root=tmp_path / "rsna"), 1)
    assert len(scan(LOADERS["rsna"], RsnaOptions(root=tmp_path / "rsna/stage_2_train_images"), 1).headers) == 1


def test_a_folder_that_cannot_be_opened_is_named(lidc_root, monkeypatch):
    closed, scandir = next(lidc_root.glob("*-0003")), os.scandir

    def refuse(path="."):
        if path == str(closed):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = run(lidc_root)
    assert found.unreadable == {"LIDC-IDRI-0003": "the folder cannot be opened: Permission denied"}
    assert len(found.headers) == 60


def test_links_out_of_the_root_and_odd_files_are_refused(tmp_path):
    root, outside = tmp_path / "root", tmp_path / "outside"
    write_ct(root / "in.dcm")
    write_ct(outside / "secret.dcm")
    (root / "link.dcm").symlink_to(outside / "secret.dcm")
    (root / "folder").symlink_to(outside)
    (root / "up").symlink_to("..")
    (root / "broken.dcm").symlink_to("nowhere.dcm")
    (root / "loop.dcm").symlink_to("loop.dcm")
    (root / "same.dcm").symlink_to("in.dcm")
    os.mkfifo(root / "pipe.dcm")
    (root / "line\nbreak.dcm").touch()
    found = {one.path: one.refused for one in walk(root)}
    assert [path for path, refused in found.items() if not refused] == ["in.dcm", "same.dcm"]
    for name in ("link.dcm", "folder", "up"):
        assert "leads out" in found[name]
    assert found["pipe.dcm"] == "not a regular file" and "unprintable" in found[r"line\nbreak.dcm"]
    assert "secret" not in str(found)


def test_the_root_may_be_a_link(lidc_root, tmp_path):
    (tmp_path / "link").symlink_to(lidc_root)
    assert len(run(tmp_path / "link").headers) == 72


def test_an_overlong_identifier_is_unreadable(tmp_path):
    write_ct(tmp_path / "a.dcm")
    write_ct(tmp_path / "b.dcm", patient="x" * 70_000)
    assert "longer than" in run(tmp_path).unreadable["b.dcm"]
