"""The public face of ETL: steps, processes, pipelines, sources, targets, and the runner."""

from loom.application.etl.declare import ETLPipeline, ETLProcess, ETLStep
from loom.application.etl.files import FromFile, IntoFile
from loom.application.etl.from_table import FromTable
from loom.application.etl.graph import mermaid
from loom.application.etl.into_table import IntoTable
from loom.application.etl.params import ETLParams
from loom.application.etl.progress import (
    Progress,
    ProgressEvent,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
)
from loom.application.etl.temp import FromTemp, IntoTemp
from loom.config.etl_runner import ETLRunner
from loom.domain.expr import col, params
from loom.ports.etl import RunReport, RunState, StepOutcome, StepReport, TableState, TableStore

__all__ = [
    "ETLParams",
    "ETLPipeline",
    "ETLProcess",
    "ETLRunner",
    "ETLStep",
    "FromFile",
    "FromTable",
    "FromTemp",
    "IntoFile",
    "IntoTable",
    "IntoTemp",
    "Progress",
    "ProgressEvent",
    "RunFinished",
    "RunReport",
    "RunStarted",
    "RunState",
    "StepFinished",
    "StepOutcome",
    "StepReport",
    "StepStarted",
    "TableState",
    "TableStore",
    "col",
    "mermaid",
    "params",
]
