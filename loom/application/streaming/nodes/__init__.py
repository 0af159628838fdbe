"""One file for each kind of node: its declaration, how it compiles, and what it does when the flow runs."""
