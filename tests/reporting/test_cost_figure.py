import itertools

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from fplbench.errors import InputError
from fplbench.files import write_csv
from fplbench.reporting.cost_figure import BUSY, KINDS, cost_figure, draw_costs, kind_of, measured_on
from fplbench.reporting.label_places import gap, label_places, shared_area
from fplbench.reporting.labels import Labels
from fplbench.reporting.lettering import LEAST_PIXELS, PAGE_PIXELS
from fplbench.reporting.numbered_cells import luminance

FRAME = (400.0, 200.0)


def test_shared_areas_and_gaps_are_those_found_by_hand():
    centres, half = np.array([(2.0, 1.0), (10.0, 1.0)]), np.array([2.0, 1.0])
    # The first box is [0, 4] x [0, 2], the other one [3, 5] x [1, 3]: they share [3, 4] x [1, 2].
    assert shared_area(centres, half, np.array([4.0, 2.0]), np.array([1.0, 1.0])).tolist() == [1.0, 0.0]
    assert gap(centres, half, np.array([1.0, 1.0])).tolist() == [0.0, 7.0]
    assert gap(centres[:1], half, np.array([7.0, 6.0])).tolist() == [5.0]  # 3 to the right and 4 above


def test_a_label_alone_is_to_the_right_of_its_point_and_at_the_edge_to_the_left():
    centres, lines = label_places(np.array([(50.0, 100.0), (395.0, 50.0)]), [(40, 10), (40, 10)], FRAME, 3, 2)
    np.testing.assert_allclose(centres, [(50 + 3 + 2 + 20, 100), (395 - 3 - 2 - 20, 50)])
    assert not lines.any()


@pytest.mark.parametrize("spread", [0.0, 3.0, 20.0, 150.0])
def test_labels_cover_neither_each_other_nor_marks_however_close_the_points_are(spread):
    rng = np.random.default_rng(1)
    points = np.clip(np.array(FRAME) / 2 + rng.normal(0, spread, (18, 2)), 5, np.array(FRAME) - 5)
    sizes = np.column_stack([rng.uniform(20, 60, 18), np.full(18, 10.0)])
    centres, lines = label_places(points, [tuple(size) for size in sizes], FRAME, 3, 2)
    boxes = [*zip(centres, sizes / 2, strict=True), *((point, np.full(2, 3.0)) for point in points)]
    for (centre, half), (other, other_half) in itertools.combinations(boxes, 2):
        if len(half) and (half[0] > 3 or other_half[0] > 3):  # marks may cover each other
            assert shared_area(centre[None], half, other, other_half)[0] == 0
    assert (centres >= sizes / 2).all() and (centres <= np.array(FRAME) - sizes / 2).all()
    for number in np.flatnonzero(~lines):  # without a line, a label is nearest to its own point
        distances = [gap(centres[number][None], sizes[number] / 2, point)[0] for point in points]
        assert np.argmin(distances) == number


def test_points_in_the_same_place_have_lines():
    _, lines = label_places(np.array([(200.0, 100.0)] * 2), [(40, 10)] * 2, FRAME, 3, 2)
    assert lines.all()


def test_there_is_a_panel_for_each_data_set_with_a_name_beside_each_point():
    points = {"lidc": {"fpl": (5.0, 28.0), "nlm": (5.0, 28.0), "noisy": (0.2, 20.0)}, "rsna": {"noisy": (0.2, 21.0)}}
    figure = draw_costs(points, "psnr", Labels({"nlm": "Mine"}))
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["LIDC", "RSNA"]
    assert [{text.get_text() for text in axis.texts} for axis in figure.axes] == [{"FPL", "Mine", "Noisy"}, {"Noisy"}]
    assert {tuple(text.xy) for text in figure.axes[0].texts} == {(5.0, 28.0), (1, 20.0)}
    assert figure.axes[0].get_ylabel() == "Mean PSNR (dB)"
    assert figure.axes[-1].get_xlabel() == "Milliseconds for one image, median over noises"
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


def test_unprocessed_images_are_lines_at_their_quality():
    figure = draw_costs({"lidc": {"fpl": (5.0, 28.0), "noisy": (0.2, 20.0), "noisy_grey_map": (0.4, 22.0)}}, "psnr", Labels())
    assert sorted(line.get_ydata()[0] for line in figure.axes[0].lines if len(line.get_ydata())) == [20, 22]
    assert [tuple(points.get_offsets()[0]) for points in figure.axes[0].collections if len(points.get_offsets())] == [(5, 28)]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["FPL", "unprocessed image"]


def test_kinds_differ_in_shape_and_their_names_are_in_the_legend():
    found = {name: kind_of(name, "fpl") for name in ("fpl", "dpir", "nlm_tuned", "noisy", "noisy_grey_map", "own")}
    assert found == {
        "fpl": "compared", "dpir": "networks", "nlm_tuned": "filters", "noisy": "unprocessed image",
        "noisy_grey_map": "unprocessed image", "own": "other programs",
    }  # fmt: skip
    assert kind_of("nlm", "nlm") == "compared"
    assert len({style["marker"] for style in KINDS.values()}) == len(KINDS)
    figure = draw_costs({"lidc": {"fpl": (5.0, 28.0), "own": (3.0, 20.0)}}, "psnr", Labels())
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["FPL", "other programs"]


def test_marks_can_be_seen_on_white():
    for style in KINDS.values():
        assert 1.05 / (luminance(to_rgb(style["color"])) + 0.05) >= 3  # of graphics, by the WCAG


def test_the_note_says_where_times_were_measured(tmp_path):
    def note(**devices):
        rows = [
            {"method": name, "seconds_per_image": "0.1", "device": device, "measured": "method"}
            for name, device in devices.items()
        ]
        rows.append({"method": "slow", "seconds_per_image": "", "device": "other", "measured": ""})
        write_csv(tmp_path / "cost.csv", rows)
        return measured_on(tmp_path / "cost.csv", Labels())

    assert note(nlm="cpu", noisy="cpu") == f"Times were measured on the CPU. {BUSY}."
    assert note(nlm="cpu", dpir="NVIDIA H200").startswith(
        "Times were measured on NVIDIA H200 for DPIR and on the CPU for NL Mean. "
    )
    assert note(nlm="") == f"{BUSY}."


def test_lettering_is_at_least_11_pixels_high_in_the_report():
    figure = draw_costs({"lidc": {"fpl": (5.0, 28.0)}}, "psnr", Labels(), note="A note.")
    axis = figure.axes[0]
    texts = [*axis.texts, *axis.get_xticklabels(), *axis.get_yticklabels(), axis.xaxis.label, axis.yaxis.label]
    shown = PAGE_PIXELS / (72 * figure.get_figwidth())  # pixels of a point
    assert min(text.get_fontsize() for text in [*texts, *figure.legends[0].get_texts()]) * shown >= LEAST_PIXELS


def test_another_kind_of_picture_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"c.txt is not a picture"):
        cost_figure(tmp_path / "c.txt", tmp_path / "cost.csv")
