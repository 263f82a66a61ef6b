"""The bare limit of `bench feed`: an ASGI application that returns bytes from memory and does nothing else."""

import os

_BODY = b"x" * int(os.environ["BYTES"])
_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(_BODY)).encode())],
}


async def app(scope, receive, send):
    if scope["type"] == "http":
        await send(_START)
        await send({"type": "http.response.body", "body": _BODY})
