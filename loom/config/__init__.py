"""From YAML to running adapters: the only layer that knows every other."""
