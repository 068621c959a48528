"""A server that fails as badly as one can: it answers with everything that it was sent."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import trustme

HOSTS = ("www.okx.com", "ws.okx.com", "*.okx.com")


@dataclass(slots=True)
class Echo:
    """Where it listens, the authority it is trusted by, and what it was sent.

    What stands in `answers` it answers as a server should.
    """

    address: str
    ca_file: Path
    heard: list[str] = field(default_factory=list)
    answers: dict[str, object] = field(default_factory=dict)


@contextmanager
def echoing(folder: Path, *, tls: bool) -> Iterator[Echo]:
    """Serve it on loopback from a thread, with `tls` as OKX's hosts."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*HOSTS).configure_cert(context)
    ca_file = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    echo = Echo(address="", ca_file=ca_file)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.echo()

        def do_POST(self) -> None:
            self.echo()

        def echo(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            said = f"{self.requestline} {dict(self.headers)} {self.rfile.read(length).decode()}"
            echo.heard.append(said)
            answer = echo.answers.get(self.path.partition("?")[0])
            if answer is not None:
                return self.tell(200, "OK", answer)
            line = said.replace("\r", " ").replace("\n", " ")
            self.tell(400, line, {"code": "50113", "msg": said, "data": [{"sMsg": said}]})

        def tell(self, status: int, line: str, answer: object) -> None:
            body = json.dumps(answer).encode()
            self.send_response(status, line)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.send_header("x-echo", line)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: what it would print is what nobody may read."""

    class Server(ThreadingHTTPServer):
        daemon_threads, block_on_close = True, False

    server = Server(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    echo.address = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield echo
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
