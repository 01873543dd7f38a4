"""Pairs of clean and noisy images: what is found, what is drawn, and what is said about images without a partner."""

import json
import logging

import nibabel
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from fplbench.cli import app
from fplbench.datasets import SamplingOptions, find_dataset, sample_dataset
from fplbench.datasets.registry import Unreadable
from fplbench.datasets.sampling.check import check_data
from fplbench.datasets.sampling.display import to_eight_bit
from fplbench.datasets.scan import scan
from fplbench.errors import InputError
from fplbench.noise import synthesize_stack
from fplbench.registry import parse_options
from fplbench.stacks import open_stack, read_index
from tests.helpers.dicom_files import write_ct
from tests.helpers.nifti_files import write_volume

PLAN = SamplingOptions(train=6, validation=2, test=2, size=24, patients={"train": 0.6, "validation": 0.2, "test": 0.2})
PATIENTS, SLICES = 5, 4
UP_BY_TWO = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 2], [0, 0, 0, 1]])


def image(patient, number):
    """HU of a slice that no other one has, (24, 24)."""
    return np.random.default_rng([patient, number]).integers(-900, 300, (24, 24)).astype(np.int16)


def noise(patient, number):
    return np.random.default_rng([patient, number, 1]).integers(-90, 90, (24, 24)).astype(np.int16)


def write_pairs(root, clean="clean/P{p}/{n}.dcm", noisy="noisy/P{p}/{n}.dcm", *, same_uid=False, shift=0.0, patients=PATIENTS):
    """Write slices in pairs, the noisy ones in reverse order of their files; each side is a series of its own."""
    for p in range(patients):
        for n in range(SLICES):
            for place, series, change in ((clean, "1", 0), (noisy, "2", 1)):
                write_ct(
                    root / place.format(p=p, n=SLICES - n if change else n, same=n),
                    patient=f"P{p}",
                    series=f"1.2.{series}.{p}",
                    z=2.5 * n + change * shift,
                    number=n + 1,
                    hounsfield=image(p, n) + change * noise(p, n),
                    sop=f"1.2.3.{p}.{n + 1}" if same_uid else None,
                )
    return root


def options_of(root, **values):
    return parse_options(find_dataset("mayo", "paired", of=values.get("of")).options, {"root": root, **values}, "datasets.mayo")


def arranged(root, **values):
    options = options_of(root, **values)
    dataset = find_dataset("mayo", "paired", of=options.of)
    found = scan(dataset, options, 1)
    return *dataset.arrange(found.headers, options), found


def pairs(slices):
    return {one.source: one.partner[0] for one in slices}


def expected(same):
    """Files that belong together: `same` says whether equal names do, else the noisy ones are numbered backwards."""
    places = [(p, n) for p in range(PATIENTS) for n in range(SLICES)]
    return {f"clean/P{p}/{n}.dcm": f"noisy/P{p}/{n if same else SLICES - n}.dcm" for p, n in places}


