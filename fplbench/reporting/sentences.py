"""Join the sentences of a caption."""

CLOSING = "\"')]’”"


def sentences(*parts: str) -> str:
    """Join texts with spaces, each ending in exactly one full stop or other closing mark; empty texts are left out."""
    stripped = [part.strip() for part in parts]
    return " ".join(part if part.rstrip(CLOSING)[-1:] in tuple(".!?") else f"{part}." for part in stripped if part)
