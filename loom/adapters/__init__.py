"""One package for each outside thing. An adapter imports its own library and never another adapter."""