def test_slices_at_the_same_position_are_pairs_whatever_their_files_are_called(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    slices, omitted, _ = arranged(write_pairs(tmp_path))
    assert pairs(slices) == expected(same=False) and not omitted
    assert "Pairs: 20, matched by position." in caplog.text


def test_slices_of_the_same_identifier_are_pairs_wherever_they_lie(tmp_path, caplog):
    root = write_pairs(tmp_path, same_uid=True, shift=0.5)
    slices, omitted, _ = arranged(root)
    assert pairs(slices) == expected(same=False) and not omitted
    assert (
        "in 20 of 20, matched by uid, clean and noisy image lie at different positions along the body, up to 0.5 mm"
        in caplog.text
    )


def test_files_of_the_same_name_are_pairs(tmp_path):
    root = write_pairs(tmp_path, noisy="noisy/P{p}/{same}.dcm", shift=0.5)
    slices, omitted, _ = arranged(root)
    assert pairs(slices) == expected(same=True) and not omitted


def test_the_layout_of_tcia_is_paired_by_patterns(tmp_path):
    folder = "C{p}/9.{p}/1.000000-%s Dose Images-%s{p}/1-{n}.dcm"
    root = write_pairs(tmp_path, folder % ("Full", 5), folder % ("Low", 3))
    write_ct(tmp_path / "C0/9.0/1.000000-Full dose projections-1/1-1.dcm", patient="P0", series="1.2.9")
    slices, omitted, found = arranged(root, clean="*Full Dose*", noisy="*Low Dose*")
    assert len(slices) == PATIENTS * SLICES and not omitted
    assert pairs(slices)["C1/9.1/1.000000-Full Dose Images-51/1-0.dcm"] == "C1/9.1/1.000000-Low Dose Images-31/1-4.dcm"
    assert found.skipped == {
        "C0/9.0/1.000000-Full dose projections-1/1-1.dcm": "neither a clean nor a noisy image, judging by its path"
    }


def test_slices_of_volumes_are_paired_by_name_and_number(tmp_path):
    clean = np.random.default_rng(0).integers(-500, 200, (24, 22, 7)).astype(np.int16)
    write_volume(tmp_path / "clean/a.nii.gz", clean)
    write_volume(tmp_path / "noisy/a.nii", clean + 9, axes="LPI")
    slices, omitted, _ = arranged(tmp_path, match="name")
    assert not omitted and [one.partner for one in slices] == [("noisy/a.nii", number) for number in range(7)]
    dataset, options = find_dataset("mayo", "paired"), options_of(tmp_path)
    for wanted in (slices, slices[2:4]):
        planes = list(dataset.read_images(tmp_path / "clean/a.nii.gz", wanted, options))
        assert {plane.slice for plane in planes} == {*wanted}
        assert all(np.array_equal(plane.noisy, plane.values + 9) for plane in planes)


def test_the_stacks_show_both_images_in_the_same_window_exactly(tmp_path):
    root = write_pairs(tmp_path / "data")
    summary = sample_dataset("mayo", options_of(root, window=(-1000, 400)), PLAN, 1, tmp_path, hu=True, loader="paired")
    assert (summary["loader"], summary["paired"], summary["hounsfield"], summary["modalities"]) == ("paired", True, True, ["CT"])
    for split, count in PLAN.counts().items():
        clean, noisy = open_stack(tmp_path / f"{split}.npy"), open_stack(tmp_path / f"{split}_noisy.npy")
        rows = read_index(tmp_path / f"{split}.npy", count)
        for row, one, other in zip(rows, clean, noisy, strict=True):
            place = int(row["patient"][1:]), int(row["slice"])
            low = image(*place).astype(np.float32)
            assert np.array_equal(one, to_eight_bit(low, (-1000, 400), 24))
            assert np.array_equal(other, to_eight_bit(low + noise(*place), (-1000, 400), 24))
        synthesize_stack("as_acquired", tmp_path / f"{split}.npy", tmp_path / f"{split}.out.npy", {}, seed=1)
        assert np.array_equal(open_stack(tmp_path / f"{split}.out.npy"), noisy)


def test_images_without_a_partner_are_named_and_counted(tmp_path):
    root = write_pairs(tmp_path / "data")
    (root / "noisy/P1/4.dcm").unlink()  # of clean/P1/0.dcm
    (root / "clean/P2/3.dcm").unlink()  # of noisy/P2/1.dcm
    (root / "clean/P3/3.dcm").unlink()
    lines, possible = check_data("mayo", options_of(root), PLAN, 1, 1, tmp_path / "sheet.png", loader="paired")
    assert possible, lines
    text = "\n".join(lines)
    assert "Left out: 3 files. Unreadable: 0 files." in text
    assert "  1 file: a clean image without a noisy one, for example clean/P1/0.dcm" in text
    assert "  2 files: a noisy image without a clean one, for example noisy/P2/1.dcm" in text
    assert "Slices:   17 in 37 files" in text
    assert (
        "Not in a pair, by folder:\n  clean/P1: 1 file: a clean image without a noisy one\n"
        "  noisy/P2: 1 file: a noisy image without a clean one\n  noisy/P3: 1 file: a noisy image without a clean one\n"
    ) in text


def test_of_many_folders_with_images_in_no_pair_twenty_lines_are_printed(tmp_path):
    root = write_pairs(tmp_path / "data")
    for k in range(30):
        write_ct(root / f"clean/X{k:02}/a.dcm", patient=f"X{k}", series=f"1.7.{k}")
    lines, _ = check_data("mayo", options_of(root), PLAN, 1, 1, tmp_path / "sheet.png", loader="paired")
    start = lines.index("Not in a pair, by folder:")
    assert lines[start + 19] == "  clean/X18: 1 file: a clean image without a noisy one"
    assert lines[start + 20] == "  and 11 more lines" and lines[start + 21].startswith("Series with a gap")


def test_the_contact_sheet_shows_each_clean_image_with_its_noisy_one_on_the_right(tmp_path):
    options = options_of(tmp_path / "data", **write_pictures(tmp_path / "data", 16, size=256))
    check_data("own", options, PLAN, 1, 1, tmp_path / "sheet.png", loader="paired")
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))[..., 0]
    assert sheet.shape == (4 * 272, 8 * 256)
    for number in range(16):
        cell = sheet[number // 4 * 272 :, number % 4 * 512 :]
        assert np.array_equal(cell[:256, 256:512], cell[:256, :256] // 2) and cell[:256, :256].std() > 20


def test_a_noisy_image_in_two_reconstructions_is_ambiguous(tmp_path):
    root = write_pairs(tmp_path)
    write_ct(tmp_path / "noisy/P0/sharp.dcm", patient="P0", series="1.2.3.0", z=0)
    slices, omitted, _ = arranged(root, match="position")
    assert len(slices) == PATIENTS * SLICES - 1
    assert omitted == dict.fromkeys(
        ["clean/P0/0.dcm", "noisy/P0/4.dcm", "noisy/P0/sharp.dcm"], "an image with several possible partners"
    )


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {"match": "uid"},
            r"has 20 clean images \(clean: 'clean', such as clean/P0/0.dcm\) and 20 noisy images \(noisy: 'noisy', such as "
            r"noisy/P0/4.dcm\), but no pair that matches by uid\.",
        ),
        (
            {"noisy": "nosiy"},
            r"20 clean images .* and 0 noisy images \(noisy: 'nosiy'\), but no pair .* by uid, position or name",
        ),
        ({"clean": "*.dcm"}, "0 clean images"),
    ],
)
def test_without_a_pair_the_message_says_what_was_found_and_tried(tmp_path, values, words):
    with pytest.raises(InputError, match=words):
        arranged(write_pairs(tmp_path), **values)


