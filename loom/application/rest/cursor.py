"""Signed cursors: where a page ended, in a form that a client can carry but not change."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Final

import attrs

from loom.application.rest.problems import UnknownCursor

_MAC_BYTES: Final = 16
# Made once: the functions of the module make a new one for each text that is not of their usual form.
_ENCODE: Final = json.JSONEncoder(separators=(",", ":")).encode
_DECODE: Final = json.JSONDecoder().decode


@attrs.frozen(eq=False, repr=False)
class Cursors:
    """Issues and reads cursors.

    The signature covers the list that a cursor belongs to as well, with its filters and its order, so that one cannot
    be used on another. All processes that serve one API need the same secret.
    """

    secret: bytes = attrs.field(repr=False)

    def issue(self, owner: str, position: Sequence[str | None]) -> str:
        """The cursor that continues behind a row.

        Args:
            owner: the list; the same text when the cursor is read.
            position: values of the sort columns and of the key, as text.
        """
        held = _ENCODE(list(position)).encode("ascii")
        return base64.urlsafe_b64encode(self._mac(owner, held) + held).decode("ascii").rstrip("=")

    def read(self, owner: str, text: str) -> list[str | None]:
        """The position inside a cursor.

        Raises:
            UnknownCursor: it was not issued for this list with this secret, or was changed.
        """
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise UnknownCursor from None
        held = raw[_MAC_BYTES:]
        if not hmac.compare_digest(raw[:_MAC_BYTES], self._mac(owner, held)):
            raise UnknownCursor
        found: list[str | None] = _DECODE(held.decode("ascii"))
        return found

    def _mac(self, owner: str, held: bytes) -> bytes:
        # The length keeps the two parts apart: no other pair of them gives the same message.
        head = f"{len(owner)}:{owner}".encode("utf-8", "surrogatepass")
        return hmac.digest(self.secret, head + held, hashlib.sha256)[:_MAC_BYTES]
