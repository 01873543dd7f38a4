"""A bundle holds a denoiser as it was trained, is the same file twice, and is refused if anything in it is wrong."""

import hashlib
import json
import re
import shutil
import stat
import zipfile
from contextlib import nullcontext
from importlib import metadata

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from fplbench import packages
from fplbench.applying.models import bundle as bundles
from fplbench.applying.models.bundle import open_bundle
from fplbench.applying.models.check_model import check_model
from fplbench.applying.models.denoisers import open_denoiser
from fplbench.applying.models.export import export_model
from fplbench.applying.models.phantom import make_phantom
from fplbench.applying.options import ApplyOptions
from fplbench.applying.running.run import apply_model
from fplbench.errors import InputError
from fplbench.files import file_hash, write_csv
from fplbench.networks import UNet, weights
from fplbench.networks.card import CARD_KEY, Card
from tests.applying.scans import head, write_nifti

CARD = Card(
    method="fpl",
    label="FPL",
    dataset="lidc",
    dataset_label="LIDC-IDRI",
    modalities=("CT",),
    hounsfield=True,
    window=(-1000, 400),
    pixel_mm=(0.7, 0.7),
    noise="gaussian",
    noise_title="Gaussian Noise",
    licence="Images may be shared.",
)
PSNR = [30 + patient / 10 for patient in range(20)]  # of one image of each of 20 patients


def save_unet(path, seed: int, metadata):
    torch.manual_seed(seed)
    weights.save(UNet(2).eval(), path, metadata)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run: a denoiser with its card, a restoration network, a config and scores of twenty patients."""
    folder = tmp_path_factory.mktemp("run")
    save_unet(folder / "models/lidc/restoration.safetensors", 1, {"output": "image"})
    card = {CARD_KEY: CARD.model_dump(mode="json")}
    save_unet(folder / "models/lidc/gaussian/fpl.safetensors", 2, {"output": "noise", **card})
    config = {"seed": 3, "datasets": {"lidc": {"root": "/hospital/department/scans"}}, "results": "results/demo"}
    (folder / "config.json").write_text(json.dumps(config))
    rows = [
        {"method": method, "image_id": f"i{number}", "patient": f"p{number}", "psnr": psnr + gain, "psnr_uint8": 30, "ssim": 0.5}
        for method, gain in (("noisy", -5), ("fpl", 0))
        for number, psnr in enumerate(PSNR)
    ]
    write_csv(folder / "scores/lidc/gaussian.csv", rows)
    return folder


@pytest.fixture(scope="module")
def model(run, tmp_path_factory):
    """The bundle of the run's denoiser, without an ONNX model."""
    out = tmp_path_factory.mktemp("bundle") / "model.zip"
    export_model(run / "models/lidc/gaussian/fpl.safetensors", out, onnx=False)
    return out


def members(path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist()}


def write_zip(path, contents, **changes):
    """A .zip file with some members, and a manifest that fits them unless `manifest` is given."""
    listed = {name: {"sha256": hashlib.sha256(own).hexdigest(), "bytes": len(own)} for name, own in contents.items()}
    manifest = {"format": 1, "version": "0", "opset": None, "members": listed} | changes
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
        for name, own in contents.items():
            archive.writestr(name, own)
    return path


def unpacked(model) -> dict[str, bytes]:
    """The members of a bundle but its manifest."""
    return {name: content for name, content in members(model).items() if name != "manifest.json"}


def test_a_bundle_holds_the_weights_and_the_card_as_they_are(run, model):
    opened = open_bundle(model)
    assert file_hash(opened.weights) == file_hash(run / "models/lidc/gaussian/fpl.safetensors")
    assert file_hash(opened.restoration) == file_hash(run / "models/lidc/restoration.safetensors")
    assert opened.card.model_copy(update={"scores": {}}) == CARD and opened.onnx is None


