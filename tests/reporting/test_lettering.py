"""Lettering that fits its chart and can be read on the page."""

import pytest

from fplbench.reporting.diagram import text_width
from fplbench.reporting.lettering import readable, wrapped

WORDS = "Times were measured on the CPU for BM3D and NLM and on one GPU for FPL, WGAN-VGG and MMSE; lower is better. " * 5


@pytest.mark.parametrize("text", [WORDS, WORDS.upper()])
@pytest.mark.parametrize(("width", "size"), [(4.0, 7.0), (8.0, 8.0), (10.0, 7.2), (14.0, 9.5)])
def test_wrapped_lines_are_no_wider_than_the_chart(text, width, size):
    lines = wrapped(text, width, size)
    assert " ".join(lines) == text.strip()
    assert max(text_width(line, size) for line in lines) <= width
    if text == WORDS:
        assert max(text_width(line, size) for line in lines) > 0.7 * width


def test_no_text_has_no_lines():
    assert wrapped("", 8, 7) == []


def test_lettering_is_eleven_pixels_high_in_a_chart_as_wide_as_the_report():
    assert readable(4) == 7
    assert readable(16) / 72 * 1168 / 16 == pytest.approx(11)
