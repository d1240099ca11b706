"""The house: arrows point downwards, files are one thing, and public names are documented."""

import ast
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

ABOVE = {
    "ontology": {"kg", "loaders", "server"},
    "shapes": {"kg", "loaders", "server"},
    "kg": {"loaders", "server"},
    "loaders": {"server"},
    "server": set(),
}
MODULES = sorted(p for room in ABOVE for p in (REPOSITORY / room).rglob("*.py"))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(REPOSITORY)))
def test_a_room_knows_only_the_rooms_below_it(path: Path) -> None:
    imported: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])
    assert not imported & (ABOVE[path.relative_to(REPOSITORY).parts[0]] | {"tests"})


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(REPOSITORY)))
def test_modules_and_public_names_are_documented_and_files_are_not_endless(path: Path) -> None:
    module = tree(path)
    if path.stem != "__init__":
        assert ast.get_docstring(module), path
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{path}: {node.name}"
    assert len(path.read_text("utf-8").splitlines()) <= 500
