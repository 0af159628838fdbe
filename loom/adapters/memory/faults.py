"""Failures as inputs of a test: the next call that reaches a point raises what the test says."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable


class Faults:
    """Named points of an adapter at which a test lets calls fail.

    Args:
        points: the names that exist.
    """

    def __init__(self, points: Iterable[str]) -> None:
        self._waiting: dict[str, deque[Exception]] = {point: deque() for point in points}

    def inject(self, point: str, error: Exception, *, times: int = 1) -> None:
        """Let the next ``times`` calls that reach the point raise the error.

        Raises:
            ValueError: there is no such point, or no call is to fail.
            TypeError: the error is none that could be raised.
        """
        if point not in self._waiting:
            raise ValueError(f"there is no point {point!r}; there are {', '.join(self._waiting)}")
        given: object = error
        if not isinstance(given, Exception):
            raise TypeError(
                f'{error!r} cannot be raised; give an exception, as in inject({point!r}, Unavailable("gone"))'
            )
        if times < 1:
            raise ValueError(f"{times} calls are to fail; the next one is times=1")
        self._waiting[point].extend([error] * times)

    def reach(self, point: str) -> None:
        """Raise what was injected at the point, if anything."""
        if self._waiting[point]:
            raise self._waiting[point].popleft()
