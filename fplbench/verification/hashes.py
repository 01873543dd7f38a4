"""Every file of a run against its hash in run.json, and config.json against the config there."""

import json
from pathlib import Path

from tqdm import tqdm

from fplbench.files import file_hash
from fplbench.verification.checks import Check, counted
from fplbench.verification.differences import config_differences
from fplbench.verification.results import MANIFEST, Results

SHORT = 12


def check_hashes(results: Results) -> Check:
    """Hash every file that run.json lists, and compare.

    Denoised stacks that are not there are no fault where the config does not keep them. Files outside the folder are compared if
    they are there.
    """
    faults: list[str] = []
    gone = {True: 0, False: 0}
    kept = results.manifest["config"].get("keep_denoised", True)
    listed = [(results.folder, entry) for entry in results.manifest["files"].items()]
    listed += [(Path(), entry) for entry in results.manifest.get("outside", {}).items()]
    for base, (name, state) in tqdm(listed, "hashes", unit="file", disable=None, leave=False):
        outside = base != results.folder
        try:
            found = file_hash(base / name)
        except OSError:
            if outside or (name.startswith("denoised/") and not kept):
                gone[outside] += 1
            else:
                faults.append(f"{name} is missing, or cannot be read")
            continue
        if found != state.get("sha256"):
            recorded = str(state.get("sha256"))[:SHORT]
            faults.append(f"{name} has changed: its SHA-256 starts with {found[:SHORT]}, in {MANIFEST} with {recorded}")
    notes = [
        *([f"{counted(gone[False], 'denoised stack')} not kept"] if gone[False] else []),
        *([f"{counted(gone[True], 'file')} outside the folder not found"] if gone[True] else []),
    ]
    compared = counted(len(listed) - sum(gone.values()), "file")
    return Check("hashes", f"{compared} of {MANIFEST}{''.join(f', {note}' for note in notes)}", faults)


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
