"""Each real part answers a round trip, and each own server keeps its data through kill -9."""

import uuid
from typing import TYPE_CHECKING

import pytest

from tests.servers.kafka import NewTopic, new_topic
from tests.servers.kafka_broker import KafkaBroker
from tests.servers.postgres import PostgresServer
from tests.servers.postgres_client import execute
from tests.servers.redis import RedisServer

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.mark.postgres
async def test_postgres_answers_through_sqlalchemy(fresh_postgres_url: str) -> None:
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(fresh_postgres_url)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE t (n int)"))
        await connection.execute(text("INSERT INTO t VALUES (1), (2)"))
        total = (await connection.execute(text("SELECT sum(n) FROM t"))).scalar_one()
    await engine.dispose()
    assert total == 3


@pytest.mark.postgres
def test_postgres_keeps_its_rows_when_killed(own_postgres: PostgresServer) -> None:
    execute(own_postgres.url, "CREATE TABLE kept AS SELECT 7 AS n")
    own_postgres.kill()
    own_postgres.start()
    assert execute(own_postgres.url, "SELECT n FROM kept") == 7


@pytest.mark.redis
def test_redis_answers(clean_redis_url: str) -> None:
    import redis

    with redis.Redis.from_url(clean_redis_url) as client:
        client.set("key", "value")
        assert client.get("key") == b"value"


@pytest.mark.redis
def test_redis_keeps_its_keys_when_killed(own_redis: RedisServer) -> None:
    import redis

    with redis.Redis.from_url(own_redis.url) as client:
        client.set("key", "value")
    own_redis.kill()
    own_redis.start()
    with redis.Redis.from_url(own_redis.url) as client:
        assert client.get("key") == b"value"


@pytest.mark.kafka
def test_kafka_carries_key_value_and_headers(kafka_brokers: str, kafka_topic: NewTopic) -> None:
    topic = kafka_topic("orders", partitions=3)
    _send(kafka_brokers, topic, [b"one", b"two"])
    assert sorted(_read(kafka_brokers, topic, count=2)) == [b"one", b"two"]


@pytest.mark.kafka
def test_kafka_hides_aborted_transactions(apache_kafka_brokers: str, kafka_topic: NewTopic) -> None:
    from confluent_kafka import Producer

    topic = kafka_topic()
    producer = Producer({"bootstrap.servers": apache_kafka_brokers, "transactional.id": uuid.uuid4().hex})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(topic, b"aborted")
    producer.flush(10)
    producer.abort_transaction(30)
    producer.begin_transaction()
    producer.produce(topic, b"committed")
    producer.commit_transaction(30)
    assert _read(apache_kafka_brokers, topic, count=1) == [b"committed"]


@pytest.mark.kafka
@pytest.mark.slow
def test_kafka_keeps_its_records_when_killed(own_kafka: KafkaBroker) -> None:
    topic = new_topic(own_kafka.bootstrap)
    _send(own_kafka.bootstrap, topic, [b"kept"])
    own_kafka.kill()
    own_kafka.start()
    assert _read(own_kafka.bootstrap, topic, count=1) == [b"kept"]


@pytest.mark.spark
def test_spark_counts(spark: "SparkSession") -> None:
    assert spark.range(1000).selectExpr("sum(id) AS total").first() == (499500,)


def _send(brokers: str, topic: str, values: list[bytes]) -> None:
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": brokers})
    for value in values:
        producer.produce(topic, value, key=b"k", headers=[("type", b"order")])
    assert producer.flush(20) == 0


def _read(brokers: str, topic: str, count: int) -> list[bytes]:
    from confluent_kafka import Consumer

    settings = {"bootstrap.servers": brokers, "group.id": uuid.uuid4().hex, "auto.offset.reset": "earliest"}
    consumer = Consumer(settings | {"isolation.level": "read_committed"})
    consumer.subscribe([topic])
    try:
        return [message.value() or b"" for message in consumer.consume(count, timeout=30)]
    finally:
        consumer.close()
