"""The order of imports is the one that docs/architecture.md states, and files and folders stay small."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "src" / "trainer"
LONGEST_FILE = 300
LONGEST_RULES = 500
"""A game is one file: chess needs more lines than Hex."""
MOST_FILES = 12
"""Source files per folder; a few more are no crime."""


def module_of(path: Path) -> str:
    """The dotted name of a source file."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports_of(path: Path) -> Iterator[tuple[str, int]]:
    """The modules of the package that a file imports anywhere, with the line. (`import trainer` is for its version.)"""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "trainer":
            for name in node.names:
                full = f"{node.module}.{name.name}"
                yield (full if full in MODULES else str(node.module)), node.lineno
        elif isinstance(node, ast.Import):
            for name in node.names:
                if name.name.startswith("trainer."):
                    yield name.name, node.lineno


def part_of(module: str) -> str:
    """The folder or module right below the package; `python -m trainer` belongs to the trainer."""
    name = module.split(".")[1] if "." in module else ""
    return "trainer" if name == "__main__" else name


def reading_order() -> list[str]:
    """The first column of the table in docs/architecture.md, lowest first."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    table = page.partition("## Layers")[2].partition("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)


def test_the_page_lists_every_folder_and_module_once() -> None:
    """Those right below the package."""
    order = reading_order()
    assert sorted(order) == sorted({part_of(module) for module in MODULES} - {""})


def test_imports_go_down_the_reading_order() -> None:
    """No part imports from one below it in the table, not even inside a function."""
    order = reading_order()
    upward = [
        f"{module} line {line} imports {imported}"
        for module, path in MODULES.items()
        if module != "trainer"  # its public names are loaded lazily
        for imported, line in imports_of(path)
        if order.index(part_of(imported)) > order.index(part_of(module))
    ]
    assert upward == []


def test_no_import_cycles() -> None:
    """Between single modules."""
    graph = {module: {name for name, _ in imports_of(path)} - {module} for module, path in MODULES.items()}
    del graph["trainer"]
    TopologicalSorter(graph).prepare()


def test_files_and_folders_are_small() -> None:
    """At most 300 lines per source file and about 12 source files per folder, here and in tests and bench."""
    long = {
        name: lines
        for name, path in MODULES.items()
        if (lines := len(path.read_text().splitlines())) > (LONGEST_RULES if path.name == "rules.py" else LONGEST_FILE)
    }
    assert long == {}
    for top in ("src/trainer", "tests", "bench"):
        for folder in (ROOT / top, *(path for path in (ROOT / top).rglob("*") if path.is_dir())):
            files = [
                path.name for path in folder.iterdir() if path.suffix in (".py", ".js") and path.name != "__init__.py"
            ]
            assert len(files) <= MOST_FILES + 2, folder


def test_a_folder_that_lists_its_files_lists_all_of_them() -> None:
    """In the docstring of its __init__.py."""
    missing = []
    for path in PACKAGE.rglob("__init__.py"):
        files = {file.name for file in path.parent.glob("*.py") if not file.name.startswith("__")}
        listed = files & set(re.findall(r"`(\w+\.py)`", ast.get_docstring(ast.parse(path.read_text())) or ""))
        missing += [str(path.with_name(name)) for name in files - listed if listed]
    assert missing == []


def test_every_folder_says_what_it_is() -> None:
    """In the docstring of its __init__.py."""
    silent = [str(path) for path in PACKAGE.rglob("__init__.py") if not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []
