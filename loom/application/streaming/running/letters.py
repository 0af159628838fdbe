"""Dead letters: the source record as it came, and why it could not be handled.

Letters wait until something is to be committed, and are then sent together. A record counts as done only when the
broker holds its letter, so that a crash in between costs a second attempt and nothing else. A source record has one
letter from each step, however many things that were made of it failed there.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

import attrs

from loom.application.streaming.running.fault import Fault, fault_of
from loom.application.streaming.running.notes import Notes
from loom.application.streaming.running.outage import World
from loom.application.streaming.running.tally import Tally
from loom.domain.errors import LoomError, RecordRefused, StepFailed
from loom.domain.message import ATTEMPTS_HEADER, FAILED_FLOW_HEADER, FIRST_FAILED_HEADER, ErrorEnvelope, Origin
from loom.ports.clock import Clock
from loom.ports.codec import Codec
from loom.ports.transport import ReceivedRecord, TopicProducer, TopicRecord, to_bytes, to_text

_LONGEST_TEXT = 10_000
_SHORT_TEXT = 500
_MOST_WAITING = 500
_MOST_BYTES = 8_000_000
# So many records are remembered as told, which is far more than are ever under way between two commits.
_MOST_TOLD = 10_000
_OURS = (ATTEMPTS_HEADER, FIRST_FAILED_HEADER, FAILED_FLOW_HEADER)


@attrs.define(eq=False)
class _Waiting:
    """A letter that has not been sent. ``written`` is called when it is."""

    topic: str
    letter: ErrorEnvelope
    written: Callable[[], None]
    shortened: int = 0


@attrs.define(eq=False)
class Letters:
    """Collects and sends dead letters. ``route`` is the flow's own topic for them."""

    flow: str
    producer: TopicProducer
    codec: Codec
    clock: Clock
    tally: Tally
    notes: Notes
    world: World
    route: str | None
    _waiting: list[_Waiting] = attrs.field(factory=list, init=False)
    _bytes: int = attrs.field(default=0, init=False)
    _told: OrderedDict[tuple[Origin, str], None] = attrs.field(factory=OrderedDict, init=False)

    async def add(
        self,
        topic: str | None,
        failed: Sequence[ReceivedRecord],
        *,
        step: str,
        error: Exception,
        attempts: int,
        done: Callable[[], None],
    ) -> None:
        """Take one letter for each source record; ``done`` is called when the broker holds them all."""
        target = topic or self.route or ""
        new = [record for record in failed if self._is_new(record, step)]
        if not new:
            done()
            return
        left = [len(new)]

        def written() -> None:
            left[0] -= 1
            if left[0] == 0:
                done()

        for record in new:
            self.notes.dead_letter(step, record, target, error)
            self._waiting.append(_Waiting(target, self._letter(record, step, error, attempts), written))
            self._bytes += len(record.record.value)
        if len(self._waiting) >= _MOST_WAITING or self._bytes >= _MOST_BYTES:
            await self.flush()

    async def flush(self) -> None:
        """Send what waits; returns when the broker holds it.

        Raises:
            EngineFailure: the broker was away for too long.
            RecordRefused: the topic does not even take a letter without its value.
        """
        while self._waiting:
            await self.world.through(f"sending {len(self._waiting)} dead letters", self._send)

    async def _send(self) -> None:
        sent = list(self._waiting)
        failed = await self.producer.deliver([self._record(one) for one in sent])
        left: list[_Waiting] = []
        for index, one in enumerate(sent):
            error = failed.get(index)
            if error is None:
                self.tally.dead_letters += 1
                one.written()
            else:
                left.append(_shortened(one, error) if isinstance(error, RecordRefused) else one)
        self._waiting[: len(sent)] = left
        self._bytes = sum(len(one.letter.value) for one in self._waiting)
        for error in failed.values():
            if fault_of(error, by_user=False) is not Fault.RECORD:
                raise error

    def _is_new(self, record: ReceivedRecord, step: str) -> bool:
        known = (record.origin, step)
        if known in self._told:
            return False
        self._told[known] = None
        if len(self._told) > _MOST_TOLD:
            self._told.popitem(last=False)
        return True

    def _record(self, one: _Waiting) -> TopicRecord:
        letter = one.letter
        headers = {name: text for name, text in letter.headers.items() if name not in letter.binary_headers}
        exact = {name: to_text(data) for name, data in letter.binary_headers.items()}
        key = to_text(letter.binary_key) if letter.binary_key is not None else letter.key
        return TopicRecord(topic=one.topic, value=self.codec.encode(letter), key=key, headers={**headers, **exact})

    def _letter(self, received: ReceivedRecord, step: str, error: Exception, attempts: int) -> ErrorEnvelope:
        record, origin, now = received.record, received.origin, self.clock.now()
        key, binary_key = (None, None) if record.key is None else _readable(record.key)
        readable = {name: _readable(value) for name, value in record.headers.items()}
        earlier = _earlier(record.headers, self.flow)
        headers = {
            **{name: text for name, (text, _) in readable.items()},
            ATTEMPTS_HEADER: str(earlier + attempts),
            FIRST_FAILED_HEADER: (earlier and record.headers.get(FIRST_FAILED_HEADER)) or now.isoformat(),
            FAILED_FLOW_HEADER: self.flow,
        }
        return ErrorEnvelope(
            topic=origin.topic,
            partition=origin.partition,
            offset=origin.offset,
            key=key,
            value=record.value,
            headers=headers,
            code=error.code if isinstance(error, LoomError) else StepFailed.code,
            message=_text(error),
            step=step,
            attempts=earlier + attempts,
            failed_at=now,
            binary_key=binary_key,
            binary_headers={name: data for name, (_, data) in readable.items() if data is not None},
        )


def _readable(text: str) -> tuple[str, bytes | None]:
    """Text that every codec can write, and the exact bytes where that is not what came."""
    try:
        text.encode()
    except UnicodeEncodeError:
        data = to_bytes(text)
        return data.decode("utf-8", "backslashreplace"), data
    return text, None


def _text(error: Exception) -> str:
    text = f"{type(error).__name__}: {error}"
    if len(text) > _LONGEST_TEXT:
        text = f"{text[:_LONGEST_TEXT]} ... ({len(text)} characters)"
    # It may repeat a part of a key that is no text.
    return text.encode("utf-8", "backslashreplace").decode()


def _earlier(headers: Mapping[str, str], flow: str) -> int:
    """How often the record failed in this flow before it was sent again."""
    text = headers.get(ATTEMPTS_HEADER, "")
    ours = headers.get(FAILED_FLOW_HEADER) == flow
    return int(text) if ours and text.isdecimal() and text.isascii() and len(text) < 10 else 0


def _shortened(one: _Waiting, error: RecordRefused) -> _Waiting:
    """The same letter without its value, or, where that was not enough, without key and headers either.

    Raises:
        RecordRefused: there is nothing left to leave out.
    """
    letter = one.letter
    if one.shortened == 0:
        where = f"{letter.topic}[{letter.partition}]@{letter.offset}"
        note = f" [the letter was too large: {len(letter.value)} bytes of value were left out; read them at {where}]"
        letter = attrs.evolve(letter, cut=True, value=b"", message=letter.message[:_SHORT_TEXT] + note)
    elif one.shortened == 1:
        kept = {name: letter.headers[name] for name in _OURS}
        letter = attrs.evolve(letter, key=None, headers=kept, binary_key=None, binary_headers={})
    else:
        raise error
    return _Waiting(one.topic, letter, one.written, one.shortened + 1)
