"""The web server: Uvicorn, with a drain before its end."""
