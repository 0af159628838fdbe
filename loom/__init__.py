"""loom: one typed kernel for REST, jobs, ETL and streaming.

Import from the public faces: `loom.core`, `loom.rest`, `loom.etl`, `loom.streaming` and `loom.testing`.
"""

__version__ = "0.1.0"