def test_label_and_licence_are_those_of_the_config_of_the_run(run, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    config = json.loads((run / "config.json").read_text())
    config["datasets"]["lidc"] |= {"label": "Chest CT", "licence": "Ours alone."}
    (tmp_path / "run/config.json").write_text(json.dumps(config))
    card = export_model(tmp_path / "run/models/lidc/gaussian/fpl.safetensors", tmp_path / "model.zip", onnx=False)
    assert (card.dataset_label, card.licence) == ("Chest CT", "Ours alone.")
    assert open_bundle(tmp_path / "model.zip").card == card
    assert b"Ours alone." in members(tmp_path / "model.zip")["README.txt"]


def test_the_scores_are_means_over_the_test_images_with_an_interval_over_patients(model):
    score = open_bundle(model).card.scores["psnr"]
    assert score.mean == pytest.approx(np.mean(PSNR)) and (score.over, score.units) == ("patients", 20)
    # Student's interval of the same twenty values; the bootstrap that tables use agrees with it to a tenth of its width.
    margin = 2.093 * np.std(PSNR, ddof=1) / np.sqrt(20)
    assert score.low == pytest.approx(np.mean(PSNR) - margin, abs=0.2 * margin)
    assert score.high == pytest.approx(np.mean(PSNR) + margin, abs=0.2 * margin)


def test_the_scores_are_those_of_the_denoiser_that_the_file_is(run, tmp_path):
    """Another column of the run has no scores of this training's."""
    shutil.copytree(run, tmp_path / "run")
    folder = tmp_path / "run/models/lidc/gaussian"
    (folder / "fpl.safetensors").rename(folder / "fpl_wide.safetensors")
    assert export_model(folder / "fpl_wide.safetensors", tmp_path / "model.zip", onnx=False).scores == {}


def test_the_same_denoiser_gives_the_same_bytes(run, model, tmp_path):
    export_model(run / "models/lidc/gaussian/fpl.safetensors", tmp_path / "again.zip", run, onnx=False)
    assert file_hash(tmp_path / "again.zip") == file_hash(model)


def test_a_bundle_does_not_say_where_files_are_kept(model):
    content = unpacked(model)
    assert json.loads(content["config.json"])["datasets"]["lidc"]["root"] == "scans"
    assert not any(b"/hospital" in own or b"/tmp" in own for own in content.values())


def test_the_expected_image_is_what_the_network_makes_of_the_phantom(model):
    opened = open_bundle(model)
    network, _ = weights.load(opened.weights)
    noisy = torch.from_numpy(make_phantom())[None, None]
    with torch.inference_mode():
        denoised = (noisy - network(noisy)).clamp(0, 1).mul(255).round().to(torch.uint8).numpy()[0, 0]
    assert np.array_equal(opened.phantom, make_phantom())
    assert np.abs(opened.expected.astype(int) - denoised).max() <= 1  # another memory layout rounds differently
    expected = json.loads(unpacked(model)["expected.json"])
    assert expected["sha256"] == hashlib.sha256(opened.expected.tobytes()).hexdigest()


def test_the_readme_says_what_the_denoiser_is_for(model):
    text = " ".join(unpacked(model)["README.txt"].decode().split())
    for part in ("FPL for Gaussian Noise", "NOT FOR CLINICAL USE", "-1000 to 400 HU", "Images may be shared.", "check-model"):
        assert part in text
    assert "model.onnx" not in text


def test_the_files_live_as_long_as_the_bundle(model):
    opened = open_bundle(model)
    place = opened.weights
    assert place.exists()
    del opened
    assert not place.exists()


def test_a_bundle_denoises_as_its_weight_file_does(run, model):
    image = np.random.default_rng(0).random((40, 50), dtype=np.float32)
    found, expected = (
        open_denoiser(str(path), {}, device="cpu")(image) for path in (model, run / "models/lidc/gaussian/fpl.safetensors")
    )
    assert np.array_equal(found, expected)


def test_checking_a_bundle_says_that_it_does_what_it_did(model):
    assert check_model(model) == ["With torch, the phantom comes out as expected, in all 65,536 pixels."]


@pytest.mark.parametrize("changes", [{}, {"hounsfield": False}, {"modalities": []}, {"modalities": ["MR"], "hounsfield": False}])
def test_checking_a_bundle_for_ct_says_that_it_has_no_window(model, tmp_path, changes):
    content = unpacked(model)
    card = json.loads(content["card.json"]) | {"window": None, "percentiles": None} | changes
    changed = write_zip(tmp_path / "m.zip", content | {"card.json": json.dumps(card).encode()})
    sentence = "The model is for CT, but its card has no window: `fplbench apply` needs --window LOW HIGH, in HU."
    assert check_model(changed)[1:] == ([] if "MR" in card["modalities"] else [sentence])


@pytest.mark.parametrize(("step", "message"), [(1, "3 of 65,536 pixels of the phantom differ by one grey level"), (2, "")])
def test_checking_a_bundle_allows_for_rounding_and_nothing_else(model, tmp_path, step, message):
    content = unpacked(model)
    image = open_bundle(model).expected.copy()
    image.ravel()[:3] += np.where(image.ravel()[:3] > 100, -step, step).astype(np.uint8)
    np.save(tmp_path / "expected.npy", image)
    changed = write_zip(tmp_path / "m.zip", content | {"expected.npy": (tmp_path / "expected.npy").read_bytes()})
    if message:
        assert message in check_model(changed)[0]
    else:
        with pytest.raises(InputError, match=r"3 of 65,536 pixels of the phantom differ, by up to 2 grey levels"):
            check_model(changed)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../evil.txt", "outside of its folder"),
        ("/etc/evil", "outside of its folder"),
        ("C:evil", "outside of its folder"),
        ("a\\..\\evil", "outside of its folder"),
        ("evil.py", "not a file of a model bundle"),
        ("folder/", "not a file of a model bundle"),
        ("weights.safetensors", "twice"),
    ],
)
def test_other_names_are_refused_and_nothing_is_unpacked(model, tmp_path, name, message):
    (tmp_path / "in").mkdir()
    path = write_zip(tmp_path / "in/m.zip", unpacked(model))
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning) if message == "twice" else nullcontext():
        archive.writestr(zipfile.ZipInfo(name), b"evil")
    _refused(path, message)
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["m.zip"]


