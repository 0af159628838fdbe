"""REST: the same service written three times, asked the same questions."""
