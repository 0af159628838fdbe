"""A flow can be drawn."""

from loom.application.compile import Issues
from loom.application.streaming.compiler import compile_flow
from loom.streaming import (
    CollectBatch,
    Drain,
    ErrorEnvelope,
    FromTopic,
    IntoTopic,
    Process,
    Route,
    Router,
    StreamFlow,
    mermaid,
    payload,
)
from loom.testing.contracts.streaming_bench import Given
from loom.testing.contracts.streaming_flows import Double, Order, Price, Priced, Sum, Total


def test_a_graph_shows_operators_routes_sinks_and_dead_letters() -> None:
    flow = StreamFlow(
        "orders",
        FromTopic("orders", payload=Order),
        Process(
            Router(
                Route(when=payload.amount > 10, process=Process(Double, Price, IntoTopic("big", payload=Priced))),
                Route(when=payload.note == 'say "no"', process=Drain()),
                default=Process(CollectBatch(5, 100), Sum, IntoTopic("sums", payload=Total)),
            )
        ),
        errors=IntoTopic("dlq", payload=ErrorEnvelope),
    )
    plan = compile_flow(flow, Issues(), Given({}))
    assert plan is not None
    assert mermaid(plan).splitlines() == [
        "flowchart LR",
        "    source[/\"FromTopic('orders')\"/]",
        '    s0{"Router"}',
        "    source --> s0",
        '    s0_when0_0["Double #gt; Price"]',
        '    s0 -->|"(payload.amount #gt; 10)"| s0_when0_0',
        "    s0_when0_2[\\\"IntoTopic('big')\"\\]",
        "    s0_when0_0 --> s0_when0_2",
        '    s0_when1_0[\\"Drain"\\]',
        "    s0 -->|\"(payload.note == 'say #quot;no#quot;')\"| s0_when1_0",
        '    s0_default_0["CollectBatch(5 records, 100 ms)"]',
        '    s0 -->|"otherwise"| s0_default_0',
        '    s0_default_1["Sum"]',
        "    s0_default_0 --> s0_default_1",
        "    s0_default_2[\\\"IntoTopic('sums')\"\\]",
        "    s0_default_1 --> s0_default_2",
        '    errors[\\"dead letters: dlq"\\]',
        "    source -.-> errors",
    ]
