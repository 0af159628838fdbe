"""What text without a model is taken for: no value becomes another one."""

from __future__ import annotations

import re

import pytest

from loom.application.etl.text import INFERRED, inferred_kind
from loom.domain.schema import Kind


def kind_of(*values: str) -> Kind:
    return inferred_kind({kind: all(re.search(form, each) for each in values) for kind, form in INFERRED.items()})


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (("1212092628029698048", "1212092628029698049"), Kind.INT),
        (("9223372036854775807", "-9223372036854775808", "0", "1000000000000000000"), Kind.INT),
        (("9223372036854775808",), Kind.STRING),
        (("-9223372036854775809",), Kind.STRING),
        (("12345678901234567890", "1"), Kind.STRING),
        (("9007199254740993", "1.5"), Kind.STRING),
        (("1", "1.5"), Kind.FLOAT),
        (("1e3", "-0.5"), Kind.FLOAT),
        (("007",), Kind.STRING),
    ],
)
def test_digits_stay_what_they_are(values: tuple[str, ...], kind: Kind) -> None:
    assert kind_of(*values) is kind
