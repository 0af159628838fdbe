"""The kernel: what the parts that every request passes cost beside the same by hand."""
