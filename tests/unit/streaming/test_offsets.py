"""Laws of commits: never past a record that is not done, and not before everything derived from it is."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from loom.application.streaming.running.items import Item, Lineage, merged
from loom.application.streaming.running.offsets import OffsetTracker
from loom.domain.message import Envelope, Origin
from loom.ports.transport import ReceivedRecord, TopicRecord

records = st.lists(st.integers(0, 2), max_size=30)


def origins(partitions: list[int]) -> list[Origin]:
    """One record for each, with the offsets of its partition counting up."""
    counted = [partitions[:index].count(partition) for index, partition in enumerate(partitions)]
    return [Origin(topic="t", partition=p, offset=o) for p, o in zip(partitions, counted, strict=True)]


@given(records, st.data())
def test_a_commit_reaches_exactly_to_the_first_open_record(partitions: list[int], data: st.DataObject) -> None:
    found = origins(partitions)
    order = data.draw(st.permutations(range(len(found))))
    cut = data.draw(st.integers(0, len(found)))
    tracker, committed = OffsetTracker(), dict[int, int]()
    finish = [tracker.opened(origin)[0] for origin in found]
    for index in order[:cut]:
        finish[index]()
        for origin in tracker.committable():
            assert origin.offset > committed.get(origin.partition, -1)
            committed[origin.partition] = origin.offset
    still_open = {found[index] for index in order[cut:]}
    for partition in set(partitions):
        mine = [origin for origin in found if origin.partition == partition]
        first_open = next((origin.offset for origin in mine if origin in still_open), len(mine))
        assert committed.get(partition, -1) == first_open - 1
    assert tracker.committable() == []


def test_a_record_that_is_read_again_counts_from_its_new_reading() -> None:
    """After a rebalance the partition starts at the last commit; what was finished of the first reading is void."""
    tracker = OffsetTracker()
    old = [tracker.opened(Origin(topic="t", partition=0, offset=offset)) for offset in (5, 6, 7)]
    new = [tracker.opened(Origin(topic="t", partition=0, offset=offset)) for offset in (5, 6)]
    assert [again for _, again in (*old, *new)] == [False, False, False, True, True]
    for finish, _ in old:
        finish()
    assert tracker.committable() == []
    new[0][0]()
    assert [origin.offset for origin in tracker.committable()] == [5]
    assert tracker.waiting == 1


def item(done: Callable[[], None], offset: int = 0) -> Item:
    record = TopicRecord(topic="t", value=b"")
    source = ReceivedRecord(record=record, origin=Origin(topic="t", partition=0, offset=offset))
    return Item(Envelope(payload=offset), Lineage((source,), done))


@given(st.integers(1, 5), st.integers(0, 5), st.integers(1, 4))
def test_a_source_is_done_with_the_last_thing_that_was_made_of_it(batch: int, made: int, copies: int) -> None:
    """Through a merge, an expansion and copies; and exactly once."""
    done: list[int] = []
    items = [item(lambda n=n: done.append(n), n) for n in range(batch)]  # type: ignore[misc]
    lineage = merged(items)
    assert [source.origin.offset for source in lineage.sources] == list(range(batch))
    lineage.split(made)
    for _ in range(made):
        assert done == []
        lineage.split(copies)
        for _ in range(copies):
            assert done == []
            lineage.release()
    assert done == list(range(batch))
