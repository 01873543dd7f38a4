"""Where output goes: refused where it would touch something, complete or not at all."""

import json
import os
from pathlib import Path

import pytest

from fplbench.applying.running.journal import Journal
from fplbench.applying.running.outputs import Output
from fplbench.errors import InputError


@pytest.fixture
def source(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/scan.nii").write_text("scan")
    return tmp_path / "in"


def refused(path, source, sentence, kept=(), overwrite=False):
    before = sorted(path.parent.rglob("*"))
    with pytest.raises(InputError, match=sentence):
        Output(path, source, kept, overwrite)
    assert sorted(path.parent.rglob("*")) == before


def test_the_input_itself_is_never_the_output(tmp_path, source):
    (tmp_path / "link").symlink_to(source)
    os.link(source / "scan.nii", tmp_path / "hard.nii")
    for overwrite in (False, True):
        refused(source, source, "is the input, which is never changed", overwrite=overwrite)
        refused(tmp_path / "link", source, "is the input", overwrite=overwrite)
        refused(source / "scan.nii", source / "scan.nii", "is the input", overwrite=overwrite)
        refused(tmp_path / "hard.nii", source / "scan.nii", "is the input", overwrite=overwrite)
        refused(tmp_path / "in/../in", source, "is the input", overwrite=overwrite)


def test_one_inside_the_other_is_refused(tmp_path, source):
    refused(source / "out", source, "is inside the input")
    (tmp_path / "link").symlink_to(source)
    refused(tmp_path / "link" / "out", source, "is inside the input")
    refused(tmp_path, source, "in is inside the output .*, which would be replaced", overwrite=True)


def test_the_folder_that_the_run_works_in_is_not_the_input(tmp_path):
    source = tmp_path / "out.partial"
    source.mkdir()
    refused(tmp_path / "out", source, "is the input")


def test_a_model_inside_the_output_is_not_replaced(tmp_path, source):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/apply.json").write_text("{}")
    (tmp_path / "out/model.zip").write_text("")
    refused(tmp_path / "out", source, "model.zip is inside the output", [tmp_path / "out/model.zip"], overwrite=True)


def test_an_output_that_exists_is_refused(tmp_path, source):
    (tmp_path / "out.nii").write_text("mine")
    refused(tmp_path / "out.nii", source / "scan.nii", "out.nii exists: name another output, or add --overwrite")
    Output(tmp_path / "out.nii", source / "scan.nii", (), overwrite=True)
    (tmp_path / "other_quality.html").write_text("mine")
    refused(tmp_path / "other.nii", source / "scan.nii", "other_quality.html exists")


@pytest.mark.parametrize("name", ["", ".", "/", "..", "a/.."])
def test_what_is_not_a_name_is_refused(source, name):
    with pytest.raises(InputError, match=r"cannot be the output: give the name of a file or folder that is to be made\.$"):
        Output(Path(name), source, (), False)


@pytest.mark.parametrize("name", ["a" * 201, "ä" * 101])
def test_a_name_that_file_systems_do_not_take_is_refused(tmp_path, source, name):
    refused(tmp_path / name, source, "has more than 200 bytes: give a shorter one")
    Output(tmp_path / name[:100], source, (), False)


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("name", ["out", "out.partial"])
def test_a_link_to_a_folder_is_not_replaced(tmp_path, source, name, overwrite):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/apply.json").write_text("{}")
    (tmp_path / name).symlink_to(tmp_path / "mine")
    refused(tmp_path / "out", source, f"{name} is a symbolic link, which is never replaced: name its target", overwrite=overwrite)
    assert (tmp_path / name).readlink() == tmp_path / "mine"
    assert (tmp_path / "mine/apply.json").read_text() == "{}"


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("name", ["out.nii", "out_quality.html", "out_apply.json"])
def test_a_link_to_a_file_is_not_replaced(tmp_path, source, name, overwrite):
    (tmp_path / "mine").write_text("mine")
    (tmp_path / name).symlink_to(tmp_path / "mine")
    refused(tmp_path / "out.nii", source / "scan.nii", f"{name} is a symbolic link", overwrite=overwrite)
    assert (tmp_path / name).readlink() == tmp_path / "mine"
    assert (tmp_path / "mine").read_text() == "mine"
    (tmp_path / "mine").unlink()
    refused(tmp_path / "out.nii", source / "scan.nii", f"{name} is a symbolic link", overwrite=overwrite)


def test_only_what_apply_made_is_overwritten(tmp_path, source):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.txt").write_text("mine")
    refused(tmp_path / "out", source, "was not made by `fplbench apply`, so it is not overwritten", overwrite=True)
    (tmp_path / "out/apply.json").write_text("{}")
    Output(tmp_path / "out", source, (), overwrite=True)


def test_the_output_has_the_format_of_the_input(tmp_path, source):
    (tmp_path / "a.dcm").write_text("")
    (tmp_path / "folder").mkdir()
    refused(tmp_path / "out.dcm", source / "scan.nii", r"must end in .nii or .nii.gz, as the output has the format of")
    refused(tmp_path / "out.nii", tmp_path / "a.dcm", "must not end in .nii")
    refused(tmp_path / "out.nii.gz", source, "is a folder, so the output must be one too")
    refused(tmp_path / "folder", tmp_path / "a.dcm", "is a file, so the output must be one too")


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write everywhere")
def test_a_folder_without_permission_to_write_is_refused(tmp_path, source):
    (tmp_path / "closed").mkdir(mode=0o500)
    refused(tmp_path / "closed" / "out", source, "Cannot write to .*closed: Permission denied")


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path, source):
    refused(source / "scan.nii" / "out", source / "scan.nii", "is inside the input|Cannot write")
    (tmp_path / "file").write_text("")
    refused(tmp_path / "file" / "out", source, "Cannot write to .*file")


