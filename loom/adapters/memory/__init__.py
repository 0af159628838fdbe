"""Stores and brokers that live in this process: the embedded defaults, and the fakes that tests use."""
