"""Contract of ``Authenticator``: nobody claimed, somebody proved, anything else refused.

Subclass it in a test module, give ``authenticator`` and ``good`` as fixtures, and pytest collects it:

    class TestMine(AuthenticatorContract):
        @pytest.fixture
        def authenticator(self) -> Authenticator: ...
        @pytest.fixture
        def good(self) -> Mapping[str, str]: ...      # headers of ann, who was granted "products:write"
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from loom.domain.errors import Unauthenticated
from loom.ports.security import Authenticator

_BAD = ["", "Bearer", "Bearer ", "Basic YW5uOnNlY3JldA==", "Bearer a b", "Bearer é", "Bearer " + "x" * 20_000, "ann"]


class AuthenticatorContract:
    """What every authenticator of bearer tokens must do."""

    async def test_headers_without_credentials_are_nobody(self, authenticator: Authenticator) -> None:
        assert await authenticator.authenticate({}) is None
        assert await authenticator.authenticate({"x-token": "Bearer x", "cookie": "token=x"}) is None

    async def test_good_credentials_are_somebody(self, authenticator: Authenticator, good: Mapping[str, str]) -> None:
        principal = await authenticator.authenticate(good)
        assert principal is not None
        assert principal.subject == "ann"
        assert "products:write" in principal.grants

    async def test_the_scheme_is_written_in_any_case(
        self, authenticator: Authenticator, good: Mapping[str, str]
    ) -> None:
        token = good["authorization"].partition(" ")[2]
        principal = await authenticator.authenticate({"authorization": f"bEaReR {token}"})
        assert principal is not None

    @pytest.mark.parametrize("given", _BAD, ids=range(len(_BAD)))
    async def test_what_is_no_good_is_refused_and_challenged(self, authenticator: Authenticator, given: str) -> None:
        with pytest.raises(Unauthenticated) as caught:
            await authenticator.authenticate({"authorization": given})
        assert caught.value.challenge.startswith("Bearer ")
        assert 'error="invalid_token"' in caught.value.challenge

    async def test_two_credentials_are_none(self, authenticator: Authenticator, good: Mapping[str, str]) -> None:
        given = good["authorization"]
        with pytest.raises(Unauthenticated):
            await authenticator.authenticate({"authorization": f"{given}, {given}"})

    async def test_a_changed_letter_is_refused(self, authenticator: Authenticator, good: Mapping[str, str]) -> None:
        scheme, _, token = good["authorization"].partition(" ")
        # Not the last letter: some of its bits may belong to nothing.
        for at in range(0, len(token) - 1, max(1, len(token) // 40)):
            changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
            with pytest.raises(Unauthenticated):
                await authenticator.authenticate({"authorization": f"{scheme} {changed}"})

    def test_its_scheme_can_be_documented(self, authenticator: Authenticator) -> None:
        scheme = authenticator.scheme
        assert scheme is not None
        assert scheme.definition["type"] == "http"
