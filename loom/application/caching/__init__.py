"""Reads of rows through a cache, in front of any store."""
