"""A headless Chromium that is driven through two pipes: no port, no driver, no further package."""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# No name can be resolved: what a page asks of the world fails, and is seen to.
OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-extensions", "--mute-audio", "--window-size=1400,1000",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--remote-debugging-pipe",
)  # fmt: skip
# Becomes the browser once the descriptors stand where it looks for them.
PLACE = """import os, sys
os.dup2(int(sys.argv[1]), 3), os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])"""
DOMAINS = ("Page", "Runtime", "Network", "Log")
OWN_SCHEMES = ("file:", "data:", "blob:", "about:", "javascript:", "chrome:")


def find_browser() -> str | None:
    """Return the path of an installed Chromium."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One tab, and what happened in it.

    Attributes
    ----------
    errors
        Errors of the console, exceptions that nobody caught, failed loads.
    requests
        Addresses that the page asked for.
    """

    def __init__(self, program: str, profile: Path) -> None:
        self.errors: list[str] = []
        self.requests: list[str] = []
        self._number, self._buffer = 0, b""
        to_browser, from_browser = os.pipe(), os.pipe()
        self._write, self._read = to_browser[1], from_browser[0]
        self._process = _start(program, profile, to_browser[0], from_browser[1])
        for end in (to_browser[0], from_browser[1]):
            os.close(end)
        self._session: str | None = None
        self._attach()

    def __enter__(self) -> Browser:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._process.terminate()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for end in (self._write, self._read):
            os.close(end)

    def open(self, page: Path, timeout_seconds: float = 90) -> None:
        """Open a file and wait until it has loaded."""
        self.command("Page.navigate", url=page.resolve().as_uri())
        self._answer(lambda found: found.get("method") == "Page.loadEventFired", timeout_seconds)

    def evaluate(self, expression: str, timeout_seconds: float = 90) -> Any:
        """Return the value of a JavaScript expression; promises are waited for."""
        answer = self.command(
            "Runtime.evaluate", timeout_seconds, expression=expression, awaitPromise=True,
            returnByValue=True,
        )  # fmt: skip
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def frames(self) -> list[str]:
        """Return the addresses of the frames inside the page."""
        tree = self.command("Page.getFrameTree")["frameTree"]
        return [str(child["frame"]["url"]) for child in tree.get("childFrames", [])]

    def external_requests(self) -> list[str]:
        """Return the addresses asked for that are neither the page's own nor local."""
        return [url for url in self.requests if not url.startswith(OWN_SCHEMES)]

    def command(self, method: str, timeout_seconds: float = 90, **parameters: Any) -> Any:
        """Send one command of the DevTools protocol; return its result."""
        self._number += 1
        number = self._number
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        _write_all(self._write, json.dumps(message).encode() + b"\0")
        answer = self._answer(lambda found: found.get("id") == number, timeout_seconds)
        assert "error" not in answer, answer
        return answer["result"]

    def _attach(self) -> None:
        """Open a tab and listen to it."""
        target = self.command("Target.createTarget", url="about:blank")["targetId"]
        attached = self.command("Target.attachToTarget", targetId=target, flatten=True)
        self._session = str(attached["sessionId"])
        for domain in DOMAINS:
            self.command(f"{domain}.enable")

    def _answer(self, wanted: Any, timeout_seconds: float) -> dict[str, Any]:
        """Return the first message that is wanted; take note of the others."""
        end = time.monotonic() + timeout_seconds
        while True:
            message, found, rest = self._buffer.partition(b"\0")
            if found:
                self._buffer = rest
                content = json.loads(message)
                self._take_note(content)
                if wanted(content):
                    return dict(content)
                continue
            ready, _, _ = select.select([self._read], [], [], max(end - time.monotonic(), 0))
            assert ready, f"the browser did not answer within {timeout_seconds} s"
            chunk = os.read(self._read, 2**20)
            assert chunk, "the browser ended"
            self._buffer += chunk

    def _take_note(self, message: dict[str, Any]) -> None:
        """Keep errors and requests."""
        method, found = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(found["exceptionDetails"])[:600])
        elif method == "Runtime.consoleAPICalled" and found["type"] in ("error", "assert"):
            said = [str(part.get("value", part.get("description"))) for part in found["args"]]
            self.errors.append(" ".join(said)[:600])
        elif method == "Log.entryAdded" and found["entry"]["level"] == "error":
            self.errors.append(f"{found['entry']['text']} {found['entry'].get('url', '')}"[:600])
        elif method == "Network.requestWillBeSent":
            self.requests.append(str(found["request"]["url"]))


def _start(program: str, profile: Path, commands: int, answers: int) -> subprocess.Popen[bytes]:
    """Start the browser with its ends of the pipes as descriptors 3 and 4."""
    # Kept clear of 3 and 4 first, so that putting one there cannot close the other.
    high = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (commands, answers)]
    command = [program, *OPTIONS, f"--user-data-dir={profile}", "about:blank"]
    process = subprocess.Popen(
        [sys.executable, "-c", PLACE, *map(str, high), *command], pass_fds=high,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    for end in high:
        os.close(end)
    return process


def _write_all(end: int, data: bytes) -> None:
    while data:
        data = data[os.write(end, data) :]
