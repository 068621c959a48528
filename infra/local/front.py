"""The API's HTTPS address: `python -m local.front --upstream URL --certificate FILE`.

A reverse proxy on loopback before the REST gateway of the twin's AWS, whose own path changes with
the deployment.
"""

import argparse
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import ClientError, ClientSession, ClientTimeout, web

MAX_BODY_BYTES = 1024 * 1024
UPSTREAM = web.AppKey("upstream", str)
SESSION = web.AppKey("session", ClientSession)
# They speak of one connection and not of the message; the lengths are set anew.
HOP_BY_HOP = frozenset(
    {
        "connection",
        "content-encoding",
        "content-length",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


def main() -> None:
    """Serve until SIGTERM."""
    arguments = _arguments()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(arguments.certificate)
    web.run_app(
        front(arguments.upstream),
        host="127.0.0.1",
        port=arguments.port,
        ssl_context=context,
        access_log=None,
        shutdown_timeout=1.0,
        print=None,
    )


def front(upstream: str) -> web.Application:
    """The proxy as an application: every path goes to `upstream` followed by it."""
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app[UPSTREAM] = upstream.rstrip("/")
    app.cleanup_ctx.append(_session)
    app.router.add_route("*", "/{path:.*}", _forward)
    return app


async def _session(app: web.Application) -> AsyncIterator[None]:
    async with ClientSession(timeout=ClientTimeout(total=35), auto_decompress=True) as session:
        app[SESSION] = session
        yield


async def _forward(request: web.Request) -> web.Response:
    headers = {
        name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP
    }
    try:
        async with request.app[SESSION].request(
            request.method,
            request.app[UPSTREAM] + request.rel_url.raw_path,
            params=request.rel_url.query,
            headers=headers,
            data=await request.read() or None,
            skip_auto_headers=("Content-Type", "User-Agent"),
            allow_redirects=False,
        ) as answer:
            body = await answer.read()
            kept = [(n, v) for n, v in answer.headers.items() if n.lower() not in HOP_BY_HOP]
            return web.Response(status=answer.status, headers=dict(kept), body=body)
    except web.HTTPRequestEntityTooLarge:
        return _refused(413, f"the body must be at most {MAX_BODY_BYTES} bytes")
    except (ClientError, TimeoutError):
        return _refused(502, "the API does not answer; it is restarted if it ended")


def _refused(status: int, error: str) -> web.Response:
    """In the envelope of the API itself."""
    return web.json_response({"success": False, "error": error, "details": []}, status=status)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.front", description=__doc__)
    parser.add_argument("--upstream", required=True, help="URL of the deployed stage")
    parser.add_argument("--certificate", type=Path, required=True, help="key and certificate, PEM")
    parser.add_argument("--port", type=int, default=8443)
    return parser.parse_args()


if __name__ == "__main__":
    main()
