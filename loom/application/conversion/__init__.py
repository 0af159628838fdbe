"""Strict conversion between plain data and typed values: the one converter that every edge uses."""
