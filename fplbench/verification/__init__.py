"""Whether a folder of results is consistent with itself, and how two of them differ."""