def test_the_partial_folder_is_for_one_run_at_a_time_and_one_command(tmp_path, source):
    output = Output(tmp_path / "out", source, (), False)
    with output.claim("key"):
        other = Output(tmp_path / "out", source, (), False)
        with pytest.raises(InputError, match="Another process is writing"), other.claim("key"):
            pass
        Journal(output.work / "000000").add({"number": 0})
    with output.claim("key"):  # as after an interruption
        pass
    sentence = "out.partial is that of an interrupted run with another input.*, or add --overwrite to begin anew"
    with pytest.raises(InputError, match=sentence), output.claim("else"):
        pass
    (output.partial / "state.json").write_text("{")
    with pytest.raises(InputError, match="not that of an interrupted run: move it away"), output.claim("key"):
        pass


def interrupted(output, key):
    """Leave a partial folder in which one slice is finished."""
    with output.claim(key):
        Journal(output.work / "000000").add({"number": 0})


def test_the_partial_folder_of_another_command_is_overwritten_if_that_is_asked_for(tmp_path, source):
    interrupted(Output(tmp_path / "out", source, (), False), "key")
    output = Output(tmp_path / "out", source, (), overwrite=True)
    with output.claim("key"):  # the same command continues also then
        assert Journal(output.work / "000000").slices()
    with output.claim("else"):
        assert sorted(path.name for path in output.partial.iterdir()) == [".lock", "state.json"]
        Journal(output.work / "000000").add({"number": 1})
    with output.claim("else"):
        assert list(Journal(output.work / "000000").slices()) == [1]


def test_the_partial_folder_of_a_process_that_is_running_is_not_overwritten(tmp_path, source):
    output = Output(tmp_path / "out", source, (), False)
    with output.claim("key"):
        Journal(output.work / "000000").add({"number": 0})
        before = sorted(output.partial.rglob("*"))
        other = Output(tmp_path / "out", source, (), overwrite=True)
        with pytest.raises(InputError, match="Another process is writing"), other.claim("else"):
            pass
        assert sorted(output.partial.rglob("*")) == before


def test_a_folder_that_is_no_interrupted_run_is_never_overwritten(tmp_path, source):
    (tmp_path / "out.partial").mkdir()
    (tmp_path / "out.partial/mine.txt").write_text("")
    for state in (None, "", "{", "[]", '{"mine": 1}'):
        if state is not None:
            (tmp_path / "out.partial/state.json").write_text(state)
        output = Output(tmp_path / "out", source, (), overwrite=True)
        with pytest.raises(InputError, match="is not that of an interrupted run: move it away"), output.claim("key"):
            pass
        assert (tmp_path / "out.partial/mine.txt").exists()
    (tmp_path / "file.partial").write_text("mine")
    with pytest.raises(InputError, match="move it away"), Output(tmp_path / "file", source, (), True).claim("key"):
        pass


