"""Strict conversion between plain data and typed values: the one converter that every edge uses."""

from loom.application.conversion.converter import Converter, make_converter

__all__ = ["Converter", "make_converter"]
