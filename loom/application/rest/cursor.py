"""Signed cursors: where a page ended, in a form that a client can carry but not change."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any, Final

import attrs

from loom.application.rest.problems import UnknownCursor
from loom.domain.errors import LoomError
from loom.ports.codec import Codec

_MAC_BYTES: Final = 16


@attrs.frozen
class Cursors:
    """Issues and reads cursors.

    The signature covers the list that a cursor belongs to as well, so that one cannot be used on another. All
    processes that serve one API need the same secret.
    """

    secret: bytes = attrs.field(repr=False)
    codec: Codec

    def issue(self, owner: str, after: Sequence[Any]) -> str:
        """The cursor that continues behind a row.

        Args:
            owner: the list; the same text when the cursor is read.
            after: values of the sort columns and of the key.
        """
        position = self.codec.encode(list(after))
        return base64.urlsafe_b64encode(self._mac(owner, position) + position).decode("ascii").rstrip("=")

    def read(self, owner: str, text: str, wanted: Any) -> tuple[Any, ...]:
        """The values inside a cursor, as a tuple of the type ``wanted``.

        Raises:
            UnknownCursor: it was not issued for this list with this secret, or was changed.
        """
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise UnknownCursor from None
        position = raw[_MAC_BYTES:]
        if not hmac.compare_digest(raw[:_MAC_BYTES], self._mac(owner, position)):
            raise UnknownCursor
        try:
            found: tuple[Any, ...] = self.codec.decode(position, wanted)
        except LoomError:  # issued before the key of the model changed
            raise UnknownCursor from None
        return found

    def _mac(self, owner: str, position: bytes) -> bytes:
        # The length keeps the two parts apart: no other pair of them gives the same message.
        head = f"{len(owner)}:{owner}".encode()
        return hmac.digest(self.secret, head + position, hashlib.sha256)[:_MAC_BYTES]
