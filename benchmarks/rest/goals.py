"""What loom sets itself: the least ratio of its rate to that of the other programs."""

import attrs


@attrs.frozen
class Goal:
    """Least rates, against the hand-written FastAPI on each database and against the floor."""

    sqlite: float
    postgresql: float
    floor: float = 0.9

    def fastapi(self, database: str) -> float:
        return self.sqlite if database == "sqlite" else self.postgresql


GOALS = {
    "ping (no database)": Goal(2.1, 2.1),
    "get by id": Goal(1.45, 2.6),
    "get with owner and notes": Goal(2.1, 3.2),
    "list of 50, cursor": Goal(1.65, 2.6),
    "update (PATCH)": Goal(1.6, 2.25),
    "create (POST)": Goal(1.8, 3.2),
}
START_GOAL = 1.0
"""Most time to the first answer, as a part of the FastAPI program's."""
MEMORY_GOAL = 1.15
"""Most resident memory, as a part of the FastAPI program's."""