def test_where_every_slice_has_several_partners_narrower_patterns_are_advised(tmp_path):
    """Each slice in two reconstructions on both sides: 2 patients x 4 slices x 2 sides x 2 are ambiguous by position."""
    for kernel in ("B30", "D45"):
        for side, low in (("full", 0), ("quarter", 1)):
            for p in range(2):
                for n in range(SLICES):
                    series = f"1.{ord(kernel[0])}.{low}.{p}"
                    write_ct(tmp_path / f"{side}_1mm/{kernel}/{low}{p}/{kernel}-{n}.dcm", patient=f"P{p}", series=series, z=n)
    words = r"uid, position or name; 32 have several possible partners\. Make clean and noisy narrower, such as \*/full_1mm/B30"
    with pytest.raises(InputError, match=words):
        arranged(tmp_path, clean="full*", noisy="quarter*")
    slices, _, _ = arranged(tmp_path, clean="full_1mm/B30", noisy="quarter_1mm/B30")
    assert len(slices) == 2 * SLICES


def test_where_all_files_are_both_clean_and_noisy_the_message_says_so(tmp_path):
    with pytest.raises(InputError) as error:
        arranged(write_pairs(tmp_path, patients=1), clean="*", noisy="P*")
    assert (
        "no pair: 8 files are both clean and noisy, judging by clean ('*') and noisy ('P*'): set datasets.mayo.clean and "
        "datasets.mayo.noisy to" in str(error.value)
    )


def test_where_no_file_is_clean_or_noisy_the_message_names_the_keys_and_five_folders(tmp_path, monkeypatch):
    root = write_pairs(tmp_path / "data", patients=3)
    with pytest.raises(InputError) as error:
        arranged(root, clean="full", noisy="low")
    text = str(error.value)
    assert "24 files are neither clean nor noisy, judging by clean ('full') and noisy ('low')" in text
    assert "root" not in text.replace(str(tmp_path), "") and "set datasets.mayo.clean and datasets.mayo.noisy" in text
    assert text.endswith("Folders found: clean/P0, clean/P1, clean/P2, noisy/P0, noisy/P1 and 1 more.")
    monkeypatch.setenv("FPLBENCH_PSEUDONYM_KEY", str(tmp_path / "key"))
    with pytest.raises(InputError) as error:
        arranged(root, clean="full", noisy="low", pseudonymise=True)
    assert "P0" not in str(error.value)


def test_the_message_has_pseudonyms_if_names_are_to_be_hidden(tmp_path, monkeypatch):
    monkeypatch.setenv("FPLBENCH_PSEUDONYM_KEY", str(tmp_path / "key"))
    with pytest.raises(InputError) as error:
        arranged(write_pairs(tmp_path / "data"), match="uid", pseudonymise=True)
    assert "P0" not in str(error.value).replace(str(tmp_path), "")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:1100]), "its noisy image cannot be used: it is truncated"),
        (lambda path: path.write_bytes(b"\0" * 128 + b"DICM" + b"x" * 99), "its noisy image"),
        (lambda path: path.unlink(), "its noisy image cannot be read: No such file or directory"),
    ],
)
def test_a_noisy_image_that_cannot_be_used_makes_its_pair_unreadable(tmp_path, spoil, reason):
    slices, _, _ = arranged(write_pairs(tmp_path, patients=1))
    spoil(tmp_path / "noisy/P0/4.dcm")
    with pytest.raises(Unreadable, match=reason):
        list(find_dataset("mayo", "paired").read_images(tmp_path / "clean/P0/0.dcm", slices[:1], options_of(tmp_path)))


