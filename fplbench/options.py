"""The base of all options models: typed, immutable, and without unknown keys."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

NUMBERS: tuple[Any, ...] = (int, float, int | None, float | None)


class Options(BaseModel):
    """Options of a noise, a method, a training or a stage.

    Each field needs a description that gives its unit, either as `Field(..., description="...")` or as a docstring below
    the field; a class with a field that has none raises ValueError.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, use_attribute_docstrings=True)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse a field without a description, which the generated documentation would lack."""
        super().__pydantic_init_subclass__(**kwargs)
        for name, field in cls.model_fields.items():
            if not (field.description or "").strip():
                raise ValueError(
                    f"the option {name!r} of {cls.__name__} has no description; give it one with "
                    'Field(..., description="..."), or with a docstring below the field'
                )

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_value_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse true and false, which pydantic takes for 1 and 0."""
        if isinstance(value, bool) and cls.model_fields[str(info.field_name)].annotation in NUMBERS:
            raise ValueError(f"{value} is not a number (YAML reads yes, no, on and off as true and false).")
        return value


def options_table(model: type[Options], further: str = "", values: Mapping[str, str] | None = None) -> str:
    """The options of a model as a Markdown table with name, default and meaning.

    Args:
        model: the options model.
        further: heading of an additional column; none if empty.
        values: text of that column for each option.
    """
    lines = [["option", "default", "meaning"], ["---", "---", "---"]]
    lines += [[name, _default(field), field.description or ""] for name, field in model.model_fields.items()]
    if further:
        last = [further, "---", *((values or {}).get(name, "") for name in model.model_fields)]
        lines = [[*line, text] for line, text in zip(lines, last, strict=True)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def as_text(value: Any) -> str:
    """A value as it is written in a config file."""
    return str(value) if isinstance(value, str | Path) and value else json.dumps(value)


def _default(field: Any) -> str:
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    if isinstance(default, Options):
        return "its own below"
    if isinstance(default, Mapping) and default:
        return ", ".join(default)
    return as_text(default)
