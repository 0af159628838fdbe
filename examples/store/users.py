"""The users of the shop. Those who run it see and change them by the generated operations."""

from loom.core import entity, field, key


@entity(table="users", timestamps=True, version=True)
class User:
    """Somebody who orders."""

    id: int = key(autoincrement=True)
    email: str = field(max_length=100, unique=True)
    name: str = field(max_length=100)
