"""Settings of the HTTP adapter."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class FastapiSettings:
    """How the API presents and protects itself.

    Attributes:
        title: name of the API in its OpenAPI document.
        version: version of the API in its OpenAPI document.
        description: text of the OpenAPI document, Markdown.
        docs: serve ``/docs``, ``/redoc`` and ``/openapi.json``.
        max_body_bytes: longest request body, in bytes; a longer one is answered 413.
        cursor_secret: signs page cursors. Empty means random for each process, which is right for one process only.
    """

    title: str = "loom"
    version: str = "0"
    description: str = ""
    docs: bool = True
    max_body_bytes: int = 1_048_576
    cursor_secret: str = attrs.field(default="", repr=False)
