"""HTTP on FastAPI: the shell is FastAPI's, the routes inside are plain Starlette routes that run compiled plans."""
