"""The contract of authenticators over fixed tokens and over JSON Web Tokens of every kind of key."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from loom.adapters.anonymous.authenticator import Anonymous
from loom.adapters.json.codec import JsonCodec
from loom.adapters.jwt.keys import LOOK_AGAIN
from loom.adapters.jwt.provide import provide
from loom.adapters.jwt.settings import JwtSettings
from loom.adapters.memory.security import MemoryAuthenticator
from loom.adapters.system.clock import SystemClock
from loom.domain.context import Principal
from loom.domain.errors import ConfigError, Unauthenticated
from loom.ports.security import Authenticator
from loom.testing.contracts.security import AuthenticatorContract

SECRET = "s" * 32
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())


def claims(**more: Any) -> dict[str, Any]:
    return {"sub": "ann", "exp": int(time.time()) + 600, "scope": "products:read products:write", **more}


def bearer(key: Any, algorithm: str, given: Mapping[str, Any] | None = None, **headers: Any) -> dict[str, str]:
    token = jwt.encode(dict(claims() if given is None else given), key, algorithm=algorithm, headers=headers or None)
    return {"authorization": f"Bearer {token}"}


def pem(key: Any) -> str:
    kinds = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    text: bytes = key.public_key().public_bytes(*kinds)
    return text.decode()


def key_set(**keys: Any) -> dict[str, Any]:
    makers: dict[type, Callable[..., Any]] = {
        rsa.RSAPrivateKey: RSAAlgorithm.to_jwk,
        ec.EllipticCurvePrivateKey: ECAlgorithm.to_jwk,
    }
    found = []
    for kid, key in keys.items():
        maker = next(make for kind, make in makers.items() if isinstance(key, kind))
        found.append({**json.loads(maker(key.public_key())), "kid": kid})
    return {"keys": found}


def authenticator_of(**settings: Any) -> Authenticator:
    return provide(JwtSettings(**settings), codec=JsonCodec(), clock=SystemClock())


HMAC: dict[str, Any] = {"algorithms": ("HS256",), "secret": SECRET}


class TestFixedTokens(AuthenticatorContract):
    @pytest.fixture
    def authenticator(self) -> Authenticator:
        return MemoryAuthenticator({"t0ken": Principal(subject="ann", grants=frozenset({"products:write"}))})

    @pytest.fixture
    def good(self) -> Mapping[str, str]:
        return {"authorization": "Bearer t0ken"}

    async def test_a_token_that_was_removed_is_not_known(self) -> None:
        authenticator = MemoryAuthenticator({"t0ken": Principal(subject="ann")})
        authenticator.remove("t0ken")
        with pytest.raises(Unauthenticated):
            await authenticator.authenticate({"authorization": "Bearer t0ken"})


class TestSharedSecret(AuthenticatorContract):
    @pytest.fixture
    def authenticator(self) -> Authenticator:
        return authenticator_of(**HMAC)

    @pytest.fixture
    def good(self) -> Mapping[str, str]:
        return bearer(SECRET, "HS256")


class TestPublicKey(AuthenticatorContract):
    @pytest.fixture
    def authenticator(self) -> Authenticator:
        return authenticator_of(algorithms=("RS256",), public_key=pem(RSA))

    @pytest.fixture
    def good(self) -> Mapping[str, str]:
        return bearer(RSA, "RS256")


class TestKeySet(AuthenticatorContract):
    @pytest.fixture
    def authenticator(self) -> Authenticator:
        return authenticator_of(algorithms=("RS256", "ES256"), jwks=key_set(one=RSA, two=EC))

    @pytest.fixture
    def good(self) -> Mapping[str, str]:
        return bearer(EC, "ES256", kid="two")


async def refused(authenticator: Authenticator, headers: Mapping[str, str]) -> str:
    with pytest.raises(Unauthenticated) as caught:
        await authenticator.authenticate(headers)
    return caught.value.message


async def test_nobody_is_known_without_security() -> None:
    assert Anonymous.scheme is None
    assert await Anonymous().authenticate({"authorization": "Bearer x"}) is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"exp": 1}, "the token has expired"),
        ({"nbf": 32503680000}, "the token is not good yet"),
        ({"aud": "other"}, "the token is for another audience"),
        ({"iss": "https://other.example"}, "the token is from another issuer"),
        ({"iss": None}, "the token"),
        ({"sub": 7}, "the token is not valid"),
        ({"exp": "soon"}, "the token is not valid"),
        ({"exp": float("inf")}, "the token is not valid"),
    ],
)
async def test_a_token_is_refused_for_its_claims(given: dict[str, Any], told: str) -> None:
    authenticator = authenticator_of(**HMAC, audience=("shop", "stock"), issuer="https://id.example")
    right = claims(aud="shop", iss="https://id.example")
    assert await authenticator.authenticate(bearer(SECRET, "HS256", right)) is not None
    assert told in await refused(authenticator, signed(right | given))


def signed(body: Mapping[str, Any]) -> dict[str, str]:
    """A token with any claims: the library refuses to write some of those that it must refuse to read."""
    return {"authorization": "Bearer " + jwt.api_jws.encode(json.dumps(body).encode(), SECRET, algorithm="HS256")}


@pytest.mark.parametrize("missing", ["sub", "exp"])
async def test_a_token_lacks_what_is_required(missing: str) -> None:
    body = claims()
    del body[missing]
    assert await refused(authenticator_of(**HMAC), signed(body)) == "the token lacks a claim that is required"


async def test_a_token_for_somebody_is_not_for_those_who_have_no_name() -> None:
    assert "another audience" in await refused(authenticator_of(**HMAC), bearer(SECRET, "HS256", claims(aud="shop")))


async def test_clocks_may_differ_by_the_leeway() -> None:
    late = claims(exp=int(time.time()) - 30)
    assert await authenticator_of(**HMAC, leeway=3600.0).authenticate(bearer(SECRET, "HS256", late)) is not None
    assert await refused(authenticator_of(**HMAC, leeway=5.0), bearer(SECRET, "HS256", late)) == "the token has expired"


async def test_a_token_without_a_signature_is_refused() -> None:
    body = base64.urlsafe_b64encode(json.dumps(claims()).encode()).decode().rstrip("=")
    for algorithm in ("none", "None", "NONE"):
        head = base64.urlsafe_b64encode(json.dumps({"alg": algorithm, "typ": "JWT"}).encode()).decode().rstrip("=")
        for signature in ("", "x"):
            given = {"authorization": f"Bearer {head}.{body}.{signature}"}
            assert await refused(authenticator_of(**HMAC), given)
            assert await refused(authenticator_of(algorithms=("RS256",), public_key=pem(RSA)), given)


async def test_a_public_key_is_not_taken_for_a_secret() -> None:
    """The old attack: a token signed with HS256 whose secret is the text of the public key."""
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")
    body = base64.urlsafe_b64encode(json.dumps(claims()).encode()).decode().rstrip("=")
    mac = jwt.get_algorithm_by_name("HS256").sign(f"{head}.{body}".encode(), pem(RSA).encode())
    signature = base64.urlsafe_b64encode(mac).decode().rstrip("=")
    given = {"authorization": f"Bearer {head}.{body}.{signature}"}
    assert await refused(authenticator_of(algorithms=("RS256",), public_key=pem(RSA)), given)


async def test_an_algorithm_that_is_not_declared_is_refused() -> None:
    strong = authenticator_of(algorithms=("HS512",), secret="s" * 64)
    assert await refused(strong, bearer("s" * 64, "HS256"))


async def test_a_key_of_the_set_is_found_by_its_id_alone() -> None:
    both = authenticator_of(algorithms=("RS256", "ES256"), jwks=key_set(one=RSA, two=EC))
    assert await both.authenticate(bearer(RSA, "RS256", kid="one")) is not None
    assert await refused(both, bearer(RSA, "RS256", kid="three")) == "the token is signed with a key that is not known"
    assert await refused(both, bearer(RSA, "RS256")) == "the token is signed with a key that is not known"
    assert await refused(both, bearer(EC, "ES256", kid="one"))


async def test_a_token_need_not_name_the_only_key() -> None:
    assert await authenticator_of(algorithms=("RS256",), jwks=key_set(one=RSA)).authenticate(bearer(RSA, "RS256"))


async def test_keys_are_rotated_by_changing_their_file(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(key_set(old=RSA)))
    authenticator = authenticator_of(algorithms=("RS256", "ES256"), jwks_file=str(file))
    assert await authenticator.authenticate(bearer(RSA, "RS256", kid="old")) is not None
    assert await refused(authenticator, bearer(EC, "ES256", kid="new"))
    file.write_text('{"keys": [half written')
    os.utime(file, (1, 1))
    assert await authenticator.authenticate(bearer(RSA, "RS256", kid="old")) is not None
    assert await refused(authenticator, bearer(EC, "ES256", kid="new"))
    file.write_text(json.dumps(key_set(new=EC)))
    os.utime(file, (2, 2))
    assert await authenticator.authenticate(bearer(EC, "ES256", kid="new")) is not None
    assert await refused(authenticator, bearer(RSA, "RS256", kid="old"))


@pytest.mark.parametrize(
    ("held", "grants"),
    [
        ({"scope": "a b"}, {"a", "b"}),
        ({"scp": ["a"], "roles": ["admin", 7]}, {"a", "admin"}),
        ({"scope": {"a": 1}}, set()),
        ({}, set()),
    ],
)
async def test_grants_are_scopes_and_roles(held: dict[str, Any], grants: set[str]) -> None:
    body = {"sub": "ann", "exp": int(time.time()) + 600, "tenant_id": 7, **held}
    principal = await authenticator_of(**HMAC).authenticate(signed(body))
    assert principal is not None
    assert principal.grants == grants
    assert principal.claims["tenant_id"] == 7


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"algorithms": ("HS256",)}, "none is given"),
        ({"algorithms": ("HS256",), "secret": SECRET, "public_key": "x"}, "secret and public_key are given"),
        ({"algorithms": (), "secret": SECRET}, "algorithms must name at least one"),
        ({"algorithms": ("HS256", "RS256"), "secret": SECRET}, "other algorithms take a public key"),
        ({"algorithms": ("HS256",), "public_key": "x"}, "HS256 takes a secret"),
        ({"algorithms": ("HS512",), "secret": SECRET}, "the secret is shorter than 64 bytes"),
    ],
)
def test_settings_that_would_not_be_safe_are_refused(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        JwtSettings(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"public_key": "no PEM"},
        {"jwks": {"keys": [{"kty": "RSA", "n": "x"}]}},
        {"jwks": {"kyes": []}},
        {"jwks_file": "/nowhere/keys.json"},
    ],
)
def test_a_key_that_cannot_be_read_is_told_at_the_start(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="the key cannot be read"):
        authenticator_of(algorithms=("RS256",), **settings)


def test_a_secret_is_not_shown() -> None:
    assert SECRET not in repr(JwtSettings(**HMAC))
    assert "secret" in attrs.fields_dict(JwtSettings)


async def test_a_key_that_was_taken_out_of_its_file_is_not_good_any_longer(tmp_path: Path) -> None:
    """Whatever key ids are asked for: nobody has to send an unknown one first."""
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps(key_set(old=RSA)))
    authenticator = authenticator_of(algorithms=("RS256", "ES256"), jwks_file=str(file))
    stolen = bearer(RSA, "RS256", kid="old")
    assert await authenticator.authenticate(stolen)
    new = tmp_path / "new.json"
    new.write_text(json.dumps(key_set(new=EC)))
    new.replace(file)
    await asyncio.sleep(LOOK_AGAIN)
    assert await refused(authenticator, stolen)
    assert await authenticator.authenticate(bearer(EC, "ES256", kid="new"))
