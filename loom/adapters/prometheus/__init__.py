"""Metrics by the Prometheus client."""
