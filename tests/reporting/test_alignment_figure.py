import numpy as np
import pytest

from fplbench.errors import InputError
from fplbench.explaining.alignment import RESIDUAL, Alignment
from fplbench.reporting.alignment_figure import alignment_figure, draw_alignments

FALL = np.array([1, 0.5, 0.25, 0.125, 0])


def found():
    none = np.full(2, np.nan)
    return {
        RESIDUAL: Alignment(np.ones(2), 1.0, np.stack([FALL, FALL]), 0.1),
        "my_guided": Alignment(np.array([0.25, 0.75]), 2.0, np.stack([FALL, 2 * FALL]), 0.1),
        "flat": Alignment(none, np.nan, np.stack([FALL, FALL]), 0.1),
        "mask": Alignment(none, np.nan, np.full((2, 5), np.nan), 0.0),
    }


def test_bars_are_means_dots_images_and_lines_the_falls():
    bars, falls = draw_alignments(found()).axes
    assert [bar.get_width() for bar in bars.patches] == [1, 0.5, 0, 0]
    dots = [line.get_xdata().tolist() for line in bars.lines if line.get_marker() == "."]
    assert dots == [[1, 1], [0.25, 0.75], [], []]
    assert [text.get_text() for text in bars.texts] == ["no gradient", "no gradient"]
    assert [label.get_text() for label in bars.get_yticklabels()] == [RESIDUAL, "my guided", "flat", "mask"]
    assert bars.yaxis_inverted()
    np.testing.assert_allclose([line.get_ydata() for line in falls.lines], [FALL, 1.5 * FALL, FALL])


def test_each_explanation_has_the_same_mark_in_both_panels():
    many = {f"explanation {number}": found()["my_guided"] for number in range(20)}
    bars, falls = draw_alignments(many).axes
    looks = [(line.get_color(), line.get_marker()) for line in falls.lines]
    assert len(set(looks)) == 20
    assert [(line.get_color(), line.get_marker()) for line in bars.lines if line.get_marker() not in (".", "None")] == looks


def test_the_picture_is_written_and_its_ending_checked(tmp_path):
    alignment_figure(tmp_path / "figure.png", found(), "A note")
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InputError, match="is not a picture"):
        alignment_figure(tmp_path / "figure.doc", found())
