"""The client's own distribution names whatever its code imports, and the lock's input names the same."""

import ast
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CLIENT = ROOT / "cardclient"
TOLD = tomllib.loads((CLIENT / "pyproject.toml").read_text(encoding="utf-8"))


def plain(name):
    return re.sub(r"[-_.]+", "-", re.split(r"[<>=!~ ;\[]", name)[0]).lower()


def imported(path):
    """Top names of all imports of a file, local ones too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name.partition(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def test_every_library_that_is_imported_is_declared():
    sources = [path for path in CLIENT.rglob("*.py") if "packaging" not in path.parts]
    names = {name for path in sources for name in imported(path)} - sys.stdlib_module_names - {"cardclient"}
    provided = metadata.packages_distributions()
    needed = {plain(provided[name][0]) for name in names}
    assert {"httpx", "httpcore", "h11", "python-pkcs11"} <= needed
    assert needed == {plain(each) for each in TOLD["project"]["dependencies"]}


def test_distribution_and_lock_ask_for_the_same_versions():
    lines = (ROOT / "requirements" / "client.in").read_text(encoding="utf-8").splitlines()
    asked = {line.lower() for line in lines if line and not line.startswith("#")}
    assert asked == {each.lower() for each in TOLD["project"]["dependencies"]}


def test_every_package_and_table_of_the_program_travels_with_it():
    packages = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in CLIENT.rglob("__init__.py")
        if "packaging" not in path.parts
    }
    assert packages == set(TOLD["tool"]["setuptools"]["packages"])
    kept = [(CLIENT, each) for each in TOLD["tool"]["setuptools"]["package-data"]["cardclient"]]
    assert {each for each in CLIENT.glob("*.toml") if each.name != "pyproject.toml"} <= {
        found for folder, pattern in kept for found in folder.glob(pattern)
    }
