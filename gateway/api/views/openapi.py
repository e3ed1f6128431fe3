"""The API's own description."""

from typing import Any

from fastapi import Request


async def openapi(request: Request) -> dict[str, Any]:
    """Return the OpenAPI document of this API."""
    document: dict[str, Any] = request.app.openapi()
    document.setdefault("components", {})["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    return document