def _refused(path, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        open_bundle(path)
    assert "\n" not in str(caught.value)


def test_other_compression_and_encryption_are_refused(model, tmp_path):
    path = write_zip(tmp_path / "m.zip", unpacked(model))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_LZMA) as archive:
        archive.writestr("model.onnx", b"x")
    _refused(path, "model.onnx is encrypted or compressed in another way")


def test_a_link_is_refused(model, tmp_path):
    entry = zipfile.ZipInfo("model.onnx")
    entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    path = write_zip(tmp_path / "m.zip", unpacked(model))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(entry, "/etc/passwd")
    _refused(path, "is a link")


def test_a_member_that_is_too_large_is_refused_before_it_is_unpacked(model, tmp_path, monkeypatch):
    monkeypatch.setattr(bundles, "LARGEST_MEMBER", 1000)
    monkeypatch.setattr(bundles, "_unpack", lambda *_: pytest.fail("it was unpacked"))
    _refused(model, r"has [\d,]+ bytes, more than the 1,000 allowed")


def test_members_that_are_too_large_together_are_refused(model, monkeypatch):
    monkeypatch.setattr(bundles, "LARGEST", 1000)
    _refused(model, r"its files have [\d,]+ bytes, more than the 1,000 allowed")


def test_a_bomb_is_refused_by_the_size_that_it_declares(model, tmp_path):
    path = write_zip(tmp_path / "m.zip", unpacked(model))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.onnx", b"x")
    content = path.read_bytes()
    # The central directory declares the smaller model as one of four gigabytes less one byte.
    place = content.rindex(b"PK\x01\x02", 0, content.rindex(b"model.onnx"))
    path.write_bytes(content[: place + 24] + b"\xfe\xff\xff\xff" + content[place + 28 :])
    _refused(path, "model.onnx has 4,294,967,294 bytes")


def test_a_changed_member_is_refused(model, tmp_path):
    content = unpacked(model)
    manifest = json.loads(members(model)["manifest.json"])["members"]
    content["card.json"] = content["card.json"].replace(b"-1000", b"-2000")
    _refused(write_zip(tmp_path / "m.zip", content, members=manifest), "the content of card.json is not what its manifest says")


@pytest.mark.parametrize("name", ["weights.safetensors", "card.json", "phantom.npy"])
def test_a_missing_member_is_refused(model, tmp_path, name):
    content = unpacked(model)
    del content[name]
    _refused(write_zip(tmp_path / "m.zip", content), f"{name} is missing")


def test_a_later_format_is_refused(model, tmp_path):
    _refused(write_zip(tmp_path / "m.zip", unpacked(model), format=2, version="9.9"), r"format 2, which fplbench 9\.9 wrote")


