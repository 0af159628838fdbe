"""What every ``Topics`` adapter must do. Subclass ``TopicsContract``, say how the broker is opened, and run it.

    class TestMyTopics(TopicsContract):
        def make_topics(self) -> Topics:
            return MyTopics(...)

Needs pytest and pytest-asyncio. Every test uses topics and groups of its own, so one broker may serve many runs.
"""

from __future__ import annotations

from loom.testing.contracts.topics_groups import TopicGroupsContract
from loom.testing.contracts.topics_records import TopicRecordsContract


class TopicsContract(TopicRecordsContract, TopicGroupsContract):
    """The whole contract: records and their order, groups, commits, and changing members."""