def test_pairs_whose_images_differ_in_size_are_named(tmp_path):
    root = write_pairs(tmp_path)
    write_ct(root / "noisy/P0/4.dcm", patient="P0", series="1.2.2.0", number=1, hounsfield=np.zeros((24, 20), np.int16))
    slices, omitted, _ = arranged(root)
    assert len(slices) == PATIENTS * SLICES - 1
    assert omitted == dict.fromkeys(["clean/P0/0.dcm", "noisy/P0/4.dcm"], "an image of another size than its partner")


def test_pairs_that_all_differ_in_size_are_refused_with_the_reason(tmp_path):
    for z in range(3):
        write_ct(tmp_path / f"clean/{z}.dcm", z=z)
        write_ct(tmp_path / f"noisy/{z}.dcm", z=z, hounsfield=np.zeros((24, 20), np.int16))
    with pytest.raises(InputError, match="has 3 pairs that match by uid, but in each the noisy image has another size than"):
        arranged(tmp_path)


@pytest.mark.parametrize(
    ("clean", "noisy"),
    [
        ({"StudyInstanceUID": "1.7"}, {"StudyInstanceUID": "1.8"}),  # of other studies
        ({"StudyInstanceUID": "1.7"}, {"StudyInstanceUID": "1.7"}),
        ({}, {}),  # each side is a series of its own
        ({"SeriesInstanceUID": None}, {"SeriesInstanceUID": None}),  # only folders are left
    ],
)
def test_anonymised_pairs_match_by_position(tmp_path, clean, noisy):
    """Three scans of three slices at the same positions, whose files are named in reverse order on the noisy side."""
    for scan_number in range(3):
        for z in range(3):
            for side, name, elements in (("clean", z, clean), ("noisy", 2 - z, noisy)):
                unique = {key: value and f"{value}.{scan_number}" for key, value in elements.items()}
                path = tmp_path / f"{side}/scan{scan_number}/{name}.dcm"
                write_ct(path, z=z, series=f"1.{len(side)}{ord(side[0])}.{scan_number}", **{"PatientID": None} | unique)
    slices, omitted, _ = arranged(tmp_path, match="position")
    expected = {f"clean/scan{s}/{z}.dcm": f"noisy/scan{s}/{2 - z}.dcm" for s in range(3) for z in range(3)}
    assert pairs(slices) == expected and not omitted


