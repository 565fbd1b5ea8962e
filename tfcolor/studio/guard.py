"""Who may talk to the studio: the page that it opened, and nobody else."""

import hmac

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp
from starlette.types import Receive
from starlette.types import Scope
from starlette.types import Send

# No script, style or picture from elsewhere, none within the page's text, and
# no frame around it.
_HEADERS = (
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; "
        "img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cache-control", "no-store"),
)


class Guard:
    """Refuses requests of others, and sets safe headers on every answer.

    The token is the first part of the path, so that whatever the page loads
    by a relative address has it and no cookie is needed: cookies would be
    sent to other servers of this machine too. The name in Host is checked
    because a foreign name may be made to point at 127.0.0.1, and Origin
    because any page of the browser may send requests here.

    Args:
        app: ASGI application. Sees the path without the token.
        token: str.
        port: int, of the address that the page is opened at.
    """

    def __init__(self, app: ASGIApp, *, token: str, port: int):
        self._app, self._token = app, token
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send):
        """Answers a request, or hands it on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        refused = self._refusal(Headers(scope=scope), scope["path"])
        app = self._app
        if refused is not None:
            app = PlainTextResponse(refused + "\n", status_code=403)
        elif scope["path"] == f"/{self._token}":
            # Relative addresses need the slash behind the token.
            app = RedirectResponse(f"/{self._token}/")
        else:
            rest = scope["path"][len(self._token) + 1 :]
            scope = scope | {"path": rest, "raw_path": rest.encode()}
        await app(scope, receive, _with_headers(send))

    def _refusal(self, headers: Headers, path: str) -> str | None:
        host, origin = headers.get("host", ""), headers.get("origin")
        if host not in self._hosts:
            return "This server answers 127.0.0.1 alone."
        if origin is not None and origin != f"http://{host}":
            return "Requests of other pages are refused."
        if headers.get("sec-fetch-site") not in (None, "same-origin", "none"):
            return "Requests of other pages are refused."
        token = path[1:].partition("/")[0].encode()
        if not hmac.compare_digest(token, self._token.encode()):
            return (
                "The address needs its token: use the one that `tfcolor "
                "studio` has printed."
            )
        return None


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message):
        if message["type"] == "http.response.start":
            given = [(k.encode(), v.encode()) for k, v in _HEADERS]
            message = message | {"headers": [*message["headers"], *given]}
        await send(message)

    return send_with_headers
