"""Cross-origin requests, by Starlette's own middleware."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from loom.adapters.fastapi.settings import CorsSettings


def add_cors(app: FastAPI, settings: CorsSettings) -> None:
    """Let pages of the named origins call the application; nothing is added where none is named."""
    if not settings.origins:
        return
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.origins,
        allow_methods=settings.methods,
        allow_headers=settings.headers,
        allow_credentials=settings.credentials,
        expose_headers=settings.expose,
        max_age=settings.max_age,
    )
