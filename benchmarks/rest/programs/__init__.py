"""The three programs. Each module has ``build(url)``, the ASGI application, and ``seed(url, amount)``."""
