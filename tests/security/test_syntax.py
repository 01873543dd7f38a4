"""What the code of the package can do at most: it loads no pickle, evaluates no text and starts no shell."""

import ast
from pathlib import Path

import pytest

import fplbench

PACKAGE = Path(fplbench.__file__).parent
REPOSITORY = PACKAGE.parent
FILES = sorted([*PACKAGE.rglob("*.py"), *(REPOSITORY / "benchmarks").glob("*.py"), *(REPOSITORY / "docs").glob("*.py")])
MODULES = {"pickle", "dill", "cloudpickle", "joblib", "jsonpickle", "marshal", "shelve"}
"""Modules whose files run code when they are read."""
CALLS = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "os.execv", "subprocess.getoutput",
    "subprocess.getstatusoutput", "pickle.load", "pickle.loads", "pickle.Unpickler", "yaml.load", "yaml.load_all",
    "yaml.unsafe_load", "yaml.full_load", "pd.read_pickle", "pandas.read_pickle", "tarfile.extractall", "shutil.unpack_archive",
    "xml.dom.minidom.parse", "importlib.machinery.SourceFileLoader", "torch.hub.load", "torch.jit.load", "torch.package",
}  # fmt: skip
METHODS = {"extractall", "read_pickle", "to_pickle", "unpack_archive"}
PASSING = {"subprocess.run", "subprocess.Popen", "subprocess.call", "subprocess.check_call", "subprocess.check_output"}


def dangers(source):
    """What a source text does that it must not, as pairs of line and description."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = getattr(node, "module", None)
            names = [module] if module else [alias.name for alias in node.names]
            bad = sorted({name.partition(".")[0] for name in names} & MODULES)
            yield from ((node.lineno, f"imports {name}") for name in bad)
        elif isinstance(node, ast.Call):
            name, method = ast.unparse(node.func), getattr(node.func, "attr", None)
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            if name in CALLS or method in METHODS:
                yield node.lineno, f"calls {name}"
            if name == "torch.load" and given.get("weights_only") != "True":
                yield node.lineno, "loads a torch file that may hold more than weights"
            if given.get("allow_pickle", "False") != "False":  # NumPy's own default
                yield node.lineno, "reads or writes arrays of objects"
            if name in PASSING and "shell" in given:
                yield node.lineno, "starts a shell"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(REPOSITORY)))
def test_no_file_loads_pickles_evaluates_text_or_starts_a_shell(file):
    assert [*dangers(file.read_text())] == []


@pytest.mark.parametrize(
    "source",
    [
        "import joblib", "from pickle import loads", "from dill import load", "import pickle", "eval('1')", "exec(text)",
        "torch.load(path)", "torch.load(path, weights_only=False)", "np.load(path, allow_pickle=True)",
        "yaml.load(text)", "subprocess.run('ls', shell=True)", "archive.extractall(folder)", "os.system('ls')",
    ],
)  # fmt: skip
def test_the_check_sees_what_it_is_for(source):
    assert len([*dangers(source)]) == 1
