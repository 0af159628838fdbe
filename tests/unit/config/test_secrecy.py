"""Names that are secret, and text that holds a password, whatever it is part of."""

import pytest

from loom.domain.secrecy import is_secret_name, shown, without_passwords


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "DB_PASSWD",
        "cursor_secret",
        "api-key",
        "apikey",
        "auth.token",
        "pwd",
        "AccountKey",
        "fs.azure.account.key.x.dfs.core.windows.net",
        "spark.hadoop.fs.s3a.access.key",
        "encryption_key",
        "fs.azure.sas.container.account",
        "connectionString",
        "connection_string",
        "ssl.key.password",
    ],
)
def test_secret_names_are_known(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["user", "key", "path", "passenger", "url", "public_key", "key_prefix", "monkey", "ssl.key.location", "sash"],
)
def test_other_names_are_not_secret(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql+asyncpg://u:p:w@h:1/db", "postgresql+asyncpg://u:***@h:1/db"),
        ("redis://:pw@h", "redis://:***@h"),
        ("amqp://u:p%40@h//, amqp://u:p@h2", "amqp://u:***@h//, amqp://u:***@h2"),
        ("http://h/a?x=1&api_key=abc&y=2", "http://h/a?x=1&api_key=***&y=2"),
        ("http://u@h:80/a:b@c", "http://u@h:80/a:b@c"),
        ("at 10:30@noon", "at 10:30@noon"),
        ("postgresql://u:p@ss@h/db", "postgresql://u:***@h/db"),
        ("https://h/c?sv=2022&sig=abc%3D&se=1", "https://h/c?sv=2022&sig=***&se=1"),
        ("Endpoint=sb://h/;SharedAccessKey=abc=;EntityPath=x", "Endpoint=sb://h/;SharedAccessKey=***;EntityPath=x"),
        (
            "DefaultEndpointsProtocol=https;AccountName=n;AccountKey=a+/b==",
            "DefaultEndpointsProtocol=https;AccountName=n;AccountKey=***",
        ),
        (
            'o.a.k.PlainLoginModule required username="u" password="p w";',
            'o.a.k.PlainLoginModule required username="u" password=***;',
        ),
        ("-Xmx1g -Djavax.net.ssl.keyStorePassword=x", "-Xmx1g -Djavax.net.ssl.keyStorePassword=***"),
        ("mode=r, monkey=banana", "mode=r, monkey=banana"),
    ],
)
def test_passwords_of_addresses_are_hidden(text: str, expected: str) -> None:
    assert without_passwords(text) == expected


def test_long_text_without_secrets_is_read_once() -> None:
    """It comes from clients, as paths and values in messages: no time may grow with the square of its length."""
    assert without_passwords("a" * 1_000_000 + " =") == "a" * 1_000_000 + " ="
    assert without_passwords("a" * 1_000_000 + " token=x") == "a" * 1_000_000 + " token=***"


def test_mappings_and_lists_are_looked_through() -> None:
    value = {"db": {"password": "x", "urls": ["a://u:p@h"]}, "tokens": ["t", None], "debug_secret": True}
    assert shown("", value) == {
        "db": {"password": "***", "urls": ["a://u:***@h"]},
        "tokens": ["***", None],
        "debug_secret": True,
    }


def test_private_keys_are_hidden_whatever_they_are_called() -> None:
    """``ssl.key.pem`` of a broker, and a key set that was given with more than its public halves."""
    pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n"
    public = "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n"
    keys = [{"kty": "oct", "kid": "a", "k": "c2VjcmV0"}, {"kty": "RSA", "n": "x", "e": "AQAB", "d": "y"}]
    assert shown("", {"ssl.key.pem": pem, "cut": pem[:40], "public_key": public, "jwks": {"keys": keys}}) == {
        "ssl.key.pem": "***\n",
        "cut": "***",
        "public_key": public,
        "jwks": {"keys": [{"kty": "oct", "kid": "a", "k": "***"}, {"kty": "RSA", "n": "x", "e": "AQAB", "d": "***"}]},
    }
