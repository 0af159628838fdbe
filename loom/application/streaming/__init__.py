"""Streaming flows: declared as typed nodes, compiled into a plan, bound to ports, run by an engine.

The four rooms: ``flow.py`` and the node files declare; ``compiler.py`` makes the plan; ``bind.py`` gives it its ports;
``running/`` holds what every engine executes in the same way. A kind of node is one file in ``nodes/``, which declares
it, says how it compiles, and says what it does to records.
"""
