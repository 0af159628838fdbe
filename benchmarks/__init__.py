"""Benchmarks: loom beside hand-written code, in one run, as ratios."""
