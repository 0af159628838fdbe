"""The one error tree. Every error has a stable ``code``, says what happened to what, and what to do.

Adapters translate the exceptions of their library into this tree at their border, with the cause chained;
application code never has to import a vendor to catch one.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Sequence
from typing import ClassVar

from loom.domain.frozen import frozen
from loom.domain.installation import how_to_add


class LoomError(Exception):
    """Root of all errors that loom raises on purpose.

    Attributes:
        code: stable identifier, safe to match on and to show to clients.
        message: what happened, to what.
        remedy: what to do about it; empty where the message says it.
    """

    code: ClassVar[str] = "LOOM-000"

    def __init__(self, message: str, *, remedy: str = "") -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(f"{message}. {remedy}" if remedy else message)


@frozen(kw_only=True)
class FieldError:
    """One fault of one field. ``path`` holds the keys from the root of the input down to the field."""

    path: tuple[str | int, ...]
    message: str
    code: str = "invalid"

    @property
    def pointer(self) -> str:
        """The path as a JSON pointer (RFC 6901); the empty string is the whole input."""
        return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in self.path)


class InvalidInput(LoomError, ValueError):
    """Input that does not have the declared shape. Carries all faults, not only the first."""

    code = "LOOM-INPUT"

    def __init__(self, errors: Sequence[FieldError], *, subject: str = "input") -> None:
        self.errors = tuple(errors)
        self.subject = subject
        super().__init__(f"invalid {subject}: {_listed(self.errors)}")


class MalformedInput(LoomError, ValueError):
    """Bytes that cannot be read at all (broken JSON, wrong encoding)."""

    code = "LOOM-MALFORMED"


class RuleViolations(LoomError, ValueError):
    """Rules of a use case that the input breaks; all of them together."""

    code = "LOOM-RULE"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__(f"rules broken: {_listed(self.errors)}")


class NotFound(LoomError, LookupError):
    """The thing that was asked for does not exist, or is not visible to the caller.

    ``key`` is its key; where ``by`` names columns, the value of that column, or a tuple of their values.
    """

    code = "LOOM-NOT-FOUND"

    def __init__(self, what: str, key: object, *, by: Sequence[str] = (), remedy: str = "") -> None:
        self.what = what
        self.key = key
        self.by = tuple(by)
        values = key if isinstance(key, tuple) else (key,)
        named = " and ".join(f"{column} {_shown(value)}" for column, value in zip(self.by, values, strict=False))
        message = f"{what} with {named} does not exist" if named else f"{what} {_shown(key)} does not exist"
        super().__init__(message, remedy=remedy)


def _shown(value: object) -> str:
    """A value as clients know it, who may not know Python."""
    if isinstance(value, tuple):
        return f"({', '.join(map(_shown, value))})"
    if isinstance(value, enum.Enum):
        return _shown(value.value)
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return repr(value) if isinstance(value, str | bytes) else str(value)


class Conflict(LoomError):
    """The change contradicts what is stored: a unique value taken, a row still referenced."""

    code = "LOOM-CONFLICT"

    def __init__(self, message: str, *, fields: Sequence[str] = (), remedy: str = "") -> None:
        self.fields = tuple(fields)
        super().__init__(message, remedy=remedy)


class RecordRefused(LoomError, ValueError):
    """A broker does not take this one record: it is too large, or its topic wants others. It takes the next one."""

    code = "LOOM-RECORD-REFUSED"


class Overtaken(Conflict):
    """Another unit of work changed the same row since this one began. The whole unit may be run again."""

    code = "LOOM-OVERTAKEN"


class CheckFailed(InvalidInput):
    """A row breaks a named check of its model. ``check`` is the name, ``fields`` are the columns that it speaks of."""

    code = "LOOM-CHECK"

    def __init__(self, table: str, check: str, fields: Sequence[str]) -> None:
        self.check = check
        self.fields = tuple(fields)
        message = f"breaks the check {check}"
        paths: list[tuple[str, ...]] = [(name,) for name in self.fields] or [()]
        super().__init__([FieldError(path=path, message=message, code="check") for path in paths], subject=table)


class PreconditionFailed(LoomError):
    """The stored version is not the one that the caller expected."""

    code = "LOOM-PRECONDITION"


class Unbound(LoomError, LookupError):
    """A type was asked for that no adapter or service is bound to."""

    code = "LOOM-UNBOUND"


class Unauthenticated(LoomError):
    """Who calls is unknown. ``challenge`` tells a client what would make it known (RFC 9110, 11.6.1)."""

    code = "LOOM-UNAUTHENTICATED"

    def __init__(self, message: str, *, remedy: str = "", challenge: str = "Bearer") -> None:
        self.challenge = challenge
        super().__init__(message, remedy=remedy)


class Forbidden(LoomError):
    """Who calls is known and may not do this. ``missing`` names the grants that would allow it."""

    code = "LOOM-FORBIDDEN"

    def __init__(self, message: str, *, remedy: str = "", missing: Sequence[str] = ()) -> None:
        self.missing = tuple(missing)
        super().__init__(message, remedy=remedy)


class TooManyRequests(LoomError):
    """The caller has sent more than it may for now. ``retry_after`` is in seconds."""

    code = "LOOM-RATE-LIMIT"

    def __init__(self, message: str, *, retry_after: float, remedy: str = "") -> None:
        self.retry_after = retry_after
        super().__init__(message, remedy=remedy)


class Unavailable(LoomError, ConnectionError):
    """A server that loom depends on does not answer; the same call may succeed later."""

    code = "LOOM-UNAVAILABLE"


class DeadlineExceeded(LoomError, TimeoutError):
    """The work took longer than it was allowed to."""

    code = "LOOM-DEADLINE"


class ScopeFailed(LoomError):
    """A nested use case failed and its error was caught: the whole unit of work rolls back."""

    code = "LOOM-SCOPE-FAILED"


class ScopeClosed(LoomError, RuntimeError):
    """A repository or invoker was used outside the scope that made it."""

    code = "LOOM-SCOPE-CLOSED"


class EngineFailure(LoomError, RuntimeError):
    """An engine (ETL, stream, job) could not finish the work for a reason outside the user's code."""

    code = "LOOM-ENGINE"


