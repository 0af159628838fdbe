"""What Python would accept of an expression, and do something else than was meant."""

from __future__ import annotations

import pytest

from loom.core import col, principal


def test_an_expression_is_no_list_of_values() -> None:
    with pytest.raises(TypeError, match="is an expression, not a list of values"):
        col("tenant_id").is_in(principal.tenants)
    with pytest.raises(TypeError, match="is an expression, not a list of values"):
        list(col("a"))


def test_an_expression_has_no_truth() -> None:
    with pytest.raises(TypeError, match="combine with &"):
        _ = col("a") == 1 and col("b") == 2
