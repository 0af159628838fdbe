"""The outbox's way out: relay records to topics and job queues, at least once and in order per key."""
