"""Options that take a number, or a range from which each image draws its own value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError, model_validator
from pydantic_core import CoreSchema, core_schema

from fplbench.options import Options

Level = float | tuple[float, float]
Count = int | tuple[int, int]


@dataclass(frozen=True)
class Within:
    """Annotation of a field that takes a number from `low` to `high`, or a range of two such numbers.

    Attributes:
        low: lowest value.
        high: highest value.
        above: whether `low` itself is excluded.
    """

    low: float
    high: float
    above: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler(core)
        lowest = "exclusiveMinimum" if self.above else "minimum"
        for choice in schema["anyOf"]:
            for number in (choice, *choice.get("prefixItems", ())):
                if number["type"] in ("number", "integer"):
                    number.update({lowest: self.low, "maximum": self.high})
        return schema

    def _check(self, value: Any, inner: Any) -> Any:
        # Python takes True for 1, which is hardly what was meant.
        if any(isinstance(part, bool) for part in (value if isinstance(value, list | tuple) else [value])):
            raise ValueError(self._sentence(value))
        try:
            checked = inner(value)
        except ValidationError:
            raise ValueError(self._sentence(value)) from None
        numbers = checked if isinstance(checked, tuple) else (checked,)
        inside = all(n is None or self._contains(n) for n in numbers)
        if not inside or (len(numbers) == 2 and numbers[0] > numbers[1]):
            raise ValueError(self._sentence(value))
        return checked

    def _contains(self, number: float) -> bool:
        return (self.low < number if self.above else self.low <= number) and number <= self.high

    def _sentence(self, value: Any) -> str:
        bounds = f"above {self.low:g} and at most {self.high:g}" if self.above else f"from {self.low:g} to {self.high:g}"
        return f"{value!r} is neither a number {bounds} nor a range [low, high] of two such numbers."


def ranged_fields(model: type[Options]) -> list[str]:
    """Names of the fields that may be a range."""
    return [name for name, field in model.model_fields.items() if any(isinstance(part, Within) for part in field.metadata)]


class DerivedLevel(Options):
    """Options of which one, if it is null, is derived from some of the others.

    If that one is given, the others have no effect, so setting them raises an error. A complete set of options, in which
    they have their default values, is accepted.
    """

    level: ClassVar[str]
    """Name of the option that may be null."""
    sources: ClassVar[tuple[str, ...]]
    """Names of the options that it is then derived from."""

    @model_validator(mode="before")
    @classmethod
    def _has_effect(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and values.get(cls.level, 0) is not None:
            for name in cls.sources:
                if name in values and (cls.level not in values or values[name] != cls.model_fields[name].default):
                    raise ValueError(
                        f"{name} has no effect if {cls.level} is given; set {cls.level} to null to derive it from {name}."
                    )
        return values


def levels_in_use(options: Options) -> dict[str, Any]:
    """The options that may be a range and that have an effect, with their values."""
    values = {name: getattr(options, name) for name in ranged_fields(type(options))}
    if isinstance(options, DerivedLevel) and values[options.level] is not None:
        values = {name: value for name, value in values.items() if name not in options.sources}
    return {name: value for name, value in values.items() if value is not None}


def draw_levels(options: Options, generators: Sequence[np.random.Generator]) -> dict[str, np.ndarray]:
    """Draw a value for each image and each option given as a range: uniform, and an integer if both ends are.

    Returns:
        Option name to array (N,), int64 or float32, in the order of the model's fields.
    """
    levels = {}
    for name in ranged_fields(type(options)):
        value = getattr(options, name)
        if isinstance(value, tuple):
            levels[name] = np.array([_draw(generator, *value) for generator in generators])
    return levels


def _draw(generator: np.random.Generator, low: float, high: float) -> np.generic:
    if isinstance(low, int) and isinstance(high, int):
        return generator.integers(low, high, endpoint=True)
    return np.float32(generator.uniform(low, high))


class PerImage(SimpleNamespace):
    """Options as a noise function gets them: each field that may be a range is an array (N, 1, 1), or None."""


def per_image(
    options: Options, levels: Mapping[str, np.ndarray], images: int, further: Mapping[str, np.ndarray] | None = None
) -> PerImage:
    """The options for N images, given the levels that were drawn for those that are a range, and further values."""
    values = {name: getattr(options, name) for name in type(options).model_fields}
    for name in ranged_fields(type(options)):
        if values[name] is not None:
            column = levels[name] if name in levels else np.full(images, values[name])
            dtype = column.dtype if column.dtype.kind == "i" else np.float32
            values[name] = column.astype(dtype).reshape(-1, 1, 1)
    return PerImage(**values, **(further or {}))
