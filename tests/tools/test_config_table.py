"""The page of the configuration is what its generator writes, and says something of every key."""

from __future__ import annotations

from typing import Literal

import attrs
import pytest
import yaml

from loom.config.loading import load
from loom.config.show import show
from loom.config.structure import structure
from tools.config_table import PAGE, Key, all_keys, keys_of, render


@attrs.frozen(kw_only=True)
class Inner:
    """Something inside.

    Attributes:
        size: how large it is,
            in pieces.
    """

    size: int


@attrs.frozen(kw_only=True)
class Outer:
    """Something.

    Attributes:
        mode: ``a`` or another.
        by_name: several of them.
    """

    mode: Literal["a", "b"] = "a"
    by_name: dict[str, int] | None = None
    inner: Inner


def test_the_page_is_what_the_generator_writes() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "write the page: python -m tools.config_table"


def test_every_key_is_described() -> None:
    assert [key.path for key in all_keys() if not key.text] == []


def test_keys_are_read_from_classes_with_type_default_and_description() -> None:
    assert list(keys_of(Outer, "x")) == [
        Key("x.mode", "`a` or `b`", '`"a"`', "``a`` or another."),
        Key("x.by_name", "keys and values or null", "`null`", "several of them."),
        Key("x.inner.size", "whole number", "(required)", "how large it is, in pieces."),
    ]


@pytest.mark.parametrize("section", ["rest", "persistence", "observability", "jobs", "outbox"])
def test_the_page_has_every_key_that_a_configuration_shows(section: str) -> None:
    shown = structure(load(overrides=["persistence.adapter=sqlalchemy"]))
    values = yaml.safe_load(show(shown))[section]
    named = {key.path for key in all_keys()}
    for name in values:
        if name != "adapter":
            assert any(path == f"{section}.{name}" or path.startswith(f"{section}.{name}.") for path in named), name
