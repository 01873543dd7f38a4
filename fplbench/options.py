"""The base of every options model: typed, immutable, and closed to unknown keys."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

NUMBERS = (int, float, int | None, float | None)


class Options(BaseModel):
    """Options of one noise, method or stage. Every field has a default and a description with its unit."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, use_attribute_docstrings=True)

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_value_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse true and false, which pydantic takes for 1 and 0."""
        if isinstance(value, bool) and cls.model_fields[info.field_name].annotation in NUMBERS:
            raise ValueError(f"{value} is no number (YAML reads yes, no, on and off as true and false).")
        return value


def options_table(model: type[Options], further: str = "", values: Mapping[str, str] | None = None) -> str:
    """The options of a model as a Markdown table: name, default and meaning.

    Args:
        model: the options model.
        further: heading of one more column; none if empty.
        values: text of that column by option.
    """
    lines = [["option", "default", "meaning"], ["---", "---", "---"]]
    lines += [[name, _default(field), field.description] for name, field in model.model_fields.items()]
    if further:
        last = [further, "---", *((values or {}).get(name, "") for name in model.model_fields)]
        lines = [[*line, text] for line, text in zip(lines, last, strict=True)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def as_text(value: Any) -> str:
    """A value as it stands in a config file."""
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
