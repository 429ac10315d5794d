"""How many public parameters say nothing of their type; the bounds here may only be lowered."""

import ast

from codomain.core.catalogue import PACKAGE

CONVENTIONS = {"X", "y", "random_state"}  # scikit-learn's: anything array-like, and what it takes as a seed
MOST = 0.06  # share of all other public parameters
FREE_OF_ANY = ("workbench", "serve", "search/engine", "guard/engine", "cluster/engine", "shrink/index")
WHY = {("shrink/index/flat.py", "FaissIndex.__init__", "faiss"): "faiss has no types"}  # of those folders, and why


def parameters(tree):
    """Yield (dotted name of the function or class, parameter, annotation) of what is public in a file."""

    def visit(node, before):
        for child in node.body:
            if isinstance(child, ast.ClassDef) and not child.name.startswith("_"):
                if any("dataclass" in ast.unparse(mark) for mark in child.decorator_list):
                    fields = [one for one in child.body if isinstance(one, ast.AnnAssign)]
                    yield from (
                        (f"{before}{child.name}", ast.unparse(one.target), ast.unparse(one.annotation))
                        for one in fields
                        if not ast.unparse(one.target).startswith("_") and "ClassVar" not in ast.unparse(one.annotation)
                    )
                yield from visit(child, f"{before}{child.name}.")
            if isinstance(child, ast.FunctionDef) and (not child.name.startswith("_") or child.name == "__init__"):
                taken = child.args
                every = [*taken.posonlyargs, *taken.args, *taken.kwonlyargs, taken.vararg, taken.kwarg]
                yield from (
                    (f"{before}{child.name}", one.arg, ast.unparse(one.annotation))
                    for one in every
                    if one is not None and one.annotation is not None
                )

    yield from visit(tree, "")


def found():
    """Every public parameter of the package with its file, but for those that scikit-learn names."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for name, parameter, kind in parameters(ast.parse(path.read_text(encoding="utf-8"))):
            if parameter not in CONVENTIONS:
                yield path.relative_to(PACKAGE).as_posix(), name, parameter, kind in ("Any", "Any | None")


def test_few_public_parameters_are_any():
    flags = [bare for *_, bare in found()]
    assert sum(flags) / len(flags) <= MOST, f"{sum(flags)} of {len(flags)}"


def test_what_the_workbench_and_the_engines_take_has_a_type():
    bare = {place[:3] for place in found() if place[3] and place[0].startswith(FREE_OF_ANY)}
    assert bare == set(WHY), "give them a type; a reason that is no longer needed goes"


def test_the_count_sees_functions_methods_and_fields():
    tree = ast.parse(
        "@dataclass(frozen=True)\nclass A:\n    one: Any\n    _two: Any\n    three: ClassVar[Any]\n"
        "    def go(self, X: int, *, step: Any = None) -> None: ...\n    def _no(self, a: Any) -> None: ...\n"
        "def free(a: Any, *rest: Any) -> Any: ...\ndef _no(a: Any) -> None: ...\n"
    )
    assert sorted(place for place in parameters(tree) if place[2] == "Any") == [
        ("A", "one", "Any"), ("A.go", "step", "Any"), ("free", "a", "Any"), ("free", "rest", "Any"),
    ]  # fmt: skip
