"""Equal answers first: programs that answer differently cannot be compared."""

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.load import Call
from benchmarks.rest.asking import Ask
from benchmarks.rest.kinds import Kind

_LOOKED_AT = 3

AllCalls = Mapping[Kind, Mapping[str, Sequence[Call]]]
"""By kind, then by program."""


def differences(calls: AllCalls, asks: Mapping[str, Ask]) -> list[str]:
    """What differs in the first answers of each kind, byte by byte but for masked fields; nothing where all is well.

    Writes are done once in every program, in the same order, so their keys agree as well.
    """
    return [line for kind, by_program in calls.items() for line in _of_kind(kind, by_program, asks)]


def _of_kind(kind: Kind, calls: Mapping[str, Sequence[Call]], asks: Mapping[str, Ask]) -> Iterator[str]:
    for position in range(min(_LOOKED_AT, *map(len, calls.values()))):
        answers = {program: asks[program](found[position]).masked(kind.masked) for program, found in calls.items()}
        first, *others = answers
        if not 200 <= answers[first].status < 300:
            yield f"{kind.name}: {first} answers {answers[first].status}: {answers[first].body.decode()}"
        for other in others:
            if answers[other] != answers[first]:
                yield f"{kind.name}: {first} answers {answers[first]}, {other} {answers[other]}"
