"""What a visitor and the page's own scripts can see of a page, as data."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Error
from playwright.sync_api import TimeoutError as BrowserTimeoutError

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Request

    from .addresses import Addresses
    from .server import Server

READY = "html[data-ready]"
_DOCUMENT = (Path(__file__).parent / "document.js").read_text(encoding="utf-8")
_AT_REST = """async () => {
  await document.fonts.ready;
  const loaded = [...document.images].filter((image) => image.complete);
  await Promise.all(loaded.map((image) => image.decode().catch(() => {})));
  await new Promise((done) => requestIdleCallback(done, { timeout: 2000 }));
}"""
_LINKS = """() => [...document.querySelectorAll("a[href]")].map((a) => [
  a.href, a.checkVisibility() && a.getClientRects().length > 0
    && !a.hasAttribute("download") && ["", "_self"].includes(a.target) && a.protocol.startsWith("http"),
])"""
# Browsers ask for it unbidden, at a time of their own: whether it is there is no matter of a page.
_UNBIDDEN = "/favicon.ico"
_QUIET_SECONDS = 0.25
_REST_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the document. name: of the element, or `#text`, `#comment` …; data: the text of others."""

    depth: int
    name: str
    attributes: tuple[tuple[str, str], ...]
    data: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link to click. index: among all `a[href]`; target: its meaning; path: below the base."""

    index: int
    target: str
    path: str


@dataclass(frozen=True, slots=True)
class Observation:
    """A page at rest. URLs are told in the original's names, so that observations of two servers compare.

    errors: console messages of level error, uncaught errors. failures: requests that failed or were answered
    with 400 or more. ready: the value of `data-ready`, None without it.
    """

    address: str
    ready: str | None
    text: str
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    errors: tuple[str, ...]
    failures: tuple[str, ...]
    screenshot: bytes


@dataclass(frozen=True, slots=True)
class Served:
    """A site on a server, and the meaning of its URLs."""

    server: Server
    addresses: Addresses


class Tab:
    """A page of the browser on a served site."""

    def __init__(self, context: BrowserContext, served: Served, ready_seconds: float) -> None:
        """ready_seconds: how long to wait for `data-ready`; 0 for pages that set none."""
        self.served = served
        self.ready_seconds = ready_seconds
        self.page = context.new_page()
        self._errors: list[str] = []
        self._failures: list[str] = []
        self._in_flight: set[Request] = set()
        self._last_traffic = time.monotonic()
        self._seen = 0
        self.page.on("console", self._on_console)
        self.page.on("pageerror", self._on_page_error)
        self.page.on("request", self._on_request)
        self.page.on("requestfinished", self._on_request_end)
        self.page.on("requestfailed", self._on_request_failure)

    def open(self, path: str) -> None:
        """Load a path below the base, as if its address had been typed."""
        self.begin()
        self.page.goto(self.served.server.url(path), wait_until="load", timeout=60_000)

    def begin(self) -> None:
        """Forget what was recorded so far."""
        self._errors.clear()
        self._failures.clear()
        self._seen += len(self.served.server.exchanges(self._seen))

    def observe(self) -> Observation:
        """The page once it is ready and at rest, with all errors since it was opened or `begin` was called.

        Raises TimeoutError when the page never comes to rest.
        """
        document = self._at_rest()
        addresses = self.served.addresses
        refused = [
            f"{exchange.status} {addresses.url(exchange.target, addresses.origin)}"
            for exchange in self.served.server.exchanges(self._seen)
            if exchange.status >= 400 and exchange.target != _UNBIDDEN
        ]
        return Observation(
            address=addresses.url(document["address"], ""),
            ready=document["ready"],
            text=addresses.visible(document["text"]),
            nodes=tuple(self._node(*node) for node in document["nodes"]),
            links=self.links(),
            errors=tuple(self._errors),
            failures=(*self._failures, *refused),
            screenshot=self.page.screenshot(full_page=True, animations="disabled", caret="hide", scale="css"),
        )

    def links(self) -> tuple[Link, ...]:
        """All links to this site that a visitor can click now."""
        home = self.served.server.url("")
        return tuple(
            Link(index, self.served.addresses.url(href, ""), href.removeprefix(home))
            for index, (href, usable) in enumerate(self.page.evaluate(_LINKS))
            if usable and href.startswith(home)
        )

    def click(self, target: str, seconds: float) -> None:
        """Click the first link with this target and wait until the address has changed.

        Raises LookupError when the page has no such link, TimeoutError when the address stays.
        """
        index = next((link.index for link in self.links() if link.target == target), None)
        if index is None:
            raise LookupError(f"no link to {target} on {self.page.url}")
        before = self.page.url
        element = self.page.evaluate_handle(
            "(index) => document.querySelectorAll('a[href]')[index]", index
        ).as_element()
        assert element is not None
        element.click()
        try:
            self.page.wait_for_url(lambda url: url != before, wait_until="load", timeout=seconds * 1000)
        except BrowserTimeoutError as stuck:
            raise TimeoutError(f"{before} stayed; errors: {self._errors + self._failures}") from stuck

    def back(self) -> None:
        """Press the browser's back button."""
        self.page.go_back(wait_until="load", timeout=60_000)

    def forward(self) -> None:
        """Press the browser's forward button."""
        self.page.go_forward(wait_until="load", timeout=60_000)

    def mark(self) -> None:
        """Leave a mark in the document, which a full reload removes."""
        self.page.evaluate("() => { window.markOfThisDocument = true }")

    def marked(self) -> bool:
        """Whether the document is still the one that was marked."""
        return bool(self.page.evaluate("() => window.markOfThisDocument === true"))

    def _at_rest(self) -> dict[str, Any]:
        if self.ready_seconds:
            with suppress(BrowserTimeoutError):  # observed as `ready is None`
                self.page.wait_for_selector(READY, state="attached", timeout=self.ready_seconds * 1000)
        deadline = time.monotonic() + _REST_SECONDS
        last: dict[str, Any] = {}
        while time.monotonic() < deadline:
            self.page.wait_for_timeout(50)
            if self._in_flight or time.monotonic() - self._last_traffic < _QUIET_SECONDS:
                continue
            try:
                self.page.evaluate(_AT_REST)
                document: dict[str, Any] = self.page.evaluate(_DOCUMENT)
            except Error as failure:
                # A reload under way takes the document from under the call.
                if "context was destroyed" not in failure.message:
                    raise
                continue
            if document == last and not self._in_flight:
                return document
            last = document
        waiting = sorted(request.url for request in self._in_flight)
        raise TimeoutError(f"{self.page.url} never came to rest; still loading: {waiting}")

    def _node(self, depth: int, name: str, attributes: dict[str, str], data: str) -> Node:
        addresses = self.served.addresses
        if name.startswith("#"):
            text = addresses.embedded(data, "") if name == "#noscript" else addresses.visible(data)
            return Node(depth, name, (), text)
        # For elements, `data` is the base address of their document.
        meant = ((key, addresses.attribute(key, value, data)) for key, value in attributes.items())
        return Node(depth, name, tuple(sorted(meant)), "")

    def _on_console(self, message: ConsoleMessage) -> None:
        source = message.location["url"]
        if message.type == "error" and source != self.served.server.origin + _UNBIDDEN:
            place = self.served.addresses.message(source)
            self._errors.append(f"{self.served.addresses.message(message.text)} [{place}]")

    def _on_page_error(self, error: Error) -> None:
        self._errors.append(f"uncaught {self.served.addresses.message(error.message)}")

    def _on_request(self, request: Request) -> None:
        self._in_flight.add(request)
        self._last_traffic = time.monotonic()

    def _on_request_end(self, request: Request) -> None:
        self._in_flight.discard(request)
        self._last_traffic = time.monotonic()

    def _on_request_failure(self, request: Request) -> None:
        self._on_request_end(request)
        # What the browser cancelled itself (a prefetch, when the visitor leaves) is no failure.
        if request.failure != "net::ERR_ABORTED":
            self._failures.append(f"{request.failure} {self.served.addresses.message(request.url)}")
