"""Use cases: the declaration, its plan, and the executor that runs it in one scope."""
