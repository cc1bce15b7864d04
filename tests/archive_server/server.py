"""A server on this machine that stands in for the archives: a folder of files, queries, bad days.

with ArchiveServer(folder) as server:
    server.misbehave("/table.csv", cut_after=1000, times=1)
    …  f"{server.url}/table.csv"
    server.seen["/table.csv"]       # one entry a request, with the bytes that were sent
"""

from __future__ import annotations

import hashlib
import json
import re
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass
class Reply:
    """What a handler of queries answers."""

    content: bytes
    status: int = 200
    kind: str = "text/plain"


@dataclass
class Seen:
    """One request, and how many bytes of body it got."""

    path: str
    method: str
    headers: dict[str, str]
    params: dict[str, str]
    body: Any = None
    status: int = 0
    sent_bytes: int = 0
    time: float = field(default_factory=time.monotonic)


@dataclass
class Fault:
    """How a path misbehaves, `times` times (always when None)."""

    cut_after: int | None = None  # bytes of body, then the connection breaks; the length was told
    status: int | None = None  # 503, 404, …, without the file
    retry_after: str | None = None  # the header that goes with it
    content: bytes | None = None  # other bytes than the file's
    redirect: str | None = None  # where to
    trickle_seconds: float | None = None  # pause after each 100 bytes
    no_length: bool = False
    told_length: int | None = None  # another length than the body's
    no_range: bool = False
    no_mark: bool = False  # neither ETag nor Last-Modified
    times: int | None = None


Handler = Callable[[Seen], Reply]


class ArchiveServer:
    """Serves the files below a folder, and queries by handlers of path prefixes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seen: dict[str, list[Seen]] = defaultdict(list)
        self.faults: dict[str, list[Fault]] = defaultdict(list)
        self.handlers: dict[str, Handler] = {}
        self.open_now = self.open_most = 0
        self._lock = threading.Lock()
        self._httpd = _Server(self)
        self._thread = threading.Thread(target=self._httpd.serve_forever, args=(0.02,))

    def __enter__(self) -> ArchiveServer:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._httpd.shutdown()
        self._httpd.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self._httpd.server_port}"

    def put(self, name: str, content: bytes) -> str:
        """Lay a file below the folder; return its SHA-256."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return hashlib.sha256(content).hexdigest()

    def misbehave(self, path: str, **fault: Any) -> None:
        """Add a fault; several of one path come one after the other."""
        self.faults[path].append(Fault(**fault))

    def sent_bytes(self, path: str) -> int:
        """Return how many bytes of body a path has sent in all."""
        return sum(seen.sent_bytes for seen in self.seen[path])

    def fault_of(self, path: str) -> Fault:
        """Return the fault that is due, and count it."""
        with self._lock:
            for fault in self.faults[path]:
                if fault.times is None:
                    return fault
                if fault.times > 0:
                    fault.times -= 1
                    return fault
        return Fault()

    def count(self, step: int) -> None:
        """Count a connection that opens or ends."""
        with self._lock:
            self.open_now += step
            self.open_most = max(self.open_most, self.open_now)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, archive: ArchiveServer) -> None:
        self.archive = archive
        super().__init__(("127.0.0.1", 0), _Answer)

    def handle_error(self, *_arguments: object) -> None:
        """Say nothing: a client that goes away is what some tests are about."""


class _Answer(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, *_arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        self._do()

    def do_POST(self) -> None:
        self._do()

    def _do(self) -> None:
        archive, parts = self.server.archive, urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        seen = Seen(
            unquote(parts.path), self.command, dict(self.headers), dict(parse_qsl(parts.query))
        )
        seen.body = json.loads(body) if body else None
        archive.seen[seen.path].append(seen)
        archive.count(1)
        try:
            self._reply(archive, seen, archive.fault_of(seen.path))
        finally:
            archive.count(-1)

    def _reply(self, archive: ArchiveServer, seen: Seen, fault: Fault) -> None:
        if fault.status is not None or fault.redirect is not None:
            seen.status = fault.status or 302
            extra = {"Retry-After": fault.retry_after, "Location": fault.redirect}
            self._head(seen.status, {key: value for key, value in extra.items() if value})
            return
        handler = next((made for start, made in archive.handlers.items()
                        if seen.path.startswith(start)), None)  # fmt: skip
        if handler:
            reply = handler(seen)
        else:
            file = archive.folder / seen.path.lstrip("/")
            found = file.is_file()
            reply = Reply(file.read_bytes() if found else b"no such file", 200 if found else 404)
        if fault.content is not None:
            reply.content = fault.content
        self._send(seen, reply, fault, ranged=handler is None)

    def _send(self, seen: Seen, reply: Reply, fault: Fault, *, ranged: bool) -> None:
        content, status, headers = reply.content, reply.status, {"Content-Type": reply.kind}
        mark = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        if ranged and not fault.no_mark:
            headers["ETag"] = mark
        asked = re.fullmatch(r"bytes=(\d+)-", seen.headers.get("Range", ""))
        same = seen.headers.get("If-Range", mark) == mark
        if ranged and asked and same and not fault.no_range and status == 200:
            start = int(asked[1])
            if start >= len(content):
                seen.status = 416
                self._head(416, {"Content-Range": f"bytes */{len(content)}"})
                return
            status = 206
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            content = content[start:]
        if not fault.no_length:
            headers["Content-Length"] = str(fault.told_length or len(content))
        seen.status = status
        self._head(status, headers)
        self._body(seen, content if fault.cut_after is None else content[: fault.cut_after], fault)
        if fault.cut_after is not None and not fault.no_length:
            self.connection.shutdown(socket.SHUT_RDWR)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _body(self, seen: Seen, content: bytes, fault: Fault) -> None:
        step = 100 if fault.trickle_seconds else max(len(content), 1)
        for start in range(0, len(content), step):
            # Counted first: a client that has it all may ask before this thread goes on.
            seen.sent_bytes += len(content[start : start + step])
            self.wfile.write(content[start : start + step])
            time.sleep(fault.trickle_seconds or 0)
