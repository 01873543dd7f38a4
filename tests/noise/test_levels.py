from typing import Annotated

import numpy as np
import pytest
from pydantic import Field, ValidationError

from fplbench.noise.levels import Count, Level, Within, draw_levels, per_image, ranged_fields
from fplbench.options import Options
from fplbench.seeds import generator


class SomeOptions(Options):
    level: Annotated[Level, Within(0, 1)] = Field(0.5, description="Number.")
    count: Annotated[Count | None, Within(0, 9, above=True)] = Field(None, description="Whole number or none.")
    band: tuple[float, float] = Field((0.1, 0.2), description="No range to draw from.")


def test_only_annotated_fields_are_ranges():
    assert ranged_fields(SomeOptions) == ["level", "count"]


def test_functions_get_one_value_for_each_image():
    options = SomeOptions(level=[0.2, 0.4], count=3)
    levels = draw_levels(options, [generator(1, k) for k in range(50)])
    seen = per_image(options, levels, 50)
    assert seen.level.shape == seen.count.shape == (50, 1, 1)
    assert seen.level.dtype == np.float32
    assert seen.count.dtype.kind == "i"
    assert np.all(seen.count == 3) and seen.band == (0.1, 0.2)
    assert len(np.unique(seen.level)) == 50
    assert per_image(SomeOptions(), {}, 2).count is None


@pytest.mark.parametrize("values", [{"level": -0.1}, {"level": [0.5]}, {"count": 0}, {"count": 1.5}, {"count": [3, 2]}])
def test_values_outside_the_bounds_are_refused(values):
    with pytest.raises(ValidationError, match="neither a number"):
        SomeOptions(**values)


def test_the_bounds_are_in_the_schema():
    number = {"type": "number", "minimum": 0, "maximum": 1}
    level = SomeOptions.model_json_schema()["properties"]["level"]
    assert level["anyOf"] == [number, {"type": "array", "minItems": 2, "maxItems": 2, "prefixItems": [number, number]}]
    count = SomeOptions.model_json_schema()["properties"]["count"]
    assert count["anyOf"][0] == {"type": "integer", "exclusiveMinimum": 0, "maximum": 9}
    assert {"type": "null"} in count["anyOf"]
