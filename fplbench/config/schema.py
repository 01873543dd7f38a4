"""JSON schema of the config, from its models, for editors; config/schema.json holds it."""

import json
from collections.abc import Mapping
from typing import Any

from fplbench.config.models import Config
from fplbench.datasets import LOADERS
from fplbench.denoising.columns import EntryOptions
from fplbench.denoising.registry import METHODS
from fplbench.noise import NOISES
from fplbench.options import Options
from fplbench.training import TRAININGS

Schema = dict[str, Any]


def config_schema() -> str:
    """The schema as JSON text.

    A section that maps names to options has the options of each name that is registered. Other names are refused, but for data
    sets, which then say their loader, and methods, which say which method they are, or that a rule makes them.
    """
    schema = Config.model_json_schema()
    schema["title"] = "Config of fplbench"
    noises = _sections({name: noise.options for name, noise in NOISES.items()})
    datasets = _datasets()
    schema["$defs"]["noises"] = noises
    schema["$defs"]["methods"] = _methods()
    schema["$defs"]["FairOptions"]["properties"]["methods"] = _or_names({"$ref": "#/$defs/methods"})
    limited = {"type": "array", "items": {"type": "string"}, "uniqueItems": True, "minItems": 1}
    places = {
        name: {**section, "properties": section["properties"] | {"datasets": limited}}
        for name, section in noises["properties"].items()
    }
    properties = schema["properties"]
    properties["datasets"] |= _or_names(datasets)
    properties["noises"] |= _or_names(noises | {"properties": places})
    properties["training"] |= _or_names(_sections({name: training.options for name, training in TRAININGS.items()}))
    properties["methods"] |= _or_names({"$ref": "#/$defs/methods"})
    for section in ("datasets", "noises", "training", "methods"):
        properties[section].pop("type", None)
        properties[section].pop("additionalProperties", None)
    return json.dumps(schema, indent=1) + "\n"


def _sections(models: Mapping[str, type[Options]]) -> Schema:
    return {
        "type": "object",
        "properties": {name: _inline(model) for name, model in models.items()},
        "additionalProperties": False,
    }


def _datasets() -> Schema:
    sections = _sections({name: dataset.options for name, dataset in LOADERS.items()})
    for name, section in sections["properties"].items():
        for kind in LOADERS[name].kinds.values():
            section["properties"] |= {**_inline(kind.options)["properties"], "of": {"enum": [*LOADERS[name].kinds]}}
        section["properties"] |= {"noises": {"$ref": "#/$defs/noises"}, "loader": {"enum": [*LOADERS]}}
    other = {"type": "object", "properties": {"loader": {"enum": [*LOADERS]}}, "required": ["loader"]}
    return sections | {"additionalProperties": other}


def _methods() -> Schema:
    entry = _inline(EntryOptions)["properties"]
    sections = _sections({name: method.options for name, method in METHODS.items()})
    for section in sections["properties"].values():
        section["properties"] |= entry
    return sections | {"additionalProperties": {"type": ["object", "null"]}}


def _inline(model: type[Options]) -> Schema:
    """The schema of one model; null stands for no options."""
    schema = model.model_json_schema()
    schema.pop("title", None)
    return schema | {"type": ["object", "null"]}


def _or_names(mapping: Schema) -> Schema:
    return {"anyOf": [mapping, {"type": "array", "items": {"type": "string"}, "uniqueItems": True}]}
