"""Topics on Apache Kafka, and on what speaks its protocol, through librdkafka."""
