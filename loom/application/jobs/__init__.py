"""Jobs: use cases that run in a queue. The declaration, its plan, dispatch, and the runner of the workers."""
