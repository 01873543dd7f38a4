"""What configs and options are made from: values of every kind, and mutations of configs that are valid."""

from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

TEXTS = st.text(max_size=12) | st.sampled_from(
    ["lidc", "lits", "gaussian", "fpl", "noisy", "both", "null", "", "none", "\n", "../x"]
)
NUMBERS = (
    st.integers(-3, 40)
    | st.integers()
    | st.floats()
    | st.sampled_from([0, -1, 2**31, 2**63, 10**400, 1e308, float("inf"), float("nan"), True, False])
)
SCALARS = st.none() | NUMBERS | TEXTS


def values(*keys: str) -> st.SearchStrategy[Any]:
    """Values of any kind and depth, in which mappings have some of these keys and others."""
    names = st.sampled_from(keys) | TEXTS if keys else TEXTS
    return st.recursive(
        SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names | SCALARS, inner, max_size=4), max_leaves=8
    )


def mappings(*keys: str) -> st.SearchStrategy[dict[Any, Any]]:
    """Mappings of some of these keys, and now and then of another one, to values of any kind."""
    usual = st.dictionaries(st.sampled_from(keys) if keys else TEXTS, SCALARS | values(*keys), max_size=4)
    return usual | st.dictionaries(TEXTS, SCALARS, max_size=2)


def places(value: Any, path: tuple = ()) -> list[tuple]:
    """The paths of all values within a JSON value, but for itself."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, inner in items for place in ((*path, key), *places(inner, (*path, key)))]


def replaced(value: Any, path: tuple, new: Any) -> Any:
    """A copy of a JSON value in which another value stands at a path."""
    value = inner = deepcopy(value)
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = new
    return value