def test_the_output_that_another_run_was_about_to_replace_gets_its_name_back(tmp_path, source):
    """That run was killed between the two renamings, so that nothing has the name of the output."""
    output = Output(tmp_path / "out", source, (), overwrite=True)
    interrupted(output, "key")
    (output.partial / "replaced-0").mkdir()
    (output.partial / "replaced-0/apply.json").write_text("first")
    with output.claim("else"):
        assert (tmp_path / "out/apply.json").read_text() == "first"
        assert not (output.partial / "replaced-0").exists()


def test_what_has_appeared_under_the_name_of_the_output_since_the_run_began_is_kept(tmp_path, source):
    for path, given, record in [
        (tmp_path / "out", source, {"denoised": ["denoised/a.nii"]}),
        (tmp_path / "out.nii", source / "scan.nii", {"denoised": ["denoised/a.nii"]}),
        (tmp_path / "b.nii", source / "scan.nii", {"denoised": ["denoised/a.nii"], "residual": ["residual/a.nii"]}),
    ]:
        output = Output(path, given, (), overwrite=False)
        mine = tmp_path / "b_residual.nii" if "residual" in record else path
        with output.claim("key"):
            Journal(output.work / "000000").add({"number": 0})
            for (name,) in record.values():
                (output.files / name).parent.mkdir(parents=True)
                (output.files / name).write_text("denoised")
            mine.write_text("mine")
            with pytest.raises(InputError, match=f"{mine.name} exists: move it away, or add --overwrite"):
                output.finish({"scans": [{"outputs": record}]})
        assert mine.read_text() == "mine" and (output.files / "denoised/a.nii").exists()


def test_a_partial_folder_without_a_finished_slice_does_not_stay(tmp_path, source):
    output = Output(tmp_path / "out", source, (), False)
    with pytest.raises(InputError, match="no window"), output.claim("key"):
        Journal(output.work / "000000")
        raise InputError("no window")
    assert not output.partial.exists()


def test_a_folder_of_that_name_that_is_no_interrupted_run_is_left_alone(tmp_path, source):
    (tmp_path / "out.partial").mkdir()
    (tmp_path / "out.partial" / "mine.txt").write_text("")
    output = Output(tmp_path / "out", source, (), False)
    with pytest.raises(InputError, match="is not that of an interrupted run: move it away"), output.claim("key"):
        pass
    assert [path.name for path in output.partial.iterdir()] == ["mine.txt"]


def test_a_folder_appears_in_one_step_and_replaces_the_old_one(tmp_path, source):
    output = Output(tmp_path / "out", source, (), overwrite=True)
    for content in ("first", "second"):
        with output.claim(content):
            (output.files / "denoised").mkdir(parents=True)
            (output.files / "denoised/a.nii").write_text(content)
            (output.work / "000000").mkdir(parents=True)
            assert content == "second" or not (tmp_path / "out").exists()
            assert output.finish({"scans": []}) == [tmp_path / "out"]
        assert (tmp_path / "out/denoised/a.nii").read_text() == content
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["apply.json", "denoised"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]


@pytest.mark.parametrize("interrupted", [False, True])
def test_a_single_file_is_the_last_of_its_files_to_appear(tmp_path, source, interrupted, monkeypatch):
    output = Output(tmp_path / "out.nii.gz", source / "scan.nii", (), False)
    record = {"scans": [{"outputs": {kind: [f"{kind}/scan.{end}"] for kind, end in
              [("denoised", "nii.gz"), ("residual", "nii.gz"), ("quality", "html")]}}]}  # fmt: skip
    with output.claim("key"):
        for kind, (path,) in record["scans"][0]["outputs"].items():
            (output.files / path).parent.mkdir(parents=True)
            (output.files / path).write_text(kind)
        if interrupted:  # as it would stand if the process were killed before the main file is moved
            (output.files / "quality/scan.html").replace(tmp_path / "out_quality.html")
            output = Output(tmp_path / "out.nii.gz", source / "scan.nii", (), False)
        made = output.finish(record)
    names = ["out.nii.gz", "out_residual.nii.gz", "out_quality.html", "out_apply.json"]
    assert [path.name for path in made] == names
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*names, "in"])
    assert (tmp_path / "out.nii.gz").read_text() == "denoised"
    written = json.loads((tmp_path / "out_apply.json").read_text())["scans"][0]["outputs"]
    assert written["residual"] == ["out_residual.nii.gz"]