def write_pictures(root, count, size=32):
    """Write pairs of PNG files side by side, the noisy ones half as bright."""
    root.mkdir()
    for k in range(count):
        grey = np.random.default_rng(k).integers(50, 200, (size, size)).astype(np.uint8)
        Image.fromarray(grey).save(root / f"{k}_clean.png")
        Image.fromarray(grey // 2).save(root / f"{k}_noisy.png")
    return {"of": "radiograph", "clean": "*_clean.png", "noisy": "*_noisy.png", "window": (0, 255)}


def test_pictures_are_refused_by_ct_with_the_loader_that_reads_them(tmp_path):
    write_pictures(tmp_path / "data", 3)
    words = r"\(6 files: \.png, not read by ct; the loader radiograph reads it\)"
    with pytest.raises(InputError, match=words):
        arranged(tmp_path / "data", clean="*_clean.png", noisy="*_noisy.png")


def test_sampling_takes_other_pairs_for_those_whose_noisy_picture_is_damaged(tmp_path, caplog):
    options = options_of(tmp_path / "data", max_unreadable=0.5, **write_pictures(tmp_path / "data", 48))
    for k in range(2, 48, 3):
        path = tmp_path / f"data/{k}_noisy.png"
        path.write_bytes(path.read_bytes()[:-200])
    plan = SamplingOptions(train=12, validation=2, test=2, size=32, split="random_slice")
    summary = sample_dataset("own", options, plan, 1, tmp_path, loader="paired")
    used = [row["source"] for split in plan.counts() for row in read_index(tmp_path / f"{split}.npy")]
    assert len(used) == 16 and all(int(name.removesuffix("_clean.png")) % 3 != 2 for name in used)
    assert summary["files_unreadable"] >= 1 and "_clean.png: its noisy image cannot be read: it is damaged." in caplog.text


def test_the_header_cache_holds_for_its_patterns_only(tmp_path):
    root, dataset, cache = write_pairs(tmp_path / "data"), find_dataset("mayo", "paired"), tmp_path / "headers.csv"
    assert scan(dataset, options_of(root), 1, cache).reused == 0
    again = scan(dataset, options_of(root), 1, cache)
    assert again.reused == 40 and len(dataset.arrange(again.headers, options_of(root))[0]) == 20
    assert scan(dataset, options_of(root, noisy="noise"), 1, cache).reused == 0


@pytest.mark.parametrize(
    ("of", "facts"),
    [
        (None, (True, ("CT",), True)),
        ("ct", (True, ("CT",), True)),
        ("mr", (False, ("MR",), True)),
        ("radiograph", (False, ("CR", "DX", "MG", "RG"), False)),
    ],
)
def test_what_pairs_are_depends_on_the_loader_of_their_images(of, facts):
    found, inner = find_dataset("own", "paired", of=of), find_dataset(of or "ct")
    assert (found.hounsfield, found.modalities, found.scans) == facts and found.paired
    assert (found.name, found.loader, found.label) == ("own", "paired", "own")
    assert (found.header_fields, found.libraries) == (inner.header_fields, inner.libraries)
    assert found.options().window == inner.options().window and found.options().of == (of or "ct")
    assert {*inner.options.model_fields} < {*found.options.model_fields}


def test_an_unknown_loader_of_the_images_is_refused():
    with pytest.raises(InputError, match="of is 'lidc', but must be one of ct, mr, radiograph"):
        find_dataset("own", "paired", of="lidc")
    assert find_dataset("lidc", of="mr").modalities == ("CT",)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"clean": "x", "noisy": "x"}, "clean and noisy are both 'x'; they must differ"),
        ({"clean": "../x"}, "'../x' is neither the name of a folder below the root nor a pattern"),
        ({"match": "size"}, "datasets.mayo.match is 'size'"),
        ({"percentiles": [1, 99]}, "datasets.mayo.percentiles is not a known key"),
    ],
)
def test_options_without_a_meaning_are_refused(values, words):
    with pytest.raises(InputError, match=words):
        options_of("data", **values)


def test_pairs_of_pictures_are_drawn_in_the_window_of_the_clean_one(tmp_path):
    options = options_of(tmp_path / "data", **write_pictures(tmp_path / "data", 3))
    plan = SamplingOptions(train=1, validation=1, test=1, size=32)
    sample_dataset("own", options, plan, 1, tmp_path, loader="paired")
    clean, noisy = open_stack(tmp_path / "train.npy"), open_stack(tmp_path / "train_noisy.npy")
    assert np.array_equal(noisy, clean // 2) and clean.std() > 20


def test_volumes_that_do_not_start_at_the_same_slice_are_paired_by_position(tmp_path, caplog):
    """The noisy volume lacks the two lowest slices: its number 0 is the clean number 2."""
    clean = np.random.default_rng(0).integers(-500, 200, (24, 22, 7)).astype(np.int16)
    write_volume(tmp_path / "clean/a.nii", clean)
    raised = nibabel.Nifti1Image(clean[:, :, 2:] + 9, nibabel.load(tmp_path / "clean/a.nii").affine @ UP_BY_TWO)
    (tmp_path / "noisy").mkdir()
    nibabel.save(raised, tmp_path / "noisy/a.nii")
    slices, omitted, _ = arranged(tmp_path, match="position")
    assert [(one.number, one.partner[1]) for one in slices] == [(k, k - 2) for k in range(2, 7)]
    assert not omitted and "of 1 used files, some slices have no partner, for example in clean/a.nii." in caplog.text
    planes = find_dataset("mayo", "paired").read_images(tmp_path / "clean/a.nii", slices, options_of(tmp_path))
    assert all(np.array_equal(plane.noisy, plane.values + 9) for plane in planes)


@pytest.mark.slow
def test_the_commands_take_the_loader_of_the_images_from_the_options(tmp_path):
    root = write_pairs(tmp_path / "data")
    sampling = json.dumps({"train": 6, "validation": 2, "test": 2, "size": 24})
    arguments = ["mayo", str(tmp_path / "out"), "--root", str(root), "--loader", "paired", "--sampling", sampling]
    result = CliRunner().invoke(app, ["sample", *arguments, "--options", '{"of": "ct", "match": "position"}'])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out/train_noisy.npy").exists()
    refused = CliRunner().invoke(app, ["sample", *arguments, "--options", '{"of": "pet"}'])
    assert refused.exit_code and "of is 'pet'" in str(refused.exception or refused.output)
