"""Conditions on columns, in plain words, turned into Arrow expressions."""

import ast
import keyword
import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from codomain.core import UserError

_COMPARE = {
    ast.Eq: "__eq__", ast.NotEq: "__ne__", ast.Lt: "__lt__", ast.LtE: "__le__", ast.Gt: "__gt__", ast.GtE: "__ge__",
}  # fmt: skip
_SWAPPED = {ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE, ast.Eq: ast.Eq, ast.NotEq: ast.NotEq}
_QUOTED = re.compile(r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`)""")
_LONGEST = 4000  # characters; nobody types more, and the parser's own stack is finite


def parse_filter(expr: str, schema: pa.Schema) -> Any:
    """Read a condition on columns.

    Parameters
    ----------
    expr : str
        For example ``year >= 2000 and label == 'net'``. Known: ``== != < <= > >=`` (chained too), ``in``,
        ``not in``, ``is null``, ``is not null``, ``and``, ``or``, ``not``, brackets, a column of truth values by its
        name, and ``'abc' in text`` for texts that contain abc. ``label = net`` is read as ``label == 'net'``; a name
        with spaces goes in backquotes, or is written with ``_`` for them; its case does not count where only one
        column can be meant; dates are written ``'2024-05-31'``. A missing value meets no condition but ``is null``.
    schema : pyarrow.Schema
        Columns that may be named.

    Returns
    -------
    pyarrow.compute.Expression
        Ready for `pyarrow.Table.filter`.

    Raises
    ------
    UserError
        When the condition cannot be read, names an unknown column or compares values of two kinds.
    """
    return _parse(expr, schema)[0]


def _parse(expr: str, schema: pa.Schema) -> tuple[Any, list[str]]:
    """Return the expression and the columns it reads."""
    if not isinstance(expr, str):
        raise UserError(f"The condition {expr!r} is no text.", needed='something like: "year >= 2000"')
    names: dict[str, str] = {}
    try:
        if len(expr) > _LONGEST:
            raise SyntaxError(f"it is longer than {_LONGEST} characters")
        tree = ast.parse(_as_python(expr, names).strip(), mode="eval")
        reader = _Reader(expr, schema, names)
        return reader.truth(tree.body), sorted(reader.used)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if isinstance(error, UserError):
            raise
        said = error.msg if isinstance(error, SyntaxError) else str(error)
        raise UserError(
            f"The condition {expr[:200]!r} cannot be read: {said}.",
            needed="something like: year >= 2000 and label == 'net'",
        ) from None
    except (OverflowError, pa.ArrowException) as error:
        raise UserError(f"The condition {expr[:200]!r} cannot be used: {error}.", needed=_columns(schema)) from None


def _as_python(expr: str, names: dict[str, str]) -> str:
    """Turn `=` into `==`, `null` into `None` and backquoted names into plain ones, outside quotes."""
    parts = _QUOTED.split(expr)
    for i, part in enumerate(parts):
        if i % 2 and part.startswith("`"):
            parts[i] = f"_column_{i}_"
            names[parts[i]] = part[1:-1]
        elif i % 2 == 0:
            part = re.sub(r"(?<![=!<>])=(?!=)", "==", part)
            part = re.sub(r"\bis\s+(not\s+)?null\b", r"is \1None", part, flags=re.IGNORECASE)
            parts[i] = re.sub(r"\b(AND|OR|NOT|IN)\b", lambda word: word.group().lower(), part)
    return "".join(parts)


def _columns(schema: pa.Schema) -> str:
    return "one of the columns " + ", ".join(f"{_typed(field.name)} ({_kind(field.type)})" for field in schema)


def _typed(name: str) -> str:
    """Return a name as it must be typed."""
    return name if name.isidentifier() and not keyword.iskeyword(name) else f"`{name}`"


def _normal(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.casefold()).strip("_")


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if types.is_dictionary(kind) else kind


def _kind(kind: pa.DataType) -> str:
    kind = _plain(kind)
    if types.is_boolean(kind):
        return "true or false"
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        return "number"
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return "text"
    if types.is_date(kind) or types.is_timestamp(kind):
        return "date"
    return str(kind)


class _Reader:
    """Walks the parsed condition; what it does not know, it refuses."""

    def __init__(self, expr: str, schema: pa.Schema, names: dict[str, str]) -> None:
        self.expr, self.schema, self.names = expr, schema, names
        self.used: set[str] = set()

    def refuse(self, why: str, needed: str = "") -> UserError:
        return UserError(f"The condition {self.expr[:200]!r}: {why}.", needed=needed or _columns(self.schema))

    def truth(self, node: ast.expr) -> Any:
        """Read what is true or false."""
        if isinstance(node, ast.BoolOp):
            parts = [self.truth(value) for value in node.values]
            whole = parts[0]
            for part in parts[1:]:
                whole = whole & part if isinstance(node.op, ast.And) else whole | part
            return whole
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return ~self.truth(node.operand)
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            whole = self.compare(sides[0], node.ops[0], sides[1])
            for left, op, right in zip(sides[1:], node.ops[1:], sides[2:], strict=False):
                whole = whole & self.compare(left, op, right)
            return whole
        if isinstance(node, ast.Name):
            name = self.column(node)
            if not types.is_boolean(self.schema.field(name).type):
                raise self.refuse(f"{name} alone is neither true nor false", "a comparison, such as == or <")
            return pc.field(name)
        raise self.refuse(f"{ast.unparse(node)[:60]!r} is not something that can be true or false", "a comparison")

    def named(self, node: ast.expr) -> list[str]:
        """Return the columns that a name may mean: the one that is spelled so, or those that are but for case and _."""
        if not isinstance(node, ast.Name):
            return []
        name = self.names.get(node.id, node.id)
        same = [known for known in self.schema.names if known == name]
        return same or [known for known in self.schema.names if _normal(known) == _normal(name)]

    def is_column(self, node: ast.expr) -> bool:
        return bool(self.named(node))

    def is_other_column(self, node: ast.expr) -> bool:
        """Whether the right side is a column; a bare word that is spelled otherwise is a text there: `kind = Label`."""
        known = self.named(node)
        return bool(known) and isinstance(node, ast.Name) and (node.id in self.names or node.id in known)

    def column(self, node: ast.expr) -> str:
        if not isinstance(node, ast.Name):
            raise self.refuse(f"{ast.unparse(node)[:60]!r} is not a column")
        name, known = self.names.get(node.id, node.id), self.named(node)
        if not known:
            raise self.refuse(f"there is no column {name!r}")
        if len(known) > 1:
            raise self.refuse(f"{name!r} may be {' or '.join(map(_typed, known))}", "a name as it is spelled")
        self.used.add(known[0])
        return known[0]

    def compare(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Any:
        if isinstance(op, ast.Is | ast.IsNot):
            if not (isinstance(right, ast.Constant) and right.value is None):
                raise self.refuse("'is' goes with null only", "is null, is not null or ==")
            missing = pc.field(self.column(left)).is_null()
            return ~missing if isinstance(op, ast.IsNot) else missing
        if isinstance(op, ast.In | ast.NotIn):
            inside = self.inside(left, right)
            return ~inside if isinstance(op, ast.NotIn) else inside
        if not self.is_column(left) and self.is_column(right):
            left, right, op = right, left, _SWAPPED[type(op)]()
        name = self.column(left)
        field = self.field(name)
        if self.is_other_column(right):
            other = self.column(right)
            kinds = [_kind(self.schema.field(n).type) for n in (name, other)]
            if kinds[0] != kinds[1]:
                raise self.refuse(f"{name} is {kinds[0]} and {other} is {kinds[1]}", "two columns of one kind")
            return getattr(field, _COMPARE[type(op)])(self.field(other))
        return getattr(field, _COMPARE[type(op)])(self.value(right, name))

    def field(self, name: str) -> Any:
        kind = self.schema.field(name).type
        return pc.field(name).cast(_plain(kind)) if types.is_dictionary(kind) else pc.field(name)

    def inside(self, left: ast.expr, right: ast.expr) -> Any:
        """Read `column in (a, b)` or `'abc' in column`."""
        if isinstance(right, ast.Tuple | ast.List | ast.Set):
            name = self.column(left)
            values = [self.value(item, name) for item in right.elts]
            kind = _plain(self.schema.field(name).type)
            numbers = _kind(kind) == "number" and not types.is_decimal(kind)
            whole = None
            for value in values if numbers else ():
                whole = (self.field(name) == value) if whole is None else whole | (self.field(name) == value)
            if numbers and whole is not None:
                return whole
            # A missing value meets no condition, while Arrow's isin would say false, and `not in` then true.
            known = pc.field(name).is_valid()
            listed = self.field(name).isin(pa.array([value.as_py() for value in values], kind))
            return pc.if_else(known, listed, pa.scalar(None, pa.bool_()))
        if isinstance(left, ast.Constant) and isinstance(left.value, str):
            name = self.column(right)
            if _kind(self.schema.field(name).type) != "text":
                raise self.refuse(f"{name} is {_kind(self.schema.field(name).type)}", "a column of text after 'in'")
            return pc.match_substring(self.field(name), left.value)
        raise self.refuse("'in' is not used so", "label in ('a', 'b') or 'abc' in text")

    def value(self, node: ast.expr, name: str) -> Any:
        """Read a constant as the column's kind."""
        sign = 1
        while isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            sign, node = sign * (-1 if isinstance(node.op, ast.USub) else 1), node.operand
        if isinstance(node, ast.Name) and node.id.lower() in ("true", "false"):
            raw: Any = node.id.lower() == "true"
        elif isinstance(node, ast.Name) and node.id not in self.names:
            raw = node.id  # label = net
        elif isinstance(node, ast.Constant):
            raw = node.value
        else:
            raise self.refuse(f"{ast.unparse(node)[:60]!r} is not a number, a text or a column")
        kind = _plain(self.schema.field(name).type)
        wanted = _kind(kind)
        if wanted == "number" and type(raw) in (int, float):
            return pa.scalar(Decimal(str(raw)) * sign) if types.is_decimal(kind) else pa.scalar(sign * raw)
        if sign == 1 and wanted == "true or false" and isinstance(raw, bool):
            return pa.scalar(raw)
        if sign == 1 and wanted == "text" and isinstance(raw, str):
            return pa.scalar(raw, kind)
        if sign == 1 and wanted == "date" and isinstance(raw, str):
            try:
                return pa.scalar(_moment(raw, kind), kind)
            except ValueError:
                raise self.refuse(f"{raw!r} is not a date", "2024-05-31 or 2024-05-31T12:00") from None
        raise self.refuse(f"{name} is {wanted} and {ast.unparse(node)[:60]} is not", f"a {wanted} to compare it with")


def _moment(text: str, kind: pa.DataType) -> date | datetime:
    if types.is_date(kind):
        return date.fromisoformat(text)
    moment = datetime.fromisoformat(text)
    if kind.tz and moment.tzinfo is None:
        from zoneinfo import ZoneInfo

        return moment.replace(tzinfo=ZoneInfo(kind.tz))
    return moment
