"""A read cache in Redis, shared by all processes of a deployment."""
