"""The operations of auto-CRUD: which use case each one runs, and where it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from loom.application.rest.auto import AutoCrud
from loom.application.rest.declare import RestRoute
from loom.application.rest.paths import keys_below
from loom.application.usecase.declaration import UseCase
from loom.domain.errors import LoomError, NotFound, Place
from loom.domain.frozen import frozen
from loom.domain.model import ModelSchema


@frozen(kw_only=True)
class Operation:
    """One generated operation. ``on_row`` puts the key into the path, behind which ``path`` stands."""

    method: str
    status: int
    on_row: bool
    use_case: Callable[[AutoCrud], type[UseCase[Any, Any]]]
    path: str = ""
    errors: tuple[type[LoomError], ...] = ()

    def route(
        self, schema: ModelSchema, generated: AutoCrud, where: Place, *, prefix: str = "", public: bool = False
    ) -> RestRoute:
        """The route of the operation for one model below a prefix, as a user would have written it."""
        return RestRoute(
            use_case=self.use_case(generated),
            method=self.method,
            path=(key_path(schema, prefix) if self.on_row else "") + self.path,
            status_code=self.status,
            errors=self.errors,
            public=public or None,
            declared_at=where,
        )


OPERATIONS: Mapping[str, Operation] = {
    "list": Operation(method="GET", status=200, on_row=False, use_case=lambda generated: generated.list),
    "get": Operation(method="GET", status=200, on_row=True, use_case=lambda generated: generated.get),
    "create": Operation(method="POST", status=201, on_row=False, use_case=lambda generated: generated.create),
    "update": Operation(method="PATCH", status=200, on_row=True, use_case=lambda generated: generated.update),
    "delete": Operation(method="DELETE", status=204, on_row=True, use_case=lambda generated: generated.delete),
}

EXPORT = Operation(method="GET", status=200, on_row=False, path="/export", use_case=lambda generated: generated.export)
"""Generated where an interface says ``export = True``."""

BULK: Mapping[str, Operation] = {
    "create": Operation(
        method="POST", status=201, on_row=False, path="/bulk", use_case=lambda generated: generated.bulk.create
    ),
    "update": Operation(
        method="PATCH", status=200, on_row=False, path="/bulk", use_case=lambda generated: generated.bulk.update,
        errors=(NotFound,),
    ),
    # Not DELETE: the body of one has no meaning that everybody on the way agrees on (RFC 9110, 9.3.5).
    "delete": Operation(
        method="POST", status=204, on_row=False, path="/bulk/delete",
        use_case=lambda generated: generated.bulk.delete, errors=(NotFound,),
    ),
}  # fmt: skip
"""Generated where an interface names them in ``bulk``."""


def key_path(schema: ModelSchema, prefix: str) -> str:
    """The path of one row below its resource: one segment for each key field that the prefix has not named."""
    return "".join(f"/{{{name}}}" for name in keys_below(schema, prefix))
