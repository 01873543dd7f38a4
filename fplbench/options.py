"""The base of every options model: typed, immutable, and closed to unknown keys."""

from pydantic import BaseModel, ConfigDict


class Options(BaseModel):
    """Options of one noise, method or stage. Every field has a default and a description with its unit."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, use_attribute_docstrings=True)
