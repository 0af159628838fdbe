"""The public face of the kernel: models, commands, use cases, rules, events, expressions and errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loom.application.links import link_entity
from loom.application.repositories import DelegatingRepository, RepositoryBuilder, repository_for
from loom.application.usecase.application import Application
from loom.application.usecase.compute import Compute
from loom.application.usecase.created import Created
from loom.application.usecase.declaration import UseCase
from loom.application.usecase.invoker import ApplicationInvoker
from loom.application.usecase.markers import Exists, ExpectedVersion, Header, Input, Load, LoadById, OnMissing
from loom.application.usecase.rule import Rule
from loom.domain.absent import ABSENT, Absent, Patch, present
from loom.domain.constraints import Index, index
from loom.domain.context import Context, Principal
from loom.domain.errors import (
    CheckFailed,
    CompileError,
    ConfigError,
    Conflict,
    FieldError,
    Forbidden,
    InvalidInput,
    Issue,
    LoomError,
    MissingExtra,
    NotFound,
    Overtaken,
    Place,
    PreconditionFailed,
    RuleViolations,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)
from loom.domain.events import event
from loom.domain.expr import F, col, msg, params, payload, principal
from loom.domain.message import Envelope, ErrorEnvelope
from loom.domain.model import FieldOptions, command, entity, field, key, projection, relation, schema_of
from loom.domain.query import Page, Query, Sort
from loom.domain.relations import NOT_LOADED, Link, NotLoadedError, RelationOptions
from loom.ports.persistence import Repository, UnitOfWork

if TYPE_CHECKING:
    from loom.config.kernel import Kernel

__all__ = [
    "ABSENT",
    "NOT_LOADED",
    "Absent",
    "Application",
    "ApplicationInvoker",
    "CheckFailed",
    "CompileError",
    "Compute",
    "ConfigError",
    "Conflict",
    "Context",
    "Created",
    "DelegatingRepository",
    "Envelope",
    "ErrorEnvelope",
    "Exists",
    "ExpectedVersion",
    "F",
    "FieldError",
    "FieldOptions",
    "Forbidden",
    "Header",
    "Index",
    "Input",
    "InvalidInput",
    "Issue",
    "Kernel",
    "Link",
    "Load",
    "LoadById",
    "LoomError",
    "MissingExtra",
    "NotFound",
    "NotLoadedError",
    "OnMissing",
    "Overtaken",
    "Page",
    "Patch",
    "Place",
    "PreconditionFailed",
    "Principal",
    "Query",
    "RelationOptions",
    "Repository",
    "RepositoryBuilder",
    "Rule",
    "RuleViolations",
    "Sort",
    "TooManyRequests",
    "Unauthenticated",
    "Unavailable",
    "UnitOfWork",
    "UseCase",
    "col",
    "command",
    "entity",
    "event",
    "field",
    "index",
    "key",
    "link_entity",
    "msg",
    "params",
    "payload",
    "present",
    "principal",
    "projection",
    "relation",
    "repository_for",
    "schema_of",
]


def __getattr__(name: str) -> Any:
    # The kernel knows every adapter's settings; whoever only declares models does not pay for that.
    if name == "Kernel":
        from loom.config.collector import uncollected

        with uncollected():
            from loom.config.kernel import Kernel
        return Kernel
    raise AttributeError(f"module 'loom.core' has no attribute {name!r}")
