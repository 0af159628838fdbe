"""A shop's API: users, their addresses, products, orders, events and a job. ``python -m examples.store`` serves it."""
