"""Generated bugs: a random sample of all mutants of the pure layers and the adapters' Python, drawn with a seed.

`python -m tests.planted.mutants --number 300` draws 300 mutants, runs the tests of each until one fails, and reports
those that no test caught. cosmic-ray makes them: another comparison, another operator, a negated condition, a loop that
never runs. Three kinds are left out: changed numbers, because for most bounds here one more or less is as good; changes
that only a type checker would notice; and modules that cannot be imported any more, which any test would catch.
"""

import argparse
import ast
import difflib
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any, NamedTuple

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

from tests.planted.bugs import AREAS, SUITES
from tests.planted.tree import ROOT, TOO_LONG, suites_for, trees

LEFT_OUT = {"core/NumberReplacer", "core/VariableReplacer", "core/VariableInserter"}


class Mutant(NamedTuple):
    area: str
    file: Path
    text: str

    def __str__(self) -> str:
        lines = difflib.unified_diff(
            self.file.read_text("utf-8").splitlines(), self.text.splitlines(), n=0, lineterm=""
        )
        changed = [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]
        return f"{self.file.relative_to(ROOT / 'src/passerby')}  " + "  ".join(map(_squeezed, changed))


def _squeezed(line: str) -> str:
    return line[0] + " " + line[1:].strip()


def sources() -> dict[Path, str]:
    """The files that mutants are made of, each with its area."""
    return {
        file: area
        for folder, area in AREAS.items()
        for file in sorted((ROOT / "src/passerby" / folder).rglob("*.py"))
        if "migrations" not in file.parts and file.stat().st_size
    }


@cache
def chances(file: Path) -> list[tuple[str, int]]:
    """All ways to change a file: an operator, and the number of the place where it is applied."""
    nodes = list(ast_nodes(get_ast(file.read_text("utf-8"))))
    found = []
    for name in sorted(set(operator_names()) - LEFT_OUT):
        operator = get_operator(name)()
        many = sum(len(list(operator.mutation_positions(node))) for node in nodes)
        found += [(name, number) for number in range(many)]
    return found


def drawn(rng: Random, only: list[str]) -> Iterator[Mutant]:
    """Draw mutants of these areas or modules forever. The longer a file is, the more likely it is drawn."""
    areas = sources()
    files = [file for file in areas if any(each in areas[file] or f"{file}".endswith(f"{each}.py") for each in only)]
    weights = [file.stat().st_size for file in files]
    seen = set[tuple[Path, str]]()
    while True:
        (file,) = rng.choices(files, weights)
        if not chances(file):
            continue
        name, number = rng.choice(chances(file))
        before = file.read_text("utf-8")
        after = mutate_code(before, get_operator(name)(), number)
        if after is None or (file, after) in seen or _is_for_readers(before, after):
            continue
        seen.add((file, after))
        yield Mutant(areas[file], file, after)


def _is_for_readers(before: str, after: str) -> bool:
    """Whether only annotations have changed."""
    try:
        return ast.dump(_Bare().visit(ast.parse(before))) == ast.dump(_Bare().visit(ast.parse(after)))
    except SyntaxError:
        return True


class _Bare(ast.NodeTransformer):
    def visit_arg(self, node: ast.arg) -> Any:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        node.returns = None
        return self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> Any:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.planted.mutants", description=__doc__)
    parser.add_argument("--number", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="how many are tried at a time")
    parser.add_argument("--only", default="", help="areas or modules, such as redis,memory/frames")
    wanted = parser.parse_args()
    rng = Random(wanted.seed)
    print(f"seed {wanted.seed}")
    with trees(wanted.jobs) as free, ThreadPoolExecutor(wanted.jobs) as pool:
        mutants, tree = list[Mutant](), free.get()
        for mutant in drawn(rng, wanted.only.split(",")):
            if len(mutants) == wanted.number:
                break
            if tree.does_import(mutant.file, mutant.text):
                mutants.append(mutant)
        free.put(tree)

        def try_out(mutant: Mutant) -> bool:
            tree, began_at = free.get(), monotonic()
            try:
                caught = tree.caught_by(mutant.file, mutant.text, suites_for(mutant.file, SUITES[mutant.area]))
            finally:
                free.put(tree)
            print(f"{'caught  ' if caught else 'SURVIVED'} {monotonic() - began_at:4.0f} s  {mutant}", flush=True)
            return bool(caught) and TOO_LONG not in caught

        verdicts = list(pool.map(try_out, mutants))
    score, tried = Counter[str](), Counter[str]()
    for mutant, is_caught in zip(mutants, verdicts, strict=True):
        tried[mutant.area] += 1
        score[mutant.area] += is_caught
    for area, many in sorted(tried.items()):
        print(f"{area:12} {score[area]:3} of {many}")
    print(f"{sum(verdicts)} of {len(mutants)} caught, {100 * sum(verdicts) / max(1, len(mutants)):.1f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
