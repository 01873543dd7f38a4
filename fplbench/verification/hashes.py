"""Every file of a run against its hash in run.json, and config.json against the config there."""

import json
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from fplbench.files import file_hash
from fplbench.verification.checks import Check, counted
from fplbench.verification.differences import config_differences
from fplbench.verification.listing import not_listed, others
from fplbench.verification.results import MANIFEST, Results

SHORT = 12
SHOWN = 3


def check_hashes(results: Results, links: Sequence[str]) -> Check:
    """Hash every file that run.json lists, and compare; files that other checks read and that it does not list are faults.

    Denoised stacks that are not there are no fault where the config does not keep them. Files outside the folder are compared if
    they are there.

    Args:
        results: the run.
        links: the files that lead out of its folder, from `leaving`; if there are any, they are the faults, and nothing is read.
    """
    if links:
        found = f"{counted(len(results.files), 'file')} of {MANIFEST}"
        return Check("hashes", found, [f"{name} leads out of the folder; it was not read" for name in links])
    unlisted = not_listed(results)
    faults = [f"{name} is not listed in {MANIFEST}, so it has no hash" for name in unlisted]
    gone = {True: 0, False: 0}
    kept = results.manifest["config"].get("keep_denoised", True)
    listed = [(results.folder, entry) for entry in results.files.items()]
    listed += [(Path(), entry) for entry in results.manifest.get("outside", {}).items()]
    for base, (name, state) in tqdm(listed, "hashes", unit="file", disable=None, leave=False):
        outside = base != results.folder
        try:
            digest = file_hash(base / name)
        except (OSError, ValueError):
            if outside or (name.startswith("denoised/") and not kept):
                gone[outside] += 1
            else:
                faults.append(f"{name} is missing, or cannot be read")
            continue
        faults += _wrong_hash(name, digest, state.get("sha256"))
    missing = [
        *([f"{counted(gone[False], 'denoised stack')} not kept"] if gone[False] else []),
        *([f"{counted(gone[True], 'file')} outside the folder not found"] if gone[True] else []),
    ]
    compared = counted(len(listed) - sum(gone.values()), "file")
    found = f"{compared} of {MANIFEST}{''.join(f', {each}' for each in missing)}"
    return Check("hashes", found, faults, _others(results, unlisted))


def _wrong_hash(name: str, found: str, recorded: object) -> list[str]:
    if recorded is None:
        return [f"{name} has no hash in {MANIFEST}"]
    if found == recorded:
        return []
    return [f"{name} has changed: its SHA-256 starts with {found[:SHORT]}, in {MANIFEST} with {str(recorded)[:SHORT]}"]


def _others(results: Results, unlisted: Sequence[str]) -> list[str]:
    """A note on the files that run.json does not list and, as they are not among those that it should list, nothing reads."""
    found = sorted({*others(results)} - {*unlisted})
    if not found:
        return []
    more = f" and {len(found) - SHOWN:,} more" if len(found) > SHOWN else ""
    return [f"{counted(len(found), 'file')} that {MANIFEST} does not list: {', '.join(found[:SHOWN])}{more}"]


def check_config(results: Results) -> Check:
    """Compare config.json with the config in run.json."""
    path = results.folder / "config.json"
    what = f"config.json and the config in {MANIFEST}"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Check("config", what, ["config.json is missing"])
    except ValueError as error:
        return Check("config", what, [f"config.json is not a JSON file: {error}"])
    if not isinstance(found, dict):
        return Check("config", what, ["config.json does not hold a JSON object"])
    faults = [
        f"config.json, {key}: {own} in the file, {recorded} in {MANIFEST}"
        for key, (own, recorded) in config_differences(found, results.manifest["config"]).items()
    ]
    return Check("config", what, faults)
