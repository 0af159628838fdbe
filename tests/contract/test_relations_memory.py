"""The in-memory store keeps the contract of relations."""

from loom.adapters.json.codec import JsonCodec
from loom.adapters.memory.persistence import MemoryPersistence
from loom.adapters.memory.provide_persistence import provide
from loom.adapters.memory.settings_persistence import MemoryPersistenceSettings
from loom.testing.clock import FakeClock
from loom.testing.contracts.persistence_on_delete import OnDeleteContract
from loom.testing.contracts.persistence_relations import RelationContract


class TestMemoryRelations(RelationContract, OnDeleteContract):
    async def make_persistence(self, clock: FakeClock) -> MemoryPersistence:
        return provide(MemoryPersistenceSettings(), codec=JsonCodec(), clock=clock)