@pytest.mark.parametrize("image", [np.zeros((4, 4)), np.array([object()]), np.zeros((2, 4, 4), np.float32)])
def test_a_phantom_that_is_no_image_is_refused(model, tmp_path, image):
    np.save(tmp_path / "phantom.npy", image, allow_pickle=True)
    content = unpacked(model) | {"phantom.npy": (tmp_path / "phantom.npy").read_bytes()}
    _refused(write_zip(tmp_path / "m.zip", content), r"phantom\.npy is not a float32 image")


def test_a_card_with_another_field_is_refused(model, tmp_path):
    content = unpacked(model)
    content["card.json"] = json.dumps({**json.loads(content["card.json"]), "colour": "red"}).encode()
    _refused(write_zip(tmp_path / "m.zip", content), r"The colour in card.json of .*m\.zip is not a known key")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"window": [float("nan"), 400]}, "window is nan: input should be a finite number"),
        ({"window": [400, -1000]}, "window: its ends are 400 and -1000, but the first must be the smaller one"),
        ({"window": [40, 40 + 1e-9]}, "window: its ends are 40 and 40, but the first must be the smaller one"),
        ({"window": [-1e300, 1e300]}, "window: its ends are"),
        ({"percentiles": [99.5, 0.5]}, "percentiles: they are 99.5 and 0.5"),
        ({"percentiles": [-1, 101]}, "percentiles: they are -1 and 101"),
        ({"pixel_mm": [0.7, -0.7]}, "pixel_mm is -0.7: input should be greater than 0"),
        ({"pixel_mm": [0, 0.7]}, "pixel_mm is 0: input should be greater than 0"),
        ({"images": -3}, "images is -3: input should be greater than or equal to 0"),
        ({"seed": 10**3000}, "seed is 1000"),
        ({"method": "magic"}, "names an unknown training, 'magic': the known names are"),
        ({"method": "fpll"}, "names an unknown training, 'fpll': did you mean 'fpl'"),
        ({"label": "FPL\nNot for anyone"}, "label: it holds a character that cannot be printed"),
        ({"label": "FPL \x1b[31m"}, "label: it holds a character that cannot be printed"),
        ({"label": "FPL \u202eLPF"}, "label: it holds a character that cannot be printed"),
        ({"dataset_label": "<script>alert(1)</script>"}, "dataset_label: it holds markup"),
        ({"noise_title": "n" * 10_000}, "noise_title: it has 10,000 characters, more than the 200 allowed"),
        ({"licence": "a" * 10_000}, "licence: it has 10,000 characters, more than the 2,000 allowed"),
        ({"label": ["F"] * 10_000}, "label is ['F'"),
        ({"k" * 10_000: 1}, "k" * 100),
        ({"k\x1b[31m": 1}, "k?[31m is not a known key"),
        ({"dataset": "../../etc"}, "dataset: '../../etc' cannot be the name of a folder"),
        ({"noise": "a/b"}, "noise: 'a/b' cannot be the name of a folder"),
        ({"modalities": ["CT", "<b>"]}, "modalities is '<b>'"),
        ({"noise_level": {"minimum": 1, "median": 2, "maximum": float("inf")}}, "noise_level.maximum is inf"),
        ({"noise_level": {"minimum": -1, "median": 2, "maximum": 3}}, "noise_level.minimum is -1"),
        ({"noise_level": {"minimum": 3, "median": 2, "maximum": 1}}, "noise_level: its minimum, median and maximum must rise"),
        ({"noise_options": {"sigma": float("nan")}}, "noise_options: they hold a number that is not finite"),
        ({"training": {"loss": {"name": "a\x07"}}}, "training: it holds a character that cannot be printed"),
        ({"training": {"steps": list(range(10_000))}}, "training: they have"),
        ({"scores": {"psnr": {"mean": float("nan"), "units": 3}}}, "scores.psnr.mean is nan"),
        ({"scores": {"psnr": {"mean": 30, "low": 31, "high": 29, "units": 3}}}, "scores.psnr: its interval must have two ends"),
    ],
)
def test_a_card_with_values_that_cannot_be_true_is_refused_in_one_sentence(model, tmp_path, changes, message):
    """In a bundle, although its hash is right, and in a weight file."""
    content = unpacked(model)
    card = {**json.loads(content["card.json"]), **changes}
    write_zip(tmp_path / "m.zip", content | {"card.json": json.dumps(card).encode()})
    save_unet(tmp_path / "fpl.safetensors", 2, {"output": "noise", CARD_KEY: card})
    for open_it in (lambda: open_bundle(tmp_path / "m.zip"), lambda: open_denoiser(str(tmp_path / "fpl.safetensors"), {})):
        with pytest.raises(InputError) as caught:
            open_it()
        said = str(caught.value)
        key, colon, words = message.partition(": " if re.match(r"[\w.]+: ", message) else " is ")
        assert message in said or (said.startswith(f"The {key} in ") and f"{colon}{words}" in said), said
        assert len(said) < 500 and said.isprintable()


