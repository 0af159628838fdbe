"""Structured logging by structlog."""
