"""From headers to slices: stacks of a series, repetitions, copies and notes."""

import pytest

from fplbench.datasets.reading.arranging import arrange_series, checked_stack

AXIAL = "1.0000 0.0000 0.0000 0.0000 1.0000 0.0000"
FLIPPED = "1.0000 0.0000 0.0000 0.0000 -1.0000 0.0000"
SECOND = "a second image at the same position in its series"


def header(instance, position=0.0, order=0, **fields):
    """The header of an axial slice; its instance identifier is its name."""
    return {
        "patient": "P", "identified_by": "PatientID", "series": "s", "instance": instance, "position": position, "order": order,
        "row_spacing": 1.0, "column_spacing": 1.0, "rows": 8, "columns": 8, "stack": f"{AXIAL};;;", "repeat": ";;;", "frames": "",
        "note": "",
    } | fields  # fmt: skip


def arranged(headers):
    """The names of the slices in each series, in order, and why others are left out."""
    slices, omitted = arrange_series({one["instance"]: one for one in headers}, None)
    names: dict[str, list[str]] = {}
    for one in slices:
        names.setdefault(one.series, []).append(one.source)
    return names, omitted


@pytest.mark.parametrize("place", range(4))
def test_repetitions_are_told_apart_by_the_value_that_differs(place):
    """Three repetitions of two slices, acquired one after the other; the value is an inversion, trigger or acquisition one."""
    headers = []
    for time in range(3):
        for z in range(2):
            values = ["1"] * 4
            values[place] = f"{10 * time}"
            headers.append(header(f"{time}{z}", 5.0 * z, 2 * time + z, repeat=";".join(values)))
    assert arranged(headers) == ({"s": ["00", "01"], "s stack 2": ["10", "11"], "s stack 3": ["20", "21"]}, {})


def test_a_gap_in_a_repetition_does_not_shift_the_others():
    headers = [header(f"{time}{z}", float(z), 3 * time + z, repeat=f";;{time};{time}{z}") for time in range(2) for z in range(3)]
    del headers[1]  # the second slice of the first repetition
    assert arranged(headers) == ({"s": ["00", "02"], "s stack 2": ["10", "11", "12"]}, {})


def test_where_each_slice_has_a_time_of_its_own_repetitions_are_in_the_order_of_their_numbers():
    """Times of acquisition in seconds: every slice takes one."""
    headers = [header(f"{time}{z}", float(z), 2 * time + z, repeat=f";;1;{2 * time + z}") for time in range(3) for z in range(2)]
    assert arranged(headers) == ({"s": ["00", "01"], "s stack 2": ["10", "11"], "s stack 3": ["20", "21"]}, {})


def test_times_that_differ_between_slices_only_make_no_repetitions():
    headers = [header(f"{z}", float(z), z, repeat=f";;{z};{z}") for z in range(4)]
    assert arranged(headers) == ({"s": ["0", "1", "2", "3"]}, {})


def test_second_images_without_any_difference_are_left_out():
    headers = [header(f"{name}{z}", float(z), order) for order, name in enumerate("ab") for z in range(2)]
    assert arranged(headers) == ({"s": ["a0", "a1"]}, dict.fromkeys(["b0", "b1"], SECOND))


def test_a_second_image_of_a_repetition_is_left_out_too():
    headers = [header(f"{t}", 0.0, t, repeat=f";;{t};") for t in range(2)] + [header("x", 0.0, 9, repeat=";;1;")]
    assert arranged(headers) == ({"s": ["0"], "s stack 2": ["1"]}, {"x": SECOND})


def test_slices_that_are_flipped_are_a_stack_of_their_own():
    headers = [header("a", 0.0, 1), header("b", 1.0, 2), header("c", 2.0, 3, stack=f"{FLIPPED};;;")]
    assert arranged(headers) == ({"s": ["a", "b"], "s stack 2": ["c"]}, {})


def test_a_copy_is_left_out():
    headers = {"b.dcm": header("a"), "a.dcm": header("a")}
    slices, omitted = arrange_series(headers, None)
    assert [one.source for one in slices] == ["a.dcm"] and omitted == {"b.dcm": "a copy of another image"}


def test_notes_on_files_are_logged_with_their_number(caplog):
    note = "The header does not say how the volume lies."
    arrange_series({f"{n}": header(f"{n}", float(n), note=note if n else "") for n in range(3)}, None)
    assert caplog.messages == [f"2 of 3 files: {note}"]


@pytest.mark.parametrize("text", ["x;;", "1 0 0;;", "1 0 0 0 1 0 0;;"])
def test_a_damaged_text_of_a_stack_is_refused(text):
    with pytest.raises(ValueError, match=r"could not|unpack"):
        checked_stack(text)
