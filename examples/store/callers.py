"""Who calls, as the shop sees it."""

from loom.core import Forbidden, Principal

MANAGE = "store:manage"
"""The grant of those who run the shop."""


def user_of(caller: Principal) -> int:
    """The number of the user who calls.

    Raises:
        Forbidden: the credentials stand for nobody who could order.
    """
    found = caller.claims.get("user_id")
    if not isinstance(found, int):
        raise Forbidden("the credentials stand for no user of the shop")
    return found
