"""What to say where no file of a folder is either clean or noisy."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

BOTH = "both a clean and a noisy image, judging by its path"
NEITHER = "neither a clean nor a noisy image, judging by its path"
FOLDERS = 5  # named in a message


def no_sides(options: Any, skipped: Mapping[str, str], name: str, private: bool) -> str:
    """How many files fit both patterns or none, and what to change; "" if all files are left out for other reasons.

    Args:
        options: options of pairs, with the patterns.
        skipped: why each file is left out, by path.
        name: name of the data set.
        private: whether names of folders are left out.
    """
    both = sum(reason == BOTH for reason in skipped.values())
    neither = [path for path in sorted(skipped) if skipped[path] == NEITHER]
    counts = [(both, "both clean and noisy"), (len(neither), "neither clean nor noisy")]
    known = [f"{count} {'file is' if count == 1 else 'files are'} {what}" for count, what in counts if count]
    if not known:
        return ""
    message = (
        f"{' and '.join(known)}, judging by clean ({options.clean!r}) and noisy ({options.noisy!r}): "
        f"set datasets.{name}.clean and datasets.{name}.noisy to folders or patterns that tell one kind from the other."
    )
    folders = dict.fromkeys(PurePosixPath(path).parent.as_posix() for path in neither or sorted(skipped))
    folders.pop(".", None)
    if private or not folders:
        return message
    more = f" and {len(folders) - FOLDERS} more" if len(folders) > FOLDERS else ""
    return f"{message} Folders found: {', '.join(list(folders)[:FOLDERS])}{more}."