class BrokenContract(LoomError, ValueError):
    """Rows that do not fit the table or file that they are to be written to: columns, types, nulls, duplicate keys."""

    code = "LOOM-CONTRACT"


class StepFailed(LoomError, RuntimeError):
    """User code of a step raised. The cause is chained."""

    code = "LOOM-STEP"


class MissingExtra(LoomError, ImportError):
    """An adapter is used whose library is not installed."""

    code = "LOOM-EXTRA"

    def __init__(self, adapter: str, extra: str) -> None:
        self.adapter = adapter
        self.extra = extra
        super().__init__(
            f"the {adapter} adapter needs a library that is not installed",
            remedy=how_to_add(extra),
        )


@frozen(kw_only=True)
class Place:
    """Where a declaration stands. ``line`` counts from 1; 0 means that it is unknown."""

    name: str
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        if not self.file:
            return self.name
        return f"{self.file}:{self.line} ({self.name})" if self.line else f"{self.file} ({self.name})"


@frozen(kw_only=True)
class Issue:
    """One fault found at compile time or while configuration was read."""

    code: str
    where: Place
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        remedy = f"\n    remedy: {self.remedy}" if self.remedy else ""
        return f"{self.code} {self.where}\n    {self.message}{remedy}"


class _Issues(LoomError, ValueError):
    """Shared form of the errors that carry many issues."""

    subject: ClassVar[str] = "issue"

    def __init__(self, issues: Sequence[Issue]) -> None:
        # A use case that is declared, and stands behind two routes, is compiled three times.
        self.issues = tuple(dict.fromkeys(issues))
        count = len(self.issues)
        noun = self.subject if count == 1 else f"{self.subject}s"
        super().__init__(f"{count} {noun}\n" + "\n".join(str(issue) for issue in self.issues))


class CompileError(_Issues):
    """Declarations that cannot be compiled into a plan: all their issues."""

    code = "LOOM-COMPILE"
    subject = "compile issue"


class ConfigError(_Issues):
    """Configuration that cannot be bound: all its issues."""

    code = "LOOM-CONFIG"
    subject = "configuration issue"


def _listed(errors: Sequence[FieldError]) -> str:
    return "; ".join(f"{error.pointer or '(whole)'}: {error.message}" for error in errors)
