"""Python source as arrays: one row per node of its syntax tree."""

import ast
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import UserError
from codomain.search.shared.sets import check_offsets

# Listed here, so that a number means the same type in every version of Python; a type not listed is "other".
TYPES = (
    "other Add And AnnAssign Assert Assign AsyncFor AsyncFunctionDef AsyncWith Attribute AugAssign Await BinOp BitAnd "
    "BitOr BitXor BoolOp Break Call ClassDef Compare Constant Continue Delete Dict DictComp Div Eq ExceptHandler Expr "
    "Expression FloorDiv For FormattedValue FunctionDef FunctionType GeneratorExp Global Gt GtE If IfExp Import "
    "ImportFrom In Interactive Interpolation Invert Is IsNot JoinedStr LShift Lambda List ListComp Lt LtE MatMult "
    "Match MatchAs MatchClass MatchMapping MatchOr MatchSequence MatchSingleton MatchStar MatchValue Mod Module Mult "
    "Name NamedExpr Nonlocal Not NotEq NotIn Or ParamSpec Pass Pow RShift Raise Return Set SetComp Slice Starred Sub "
    "Subscript TemplateStr Try TryStar Tuple TypeAlias TypeIgnore TypeVar TypeVarTuple UAdd USub UnaryOp While With "
    "Yield YieldFrom alias arg arguments comprehension keyword match_case withitem"
).split()
_NUMBER = {name: number for number, name in enumerate(TYPES)}
_UNREAD = {"kind", "type_comment"}  # fields of words that say nothing about what the code does


@dataclass(frozen=True, eq=False)
class Trees:
    """Trees one after another, each with its nodes in any order; offsets cut them.

    Attributes
    ----------
    contents : ndarray of shape (n_contents, n_features)
        Features of the nodes' texts, each different text once.
    content : ndarray of int of shape (n_nodes,)
        The row of contents that a node has.
    types : ndarray of int of shape (n_nodes,)
        Kinds of nodes, counted from 0.
    parents : ndarray of int of shape (n_nodes,)
        The parent's place within its own tree, counted from 0; -1 for a root.
    offsets : ndarray of int of shape (n_trees + 1,)
        Tree i has the nodes offsets[i]:offsets[i + 1], at least one.

    Raises
    ------
    UserError
        When the arrays do not fit together, or a parent is not in the tree.
    """

    contents: NDArray[Any]
    content: NDArray[np.int64]
    types: NDArray[np.int64]
    parents: NDArray[np.int64]
    offsets: NDArray[np.int64]

    def __post_init__(self) -> None:
        n = len(self.types)
        starts = check_offsets(self.offsets, n)
        each = {name: np.asarray(getattr(self, name)) for name in ("content", "types", "parents")}
        for name, part in each.items():
            if part.shape != (n,) or part.dtype.kind not in "iu":
                raise UserError(f"{name} of shape {part.shape} and dtype {part.dtype}.", needed=f"{n} whole numbers")
        lowest = {"content": 0, "types": 0, "parents": -1}
        ends = {"content": len(self.contents), "parents": np.repeat(np.diff(starts), np.diff(starts))}
        for name, part in each.items():
            bad = np.flatnonzero((part < lowest[name]) | (part >= ends.get(name, np.inf)))
            if len(bad):
                raise UserError(f"Node {bad[0]} has {name} {part[bad[0]]}.", needed="a row of contents, a type of at "
                                "least 0, and as parent a place within its own tree, or -1")  # fmt: skip

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def take(self, rows: Sequence[int] | NDArray[Any]) -> "Trees":
        """Return the trees of these rows, in this order."""
        starts = self.offsets[:-1][rows]
        lengths = self.offsets[1:][rows] - starts
        cuts = np.cumsum([0, *lengths])
        nodes = np.arange(cuts[-1]) + np.repeat(starts - cuts[:-1], lengths)
        return Trees(self.contents, self.content[nodes], self.types[nodes], self.parents[nodes], cuts)


def syntax_trees(sources: Iterable[str], encode: Callable[[list[str]], Any]) -> Trees:
    """Parse Python sources and encode the text of each node of their syntax trees.

    The text of a node is its names and its constant, or else its type. Comments and layout are not in the tree.

    Parameters
    ----------
    sources : iterable of str
        Code, such as one function each; it may be indented as it was in its class.
    encode : callable
        From a list of n texts to an array of shape (n, n_features), such as the `encode` of an encoder; called once,
        with each different text once.

    Returns
    -------
    Trees
        One for each source, nodes in the order of the text.

    Raises
    ------
    UserError
        When a source is not Python; it says which.

    Examples
    --------
    >>> trees = syntax_trees(["x = f(1)"], lambda texts: np.ones((len(texts), 2)))
    >>> [TYPES[number] for number in trees.types]
    ['Module', 'Assign', 'Name', 'Call', 'Name', 'Constant']
    >>> trees.parents
    array([-1,  0,  1,  1,  3,  3])
    """
    if isinstance(sources, str):
        raise UserError("One string.", needed="a list of sources", todo="[source]")
    numbers: dict[str, int] = {}
    content: list[int] = []
    types: list[int] = []
    parents: list[int] = []
    offsets = [0]
    for row, source in enumerate(sources):
        waiting: list[tuple[ast.AST, int]] = [(_parse(row, source), -1)]
        while waiting:  # a stack, since trees may be deeper than Python's own
            node, parent = waiting.pop()
            place = len(types) - offsets[-1]
            content.append(numbers.setdefault(_node_text(node), len(numbers)))
            types.append(_NUMBER.get(type(node).__name__, 0))
            parents.append(parent)
            below = [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr_context)]
            waiting.extend((child, place) for child in reversed(below))
        offsets.append(len(types))
    if len(offsets) == 1:
        raise UserError("No source.", needed="at least one")
    return Trees(np.asarray(encode(list(numbers))), *map(np.array, (content, types, parents, offsets)))


def _parse(row: int, source: str) -> ast.Module:
    """Parse a source; an indented one, as it stands in a class, is put below a line that allows it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # old escapes in string literals
        try:
            text = source.lstrip("\n")
            if not text[:1].isspace():
                return ast.parse(text)
            return ast.Module(ast.parse(f"if True:\n{text}").body[0].body, [])  # type: ignore[attr-defined]
        except (SyntaxError, ValueError, TypeError, AttributeError, RecursionError, MemoryError) as error:
            version = ".".join(map(str, sys.version_info[:2]))
            raise UserError(
                f"Source {row} cannot be parsed: {error}.", needed=f"the text of Python {version}",
                todo=f"correct row {row} or leave it out, from features and descriptions too",
            ) from error  # fmt: skip


def _node_text(node: ast.AST) -> str:
    """Return the text of a node itself, without those below it."""
    if isinstance(node, ast.Constant):
        words = [str(node.value)]
    else:
        fields = [value for name, value in ast.iter_fields(node) if name not in _UNREAD]
        words = [each for value in fields for each in (value if isinstance(value, list) else [value])]
    return " ".join(word for word in words if isinstance(word, str)).strip() or type(node).__name__
