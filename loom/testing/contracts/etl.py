"""What every ``EtlEngine`` adapter must do. Subclass ``EtlContract``, say how the engine is opened, and run it.

    class TestMyEngine(EtlContract):
        def make_engine(self, folder: Path, files: Mapping[str, str]) -> EtlEngine[StepPlan]:
            return MyEngine(folder, files)

Needs pytest and narwhals. All steps are portable; each test has a lake of its own.
"""

from __future__ import annotations

from loom.testing.contracts.etl_rows import RowContract
from loom.testing.contracts.etl_runs import RunContract
from loom.testing.contracts.etl_tables import TableContract


class EtlContract(TableContract, RunContract, RowContract):
    """The whole contract: tables and write modes, runs and failures, rows, types and files."""
