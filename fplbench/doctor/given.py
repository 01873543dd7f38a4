"""What the command line of Snakemake names as config, read before Snakemake reads it.

Snakemake shows a traceback for a config that it cannot read, or does not name the file. The profiles call this.
"""

import argparse
import sys

HINT = "takes every word up to the next option: write a target before it, as in `snakemake fair {} --cores 2`."


def check_given(arguments: list[str] | None = None) -> None:
    """End the program with a sentence where a config file cannot be read, or an entry of --config is none.

    Args:
        arguments: those of Snakemake; None takes them from the command line.

    Raises:
        SystemExit: with the sentence.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", default=[])
    parser.add_argument("--config", "-C", nargs="*", default=[])
    given = parser.parse_known_args(arguments)[0]
    for path in given.configfile:
        hint = "" if path.endswith((".yaml", ".yml", ".json")) else f" --configfile {HINT.format('--configfile FILE')}"
        if problem := _problem(path):
            sys.exit(f"The config {path} {problem}.{hint}")
    for entry in given.config:
        if "=" not in entry:
            sys.exit(f"--config {entry}: KEY=VALUE is needed. --config {HINT.format('--config seed=2')}")


def _problem(path: str) -> str:
    """What is wrong with a file as a config; empty where nothing is."""
    import yaml

    try:
        with open(path, encoding="utf-8") as stream:
            keys = yaml.safe_load(stream)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    except (ValueError, yaml.YAMLError) as error:
        return f"is not a YAML file. {' '.join(str(error).split()).rstrip('.')}"
    return "" if isinstance(keys, dict) else "has no keys, such as `results: results/mine`; config/demo.yaml is an example"
