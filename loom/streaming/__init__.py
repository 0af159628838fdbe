"""The public face of streaming: flows, steps, routes, batches, sinks, failure policies, and the runner."""

from loom.application.streaming.failure import Failed, dead_letter, fail, retry, skip
from loom.application.streaming.flow import FromTopic, Process, StreamFlow
from loom.application.streaming.graph import mermaid
from loom.application.streaming.nodes.batch import BatchStep
from loom.application.streaming.nodes.collect import CollectBatch
from loom.application.streaming.nodes.drain import Drain
from loom.application.streaming.nodes.each import ForEach
from loom.application.streaming.nodes.expand import ExpandStep
from loom.application.streaming.nodes.fork import Broadcast, Fork
from loom.application.streaming.nodes.into_table import IntoTable
from loom.application.streaming.nodes.into_topic import IntoTopic
from loom.application.streaming.nodes.record import RecordStep
from loom.application.streaming.nodes.router import Route, Router
from loom.config.streaming_runner import StreamingRunner
from loom.domain.expr import msg, payload
from loom.domain.message import Envelope, ErrorEnvelope, Origin
from loom.ports.streaming import FlowReport

__all__ = [
    "BatchStep",
    "Broadcast",
    "CollectBatch",
    "Drain",
    "Envelope",
    "ErrorEnvelope",
    "ExpandStep",
    "Failed",
    "FlowReport",
    "ForEach",
    "Fork",
    "FromTopic",
    "IntoTable",
    "IntoTopic",
    "Origin",
    "Process",
    "RecordStep",
    "Route",
    "Router",
    "StreamFlow",
    "StreamingRunner",
    "dead_letter",
    "fail",
    "mermaid",
    "msg",
    "payload",
    "retry",
    "skip",
]
