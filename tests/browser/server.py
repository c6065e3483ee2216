"""A web server on the loopback interface that remembers what it was asked."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Protocol, Self
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Request:
    """path: decoded, below the site's base, without a leading `/`; accept_encoding, accept: the headers."""

    path: str
    accept_encoding: str = ""
    accept: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, as it goes over the wire."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was asked and answered. target: path and query as sent; size: of the body on the wire, in bytes."""

    target: str
    status: int
    content_encoding: str
    cache_control: str
    content_type: str
    size: int


class Hosting(Protocol):
    """A rule by which requests are answered."""

    def answer(self, request: Request) -> Response: ...


class Server:
    """Serves one site below `base` on a free port, until closed.

    It answers in HTTP/1.0, one request a connection: a browser keeps no open connection on which a closed
    server would go on answering.
    """

    def __init__(self, hosting: Hosting, base: str = "/") -> None:
        self.hosting = hosting
        self.base = base
        self._exchanges: list[Exchange] = []
        self._lock = threading.Lock()
        self._http = _Listener(("127.0.0.1", 0), self)
        self.origin = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop answering. A second call does nothing."""
        if self._thread.is_alive():
            self._http.shutdown()
            self._thread.join()
            self._http.server_close()

    def url(self, path: str) -> str:
        """The address of a path relative to the base, such as `about/`."""
        return self.origin + self.base + path

    def exchanges(self, since: int = 0) -> list[Exchange]:
        """All exchanges from the one with number `since` on."""
        with self._lock:
            return self._exchanges[since:]

    def respond(self, target: str, accept_encoding: str, accept: str) -> Response:
        """The answer to a request target, recorded."""
        path = unquote(urlsplit(target).path)
        if path.startswith(self.base):
            response = self.hosting.answer(Request(path.removeprefix(self.base), accept_encoding, accept))
        else:
            response = Response(404)
        headers = response.headers
        exchange = Exchange(
            target,
            response.status,
            headers.get("Content-Encoding", ""),
            headers.get("Cache-Control", ""),
            headers.get("Content-Type", ""),
            len(response.body),
        )
        with self._lock:
            self._exchanges.append(exchange)
        return response


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    # A page of a bundler asks for dozens of files at once; the default backlog of 5 refuses some.
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], owner: Server) -> None:
        self.owner = owner
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Browsers hang up on requests that they no longer need; anything else is ours and is shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Listener

    def do_HEAD(self) -> None:
        """Next 16 asks so which route a link of an export leads to."""
        self._answer()

    def do_GET(self) -> None:
        self.wfile.write(self._answer().body)

    def _answer(self) -> Response:
        headers = self.headers
        response = self.server.owner.respond(self.path, headers.get("Accept-Encoding", ""), headers.get("Accept", ""))
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        # Without sniffing, a wrong Content-Type breaks the page, as it would on strict hosts.
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        return response

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: tests ask for `exchanges`."""
