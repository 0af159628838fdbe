"""REST: interfaces, their expansion into use cases, the plan that an HTTP adapter serves, and its OpenAPI document."""
