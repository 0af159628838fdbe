"""Addresses: every one belongs to a user, and every path of theirs begins with that user."""

from loom.core import col, entity, field, key


@entity(table="addresses", soft_delete=True, checks={"country_of_two_letters": col("country").like("__")})
class Address:
    """Where orders go. One that was removed stays in its table, for the orders that went there."""

    id: int = key(autoincrement=True)
    user_id: int = field(references="users.id", index=True)
    street: str = field(max_length=100)
    city: str = field(max_length=60)
    country: str = field(max_length=2)
