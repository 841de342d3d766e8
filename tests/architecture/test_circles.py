"""No import circles: the modules can be read from the bottom up, and no module leads back to itself.

Imports for types only (`if TYPE_CHECKING`) and imports inside functions count as well.
"""

import ast
from pathlib import Path

SRC = Path(__file__).resolve().parents[2] / "src"


def imports(src: Path) -> dict[str, set[str]]:
    """Each module below `src`, with the modules below `src` that it imports."""
    files = {}
    for file in src.rglob("*.py"):
        *folders, name = file.relative_to(src).with_suffix("").parts
        files[".".join(folders if name == "__init__" else [*folders, name])] = file
    graph: dict[str, set[str]] = {}
    for module, file in files.items():
        package = module if file.name == "__init__.py" else module.rpartition(".")[0]
        found: set[str] = set()
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {name.name for name in node.names}
            elif isinstance(node, ast.ImportFrom):
                above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
                source = ".".join([*above, *([node.module] if node.module else [])])
                # A re-exported name is imported from the package, and a submodule from itself.
                found |= {each if (each := f"{source}.{name.name}") in files else source for name in node.names}
        graph[module] = (found & files.keys()) - {module}
    return graph


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The groups of modules that import each other, directly or through others (Tarjan's strong components)."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        order[module] = lowest[module] = len(order)
        stack.append(module)
        for imported in sorted(graph[module]):
            if imported not in order:
                visit(imported)
            if imported in stack:
                lowest[module] = min(lowest[module], lowest[imported])
        if lowest[module] == order[module]:
            start = stack.index(module)
            if len(stack) - start > 1:
                found.append(sorted(stack[start:]))
            del stack[start:]

    for module in sorted(graph):
        if module not in order:
            visit(module)
    return found


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = imports(SRC)
    packages = {module.partition(".")[0] for module in graph}
    assert packages == {"passerby", "botapi_sandbox", "simulated_people"}
    assert circles(graph) == []


def test_a_circle_is_found_even_if_one_import_is_only_for_types(tmp_path: Path) -> None:
    for name, text in {
        "first": "from planted.second import two\n",
        "second": "def two():\n    from . import third\n",
        "third": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from planted.first import One\n",
        "apart": "import planted.first\n",
    }.items():
        (tmp_path / "planted").mkdir(exist_ok=True)
        (tmp_path / "planted" / f"{name}.py").write_text(text)
    assert circles(imports(tmp_path)) == [["planted.first", "planted.second", "planted.third"]]