def test_a_card_may_hold_what_people_write(tmp_path):
    """Other alphabets, signs of comparison, the path of another system, and a score that this version does not know."""
    said = {
        "dataset_label": "Köln 胸部, b > 1000 & t < 3",
        "licence": "© Klinik; see https://example.org/licence?a=1&b=2",
        "training": {"source": "C:\\new\\tests", "nested": [{"a": None}]},
        "scores": {"crispness": {"mean": 1.5, "units": 1}},
    }
    card = {**CARD.model_dump(mode="json"), **said}
    save_unet(tmp_path / "fpl.safetensors", 2, {"output": "noise", CARD_KEY: card})
    export_model(tmp_path / "fpl.safetensors", tmp_path / "m.zip", onnx=False)
    opened = open_bundle(tmp_path / "m.zip").card
    assert opened.dataset_label == said["dataset_label"] and opened.training == said["training"]
    assert "crispness" in members(tmp_path / "m.zip")["README.txt"].decode()


def test_a_licence_of_several_lines_in_the_config_is_one_line_in_the_card_and_markup_is_refused(run, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    config = json.loads((run / "config.json").read_text())
    weight_file = tmp_path / "run/models/lidc/gaussian/fpl.safetensors"
    config["datasets"]["lidc"]["licence"] = "Ours alone,\n  ask us.\n"
    (tmp_path / "run/config.json").write_text(json.dumps(config))
    assert export_model(weight_file, tmp_path / "model.zip", onnx=False).licence == "Ours alone, ask us."
    config["datasets"]["lidc"]["label"] = "<b>LIDC</b>"
    (tmp_path / "run/config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match=r"The dataset_label in the card that the config of .* gives: it holds markup"):
        export_model(weight_file, tmp_path / "other.zip", onnx=False)


def test_other_files_and_truncated_ones_are_refused(model, tmp_path):
    (tmp_path / "text.zip").write_text("not a .zip file")
    _refused(tmp_path / "text.zip", "is not a readable .zip file")
    with zipfile.ZipFile(tmp_path / "other.zip", "w"):
        pass
    _refused(tmp_path / "other.zip", "is not a model bundle")
    _refused(tmp_path / "missing.zip", "does not exist")
    (tmp_path / "fpl.safetensors").touch()
    _refused(tmp_path / "fpl.safetensors", "is a weight file, not a bundle: `fplbench export-model` packs it into one")


def test_mutated_bundles_are_refused_or_open_unchanged(model, tmp_path):
    """Of 300 files with a damaged or missing part, none raises anything but one sentence, and none gives other weights."""
    content, rng = model.read_bytes(), np.random.default_rng(0)
    expected = hashlib.sha256(unpacked(model)["weights.safetensors"]).hexdigest()
    refused = 0
    for number in range(300):
        mutated = bytearray(content)
        # The lists of members are short, so every other place is in the last kilobyte, where one of them is.
        place = int(rng.integers(len(content) - 1000 if number % 4 > 1 else 0, len(content)))
        if number % 2:
            mutated[place : place + int(rng.integers(1, 64))] = rng.bytes(int(rng.integers(1, 64)))
        else:
            del mutated[place:]
        (tmp_path / "m.zip").write_bytes(mutated)
        try:
            assert file_hash(open_bundle(tmp_path / "m.zip").weights) == expected
        except InputError as error:
            assert "\n" not in str(error)
            refused += 1
    assert refused > 250


@pytest.mark.parametrize(
    ("weight_file", "name", "options", "message"),
    [
        ("models/lidc/gaussian/fpl.safetensors", "model.tar", {}, "does not end in .zip"),
        ("models/lidc/gaussian/fpl.safetensors", "there.zip", {}, "exists: choose another name, or give --overwrite"),
        ("models/lidc/gaussian/fpl.safetensors", "model.zip", {"results": "scores"}, "not the folder of a run"),
        ("models/lidc/restoration.safetensors", "model.zip", {}, "restoration network"),
        ("models/lidc/missing.safetensors", "model.zip", {}, "does not exist"),
        ("nlm", "model.zip", {}, "cannot be exported: only a weight file of `fplbench train`, .safetensors, can be"),
        ("other.zip", "model.zip", {}, "is a bundle already"),
    ],
)
def test_what_cannot_be_exported_is_refused_and_leaves_nothing(run, tmp_path, weight_file, name, options, message):
    (tmp_path / "there.zip").write_text("mine")
    given = {key: run / value for key, value in options.items()}
    with pytest.raises(InputError, match=message):
        export_model(run / weight_file, tmp_path / name, **given, onnx=False)
    assert [file.name for file in tmp_path.iterdir()] == ["there.zip"] and (tmp_path / "there.zip").read_text() == "mine"


def test_a_denoiser_without_a_card_is_not_exported(tmp_path):
    save_unet(tmp_path / "old.safetensors", 2, {"output": "noise"})
    with pytest.raises(InputError, match="has no card"):
        export_model(tmp_path / "old.safetensors", tmp_path / "model.zip", onnx=False)


def test_a_denoiser_without_a_run_is_exported_alone(run, tmp_path):
    alone = shutil.copy(run / "models/lidc/gaussian/fpl.safetensors", tmp_path / "fpl.safetensors")
    card = export_model(alone, tmp_path / "model.zip", onnx=False)
    assert card == CARD and {"config.json", "restoration.safetensors"}.isdisjoint(members(tmp_path / "model.zip"))


@pytest.mark.slow
@pytest.mark.skipif(packages.unusable("onnx", ("onnx", "onnxscript", "onnxruntime"), "onnx") is not None, reason="needs onnx")
def test_the_commands_export_with_onnx_and_check_it(run, tmp_path):
    import typer

    from fplbench.cli import models

    app = typer.Typer()
    models.register(app)
    command = ["export-model", str(run / "models/lidc/gaussian/fpl.safetensors"), str(tmp_path / "model.zip")]
    outputs = [CliRunner().invoke(app, arguments) for arguments in (command, ["check-model", str(tmp_path / "model.zip")])]
    assert [one.exit_code for one in outputs] == [0, 0], outputs
    assert "Not for clinical use." in outputs[0].stdout and "With onnxruntime, " in outputs[1].stdout
    opened = open_bundle(tmp_path / "model.zip")
    assert opened.manifest.opset == 18 and opened.onnx.exists()
    image = np.random.default_rng(0).random((40, 50), dtype=np.float32)
    torch_image, onnx_image = (
        open_denoiser(str(tmp_path / "model.zip"), {}, device="cpu", runtime=runtime)(image) for runtime in ("torch", "onnx")
    )
    assert np.abs(torch_image - onnx_image).max() < 1e-4


@pytest.mark.slow
@pytest.mark.skipif(packages.unusable("onnx", ("onnx", "onnxscript", "onnxruntime"), "onnx") is not None, reason="needs onnx")
def test_an_onnx_model_gets_no_slice_larger_than_a_tile_and_its_runtime_is_recorded(run, tmp_path):
    """It cannot be tiled, and its memory grows with the slice."""
    export_model(run / "models/lidc/gaussian/fpl.safetensors", tmp_path / "model.zip")
    source = write_nifti(tmp_path / "in.nii", head(side=80, slices=2))
    options = ApplyOptions(runtime="onnx", modality="CT", tile=64, overlap=16)
    with pytest.raises(InputError, match=r"slices of 80x80 pixels, which the ONNX model takes in one piece only, up to 64"):
        apply_model(str(tmp_path / "model.zip"), source, tmp_path / "out.nii", options)
    apply_model(str(tmp_path / "model.zip"), source, tmp_path / "out.nii", options.model_copy(update={"tile": 80}))
    versions = json.loads((tmp_path / "out_apply.json").read_text())["versions"]
    assert versions["onnxruntime"] == metadata.version("onnxruntime")
    assert versions["opencv-python-headless"] == metadata.version("opencv-python-headless")
