"""The one expression language: rules, queries, ETL predicates, conflict checks and stream routing.

An expression is a value. Operators build it, adapters translate it once, and nothing evaluates it on the way. Null
follows SQL's three-valued logic in every translation: a comparison with null is null, ``null & False`` is ``False``,
``null | True`` is ``True``, and a filter keeps a row only where its predicate is true.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from typing import Any, Final, NoReturn

import attrs


class Op(enum.Enum):
    """Binary operators. Comparisons give booleans, arithmetic gives numbers."""

    EQ = "=="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    ADD = "+"
    SUB = "-"
    MUL = "*"
    AND = "&"
    OR = "|"


COMPARISONS: Final = frozenset({Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE})
LOGIC: Final = frozenset({Op.AND, Op.OR})
ARITHMETIC: Final = frozenset({Op.ADD, Op.SUB, Op.MUL})


class Root(enum.Enum):
    """What a reference is relative to."""

    COLUMN = "col"
    FIELD = "F"
    PARAMS = "params"
    PAYLOAD = "payload"
    MESSAGE = "msg"
    PRINCIPAL = "principal"


class Expr:
    """Base of all expressions; its operators build larger ones.

    ``==`` builds a comparison, so expressions are equal only by identity; compare their ``repr`` in tests. ``and``,
    ``or`` and ``not`` cannot be overloaded in Python: write ``&``, ``|`` and ``~``.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> Binary:  # type: ignore[override]
        return Binary(Op.EQ, self, wrap(other))

    def __ne__(self, other: object) -> Binary:  # type: ignore[override]
        return Binary(Op.NE, self, wrap(other))

    def __lt__(self, other: object) -> Binary:
        return Binary(Op.LT, self, wrap(other))

    def __le__(self, other: object) -> Binary:
        return Binary(Op.LE, self, wrap(other))

    def __gt__(self, other: object) -> Binary:
        return Binary(Op.GT, self, wrap(other))

    def __ge__(self, other: object) -> Binary:
        return Binary(Op.GE, self, wrap(other))

    def __add__(self, other: object) -> Binary:
        return Binary(Op.ADD, self, wrap(other))

    def __sub__(self, other: object) -> Binary:
        return Binary(Op.SUB, self, wrap(other))

    def __mul__(self, other: object) -> Binary:
        return Binary(Op.MUL, self, wrap(other))

    def __and__(self, other: object) -> Binary:
        return Binary(Op.AND, self, wrap(other))

    def __or__(self, other: object) -> Binary:
        return Binary(Op.OR, self, wrap(other))

    def __invert__(self) -> Not:
        return Not(self)

    def __hash__(self) -> int:
        return id(self)

    def __bool__(self) -> bool:
        raise TypeError(f"{self!r} is an expression, not a truth value; combine with &, | and ~, not and, or, not")

    def __iter__(self) -> NoReturn:
        # A reference takes items, so Python would go through it without end: `x.is_in(principal.tenants)`.
        raise TypeError(f"{self!r} is an expression, not a list of values; is_in takes constants")

    def is_null(self) -> IsNull:
        """True where the value is null; never null itself."""
        return IsNull(self)

    def is_not_null(self) -> Not:
        """True where the value is not null; never null itself."""
        return Not(IsNull(self))

    def is_in(self, options: Iterable[object]) -> IsIn:
        """True where the value equals one of ``options`` (which may not hold null); null where the value is null."""
        values = tuple(options)
        if None in values:
            raise ValueError("is_in takes no None; write (x.is_in([...])) | x.is_null()")
        return IsIn(self, values)

    def between(self, low: object, high: object) -> Binary:
        """True where ``low <= value <= high``."""
        return (self >= low) & (self <= high)

    def like(self, pattern: str, *, ignore_case: bool = False) -> Like:
        """SQL pattern: ``%`` stands for any text, ``_`` for one character, a backslash takes the next as it is.

        ``ignore_case`` folds the letters A to Z and no others: databases fold the rest by locale.
        """
        return Like(self, pattern, ignore_case)


# eq=False throughout: attrs must not replace the comparison operators that build expressions.
@attrs.frozen(eq=False, repr=False)
class Ref(Expr):
    """A reference to a value: a column, a command's field, a parameter, a part of a message.

    Attribute and item access extend the path: ``payload.address.city``, ``msg.headers["source"]``. The names of its
    own fields are long so that they leave the short ones to models.
    """

    ref_root: Root
    ref_path: tuple[str, ...]
    ref_model: type | None = None

    def __getattr__(self, name: str) -> Ref:
        if name.startswith("__"):
            raise AttributeError(name)
        return Ref(self.ref_root, (*self.ref_path, name), self.ref_model)

    def __getitem__(self, name: str) -> Ref:
        return Ref(self.ref_root, (*self.ref_path, name), self.ref_model)

    def __repr__(self) -> str:
        if self.ref_root is Root.COLUMN:
            return f"col({'.'.join(self.ref_path)!r})"
        return ".".join((_shown(self.ref_root, self.ref_model), *self.ref_path))


