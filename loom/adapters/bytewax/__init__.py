"""Flows on Bytewax: the same plan as a Bytewax dataflow, over whatever ``Topics`` the flow is bound to."""
