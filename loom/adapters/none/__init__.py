"""No read cache: every read asks the store."""