@attrs.frozen(eq=False, repr=False)
class Literal(Expr):
    """A constant."""

    value: Any

    def __repr__(self) -> str:
        return repr(self.value)


@attrs.frozen(eq=False, repr=False)
class Binary(Expr):
    """Two operands and an operator."""

    op: Op
    left: Expr
    right: Expr

    def __repr__(self) -> str:
        return f"({self.left!r} {self.op.value} {self.right!r})"


@attrs.frozen(eq=False, repr=False)
class Not(Expr):
    """Negation; null stays null."""

    operand: Expr

    def __repr__(self) -> str:
        return f"~{self.operand!r}"


@attrs.frozen(eq=False, repr=False)
class IsNull(Expr):
    """Whether the operand is null."""

    operand: Expr

    def __repr__(self) -> str:
        return f"{_subject(self.operand)}.is_null()"


@attrs.frozen(eq=False, repr=False)
class IsIn(Expr):
    """Whether the operand is one of several constants."""

    operand: Expr
    options: tuple[Any, ...]

    def __repr__(self) -> str:
        return f"{_subject(self.operand)}.is_in({list(self.options)!r})"


@attrs.frozen(eq=False, repr=False)
class Like(Expr):
    """Whether the operand fits a SQL pattern."""

    operand: Expr
    pattern: str
    ignore_case: bool = False

    def __repr__(self) -> str:
        return f"{_subject(self.operand)}.like({self.pattern!r})"


class Namespace:
    """The start of references of one root: ``params.run_date``, ``payload.amount``, ``msg.key``."""

    __slots__ = ("_model", "_root")

    def __init__(self, root: Root, model: type | None = None) -> None:
        self._root = root
        self._model = model

    def __repr__(self) -> str:
        return _shown(self._root, self._model)

    def __getattr__(self, name: str) -> Ref:
        if name.startswith("__"):
            raise AttributeError(name)
        return Ref(self._root, (name,), self._model)


def col(name: str) -> Ref:
    """A column of the table or entity at hand."""
    return Ref(Root.COLUMN, (name,))


def F(model: type) -> Namespace:  # noqa: N802 - the published name of this builder
    """References to the fields of a command or model: ``F(CreateProduct).price``."""
    return Namespace(Root.FIELD, model)


params: Final = Namespace(Root.PARAMS)
"""Parameters of an ETL run."""
payload: Final = Namespace(Root.PAYLOAD)
"""Fields of a message's payload."""
msg: Final = Namespace(Root.MESSAGE)
"""The message around the payload: ``msg.key``, ``msg.headers["name"]``."""
principal: Final = Namespace(Root.PRINCIPAL)
"""The caller: ``principal.subject``, and its claims by name."""


def wrap(value: object) -> Expr:
    """``value`` itself where it is an expression, else a literal."""
    return value if isinstance(value, Expr) else Literal(value)


def children(expr: Expr) -> tuple[Expr, ...]:
    """The direct operands of an expression."""
    if isinstance(expr, Binary):
        return (expr.left, expr.right)
    if isinstance(expr, Not | IsNull | IsIn | Like):
        return (expr.operand,)
    return ()


def refs(expr: Expr) -> Iterator[Ref]:
    """Every reference in an expression, from left to right."""
    if isinstance(expr, Ref):
        yield expr
    for child in children(expr):
        yield from refs(child)


def bind_refs(expr: Expr, values: dict[Root, Any]) -> Expr:
    """Replace references of the given roots by the values that they reach (attributes first, then keys).

    Used before an adapter translates an expression: ``col("day") == params.run_date`` becomes a comparison of a
    column with a date.
    """
    if isinstance(expr, Ref):
        return Literal(_reach(values[expr.ref_root], expr.ref_path)) if expr.ref_root in values else expr
    if isinstance(expr, Binary):
        return Binary(expr.op, bind_refs(expr.left, values), bind_refs(expr.right, values))
    if isinstance(expr, Not | IsNull | IsIn | Like):
        return attrs.evolve(expr, operand=bind_refs(expr.operand, values))
    return expr


def _shown(root: Root, model: Any) -> str:
    return root.value if model is None else f"F({getattr(model, '__name__', repr(model))})"


def _subject(operand: Expr) -> str:
    return f"({operand!r})" if isinstance(operand, Not) else repr(operand)


def _reach(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = value[name] if isinstance(value, dict) else getattr(value, name)
    return value
