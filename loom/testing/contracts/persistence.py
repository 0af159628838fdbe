"""What every ``Persistence`` adapter must do. Subclass ``PersistenceContract``, say how the store is opened, run it.

    class TestMyPersistence(PersistenceContract):
        async def make_persistence(self, clock: FakeClock) -> Persistence:
            return MyPersistence(..., clock=clock)

Needs pytest and pytest-asyncio. Each test expects tables without rows; how they get empty is the adapter's affair.
"""

from __future__ import annotations

from loom.testing.contracts.persistence_answers import AnswersContract
from loom.testing.contracts.persistence_bulk import BulkContract
from loom.testing.contracts.persistence_guarded import ConstraintContract, SoftDeleteContract, VersionContract
from loom.testing.contracts.persistence_outbox import JobStatusContract, OutboxContract
from loom.testing.contracts.persistence_picks import PickContract
from loom.testing.contracts.persistence_queries import QueryContract
from loom.testing.contracts.persistence_repository import RepositoryContract
from loom.testing.contracts.persistence_units import UnitOfWorkContract


class PersistenceContract(
    RepositoryContract,
    BulkContract,
    QueryContract,
    PickContract,
    VersionContract,
    SoftDeleteContract,
    ConstraintContract,
    UnitOfWorkContract,
    OutboxContract,
    AnswersContract,
    JobStatusContract,
):
    """The whole contract: rows, queries, versions, soft deletion, constraints, units of work, outbox and inbox,
    idempotency keys, job states."""
