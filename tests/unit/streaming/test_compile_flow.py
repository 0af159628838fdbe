"""What a flow may not be: each fault is one issue with code, place, text and remedy, and all come together."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest

from loom.application.compile import Issues
from loom.application.streaming.compiler import compile_flow
from loom.application.streaming.flow import AnyNode
from loom.application.streaming.nodes.record import ChainPlan
from loom.core import CompileError, entity, key
from loom.domain.errors import Issue
from loom.streaming import (
    BatchStep,
    Broadcast,
    CollectBatch,
    Drain,
    Envelope,
    ErrorEnvelope,
    ExpandStep,
    ForEach,
    Fork,
    FromTopic,
    IntoTable,
    IntoTopic,
    Process,
    RecordStep,
    Route,
    Router,
    StreamFlow,
    dead_letter,
    msg,
    payload,
    skip,
)
from loom.testing.contracts.streaming_bench import Given

HERE = Path(__file__).name


@attrs.frozen
class Address:
    city: str


@attrs.frozen
class Order:
    id: int
    amount: int
    address: Address


@attrs.frozen
class Rush(Order):
    hours: int


@attrs.frozen
class Review:
    id: int
    reason: str


@entity(table="reviews")
class StoredReview:
    id: int = key()
    reason: str
    reviewer: str
    stars: int = 0


class Mailer:
    """Something that a step may ask for."""


class Keep(RecordStep[Order, Order]):
    def process(self, payload: Order) -> Order:
        return payload


class ReviewOrder(RecordStep[Order, Review]):
    def process(self, payload: Order) -> Review:
        return Review(payload.id, "large")


class Publish(RecordStep[Review, None]):
    def process(self, payload: Review) -> None:
        """Ends the path."""


class Sum(BatchStep[Order, Review]):
    def process(self, batch: Sequence[Order]) -> Review:
        return Review(0, "sum")


def issues_of(*nodes: AnyNode, **given: Any) -> list[Issue]:
    flow = StreamFlow("orders", FromTopic("orders", payload=Order), Process(*nodes), **given)
    return compile_issues(flow)


def compile_issues(flow: StreamFlow) -> list[Issue]:
    issues = Issues()
    plan = compile_flow(flow, issues, Given({}))
    assert (plan is None) == bool(issues.found)
    return issues.found


def text(issue: Issue) -> tuple[str, str, str]:
    return issue.code, issue.message, issue.remedy


def only(found: list[Issue]) -> tuple[str, str, str]:
    assert len(found) == 1, found
    return text(found[0])


def test_payload_types_that_do_not_meet() -> None:
    assert only(issues_of(ReviewOrder, Keep, IntoTopic("out", payload=Order))) == (
        "LOOM-STREAM-010",
        "Keep takes Order, but ReviewOrder gives Review",
        "put a step between them that makes Order of Review",
    )


def test_a_sink_of_another_type() -> None:
    assert only(issues_of(Keep, IntoTopic("out", payload=Review))) == (
        "LOOM-STREAM-010",
        "IntoTopic('out') takes Review, but Keep gives Order",
        "put a step between them that makes Review of Order",
    )


def test_a_subclass_meets_its_base_and_not_the_other_way_round() -> None:
    class Hurry(RecordStep[Order, Rush]):
        def process(self, payload: Order) -> Rush:
            return Rush(payload.id, payload.amount, payload.address, hours=1)

    class OnlyRush(RecordStep[Rush, Order]):
        def process(self, payload: Rush) -> Order:
            return payload

    assert issues_of(Hurry, Keep, IntoTopic("out", payload=Order)) == []
    assert only(issues_of(OnlyRush, Drain()))[1] == "OnlyRush takes Rush, but FromTopic('orders') gives Order"


def test_an_unknown_field_in_a_route() -> None:
    router = Router(Route(when=payload.amonut > 100, process=Drain()), default=Drain())
    assert only(issues_of(router)) == (
        "LOOM-STREAM-014",
        "payload.amonut does not exist",
        "did you mean 'amount'?",
    )


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (payload.address.town == "Bonn", "payload.address.town does not exist"),
        (payload.amount.deep == 1, "payload.amount.deep does not exist"),
        (msg.keys == "a", "msg.keys does not exist"),
        (msg.headers == "a", "msg.headers does not exist"),
        (payload.amount == "ten", "(payload.amount == 'ten') joins int with string"),
        (payload.amount + 1, "(payload.amount + 1) is int, but a condition is needed"),
    ],
)
def test_conditions_that_cannot_be(condition: Any, message: str) -> None:
    router = Router(Route(when=condition, process=Drain()), default=Drain())
    assert [issue.message for issue in issues_of(router)] == [message]


def test_conditions_over_nested_fields_and_the_message() -> None:
    condition = (payload.address.city == "Bonn") & (msg.key == "a") & (msg.headers["from"] == "web")
    assert issues_of(Router(Route(when=condition, process=Drain()), default=Drain())) == []


def test_an_unknown_field_in_a_key() -> None:
    assert only(issues_of(IntoTopic("out", payload=Order, key=payload.idd))) == (
        "LOOM-STREAM-014",
        "field 'idd' does not exist",
        "did you mean 'id'?",
    )


def test_a_node_after_a_sink() -> None:
    assert only(issues_of(IntoTopic("out", payload=Order), Keep)) == (
        "LOOM-STREAM-005",
        "Keep stands behind IntoTopic('out'), which gives nothing to the next node",
        "move it in front, or send a copy aside with Fork(Process(...))",
    )


def test_a_node_after_a_router_and_after_a_step_that_ends() -> None:
    after_router = issues_of(Router(Route(when=payload.id == 1, process=Drain()), default=Drain()), Drain())
    assert only(after_router)[1] == "Drain stands behind Router, which gives nothing to the next node"
    assert only(issues_of(ReviewOrder, Publish, Drain()))[1].startswith("Drain stands behind Publish")


def test_a_path_that_ends_in_the_open() -> None:
    assert only(issues_of(ReviewOrder)) == (
        "LOOM-STREAM-006",
        "the path ends at ReviewOrder, and what it gives (Review) goes nowhere",
        "end the path with IntoTopic(...), IntoTable(...) or Drain()",
    )
    assert "the path ends at Fork, and what it gives (Order)" in only(issues_of(Fork(Drain())))[1]
    assert "gives (batches of Order)" in only(issues_of(CollectBatch(10, 10)))[1]


def test_records_and_batches_in_the_wrong_place() -> None:
    assert only(issues_of(Sum, Drain())) == (
        "LOOM-STREAM-009",
        "Sum takes batches, but FromTopic('orders') gives records",
        "put CollectBatch(max_records=..., timeout_ms=...) between them",
    )
    assert only(issues_of(CollectBatch(10, 10), Keep, Drain())) == (
        "LOOM-STREAM-009",
        "Keep takes records, but CollectBatch gives batches",
        "put ForEach() between them",
    )
    assert only(issues_of(CollectBatch(10, 10), CollectBatch(5, 5), ForEach(), Drain()))[1] == (
        "CollectBatch takes records, but CollectBatch gives batches"
    )


def test_a_router_without_a_default_and_one_without_routes() -> None:
    assert only(issues_of(Router(Route(when=payload.id == 1, process=Drain())))) == (
        "LOOM-STREAM-017",
        "the Router has no default, so records that meet no condition would vanish",
        "add default=Process(...), or default=Drain() to drop them",
    )
    assert only(issues_of(Router(default=Drain())))[1] == "the Router has no routes"


def test_a_broadcast_to_one_path_an_empty_process_and_impossible_batches() -> None:
    assert only(issues_of(Broadcast(Drain())))[:2] == ("LOOM-STREAM-018", "Broadcast has 1 paths")
    assert only(issues_of())[:2] == ("LOOM-STREAM-003", "the process has no nodes")
    assert [issue.message for issue in issues_of(CollectBatch(0, -5), ForEach(), Drain())] == [
        "max_records of CollectBatch is 0",
        "timeout_ms of CollectBatch is -5",
    ]


def test_two_steps_of_one_name() -> None:
    assert only(issues_of(Keep, Keep, Drain())) == (
        "LOOM-STREAM-011",
        "two steps of flow orders are called 'Keep'",
        "subclass one of them, or give it a name of its own: name = ...",
    )


def test_a_dead_letter_without_a_topic() -> None:
    class Careful(Keep):
        on_error = dead_letter()

    assert only(issues_of(Careful, Drain())) == (
        "LOOM-STREAM-015",
        "dead_letter() names no topic, and flow orders has no error route",
        'write dead_letter("topic"), or StreamFlow(..., errors=IntoTopic("...", payload=ErrorEnvelope))',
    )
    assert issues_of(Careful, Drain(), errors=IntoTopic("dlq", payload=ErrorEnvelope)) == []


def test_a_policy_that_was_not_called() -> None:
    class Forgetful(Keep):
        on_error = skip  # type: ignore[assignment]

    assert only(issues_of(Forgetful, Drain())) == (
        "LOOM-STREAM-021",
        "on_error is skip, which is no failure policy",
        "write fail(), skip(), dead_letter(), or retry(3, then=...)",
    )


def test_a_condition_that_was_decided_in_python() -> None:
    router = Router(Route(when=True, process=Drain()), default=Drain())  # type: ignore[arg-type]
    assert only(issues_of(router))[:2] == ("LOOM-STREAM-014", "True is no condition")


def test_a_flow_that_writes_what_it_reads() -> None:
    text = "flow orders reads 'orders', and IntoTopic('orders') writes into it: records would come round for ever"
    assert only(issues_of(IntoTopic("orders", payload=Order)))[:2] == ("LOOM-STREAM-022", text)
    assert only(issues_of(Drain(), errors=IntoTopic("orders", payload=ErrorEnvelope)))[1] == text


def test_an_error_route_that_takes_something_else() -> None:
    assert only(issues_of(Drain(), errors=IntoTopic("dlq", payload=Order))) == (
        "LOOM-STREAM-007",
        "the error route is IntoTopic('dlq'), which does not take ErrorEnvelope",
        'write errors=IntoTopic("...", payload=ErrorEnvelope)',
    )


def test_a_constructor_argument_that_nobody_gives() -> None:
    class Mailing(Keep):
        def __init__(self, mailer: Mailer, subject: str = "order") -> None:
            self.mailer = mailer

    assert only(issues_of(Mailing, Drain())) == (
        "LOOM-STREAM-013",
        "nothing is bound to Mailer, which Mailing(mailer: ...) asks for",
        "bind it: kernel.bind(Type, instance)",
    )


def test_a_process_method_that_says_too_little() -> None:
    class Silent(RecordStep[Order, Order]):
        def process(self, payload):  # type: ignore[no-untyped-def]
            return payload

    class Greedy(RecordStep[Order, Order]):
        def process(self, payload: Order, more: int = 0) -> Order:
            return payload

    class One(ExpandStep[Order, Order]):
        def process(self, payload: Order) -> Order:  # type: ignore[override]
            return payload

    assert only(issues_of(Silent, Drain()))[:2] == (
        "LOOM-STREAM-012",
        "Silent.process has no annotation for payload and return",
    )
    assert only(issues_of(Greedy, Drain()))[1] == "Greedy.process takes 2 arguments besides self"
    assert only(issues_of(One, Drain()))[1] == "One.process returns Order, but an ExpandStep returns many"
    assert only(issues_of(Keep(), Drain()))[1:] == (  # type: ignore[arg-type]
        "Keep(...) is an object",
        "write the class, Keep; the container builds it",
    )


def test_a_table_that_cannot_be_written() -> None:
    assert only(issues_of(IntoTable(Review))) == (
        "LOOM-STREAM-019",
        "IntoTable cannot write: Review is not an entity",
        "give it a class that has @entity(table=...)",
    )
    assert only(issues_of(ReviewOrder, IntoTable(StoredReview))) == (
        "LOOM-STREAM-020",
        "Review has no reviewer, which StoredReview needs",
        "add it to Review, or put a step in front that makes StoredReview of it",
    )


def test_something_that_is_no_node() -> None:
    found = issues_of(object())  # type: ignore[arg-type]
    assert only(found)[:2] == ("LOOM-STREAM-002", "node 'object' does not exist")
    assert "RecordStep" in found[0].remedy


def test_a_source_that_cannot_be_decoded_and_one_that_is_none() -> None:
    bad = StreamFlow("f", FromTopic("t", payload=int), Process(Drain()))
    assert only(compile_issues(bad))[:2] == (
        "LOOM-STREAM-008",
        "FromTopic('t') cannot decode into int: int is not an attrs class",
    )
    none = StreamFlow("f", IntoTopic("t", payload=Order), Process(Drain()))  # type: ignore[arg-type]
    assert only(compile_issues(none))[:2] == ("LOOM-STREAM-004", "IntoTopic is no source")


def test_all_faults_come_together_with_their_places() -> None:
    """Types, routes and sinks of every branch, in one error, before anything has started."""
    router = Router(
        Route(when=payload.amonut > 100, process=Process(ReviewOrder, IntoTopic("review", payload=Order), Drain())),
        default=Process(CollectBatch(10, 10), Keep, IntoTopic("out", payload=Order)),
    )
    found = issues_of(router)
    assert [issue.code for issue in found] == [
        "LOOM-STREAM-014",
        "LOOM-STREAM-010",
        "LOOM-STREAM-005",
        "LOOM-STREAM-009",
    ]
    assert {Path(issue.where.file).name for issue in found} == {HERE}
    lines = Path(__file__).read_text().splitlines()
    assert "router = Router(" in lines[found[0].where.line - 1]
    assert "IntoTopic(" in lines[found[1].where.line - 1]
    assert "class Keep" in lines[found[3].where.line - 1]
    error = CompileError(found)
    assert error.message.startswith("4 compile issues\nLOOM-STREAM-014 ")


def test_neighbouring_record_steps_are_one_operator() -> None:
    class Again(Keep):
        pass

    class Whole(RecordStep[Envelope[Order], Envelope[Review]]):
        def process(self, payload: Envelope[Order]) -> Envelope[Review]:
            raise NotImplementedError

    flow = StreamFlow("f", FromTopic("t", payload=Order), Process(Keep, Fork(Drain()), Again, Whole, Publish))
    plan = compile_flow(flow, Issues(), Given({}))
    assert plan is not None
    chains = [stage for stage in plan.stages() if isinstance(stage, ChainPlan)]
    assert [chain.title for chain in chains] == ["Keep", "Again > Whole > Publish"]
    assert len({stage.id for stage in plan.stages()}) == len(list(plan.stages()))
