"""One HTTP request, and what its failures mean."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from zladder import __version__
from zladder.provenance.errors import PassingBadInput
from zladder.survey.archives.manners import Trouble, turn_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from zladder.survey.archives.manners import Manners

AGENT = f"zladder/{__version__}"
_ABSENT = {404, 410}
_TEMPORARY = {408, 425, 429}  # and all from 500
_NOT_SO = (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema,
           requests.exceptions.MissingSchema, requests.exceptions.TooManyRedirects)  # fmt: skip
_HINTS = {
    401: "check the account in the environment (docs/real-data.md)",
    403: "the server does not give it: is an account needed, or was it withdrawn?",
    404: "it is not there: correct the address in config/archives.yaml, or give a mirror",
}
_SHOWN = 300  # characters of a server's words


@dataclass(frozen=True)
class Request:
    """What is asked for. `body` is sent as JSON with POST.

    What `secrets` names may stand in `body` and `headers`; no message ever repeats it.
    """

    url: str
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: Mapping[str, str] | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def host(self) -> str:
        """The server, with its port if there is one."""
        return urlsplit(self.url).netloc.rpartition("@")[2]


class Absent(PassingBadInput):
    """The server does not have it."""


@contextmanager
def answered(
    request: Request, manners: Manners, extra: Mapping[str, str] | None = None,
    allowed: tuple[int, ...] = (),
) -> Iterator[requests.Response]:  # fmt: skip
    """Send a request when it is our turn, and give the answer, its body still to be read.

    Bodies come as they are (no compression on the way), so that their bytes can be counted.

    Raises
    ------
    Trouble
        No answer, or one that says that it is for now: 408, 425, 429 and all from 500.
    PassingBadInput
        The server refuses: any other status from 400 that is not `allowed`.
    """
    headers = {
        "User-Agent": AGENT,
        "Accept-Encoding": "identity",
        **request.headers,
        **(extra or {}),
    }
    method = "GET" if request.body is None else "POST"
    with turn_at(request.host, manners):
        try:
            response = requests.request(
                method, request.url, json=request.body, headers=headers, params=request.params,
                stream=True, timeout=manners.timeout_seconds,
            )  # fmt: skip
        except _NOT_SO as error:
            hint = "correct the address in config/archives.yaml"
            raise PassingBadInput(
                request.url, "the address", "an answer", str(error), hint
            ) from error
        except (requests.RequestException, HTTPError) as error:
            raise Trouble(_in_short(error)) from error
        with response:
            if response.status_code >= 400 and response.status_code not in allowed:
                _refuse(request, response)
            yield response


def _refuse(request: Request, response: requests.Response) -> None:
    """Raise what the status of an answer means."""
    status = response.status_code
    said = f"HTTP {status} {response.reason}"
    if status in _TEMPORARY or status >= 500:
        raise Trouble(said, retry_after_seconds=retry_after(response.headers.get("Retry-After")))
    words = words_of(response, request.secrets)
    hint = _HINTS.get(status, "the server does not understand or allow it")
    refusal = Absent if status in _ABSENT else PassingBadInput
    found = said + (words and f": {words}")
    raise refusal(request.url, "the answer", "what was asked for", found, hint)


def words_of(response: requests.Response, secrets: tuple[str, ...]) -> str:
    """Return the first words of an answer, in one line; none where they cannot be read."""
    try:
        start = response.raw.read(4 * _SHOWN).decode("utf-8", errors="replace")
    except (HTTPError, OSError):
        return ""
    return in_one_line(start, secrets)


def in_one_line(text: str, secrets: tuple[str, ...]) -> str:
    """Return the beginning of a server's words, secrets replaced by stars."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return " ".join(text.split())[:_SHOWN]


def retry_after(value: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for: a number, or a date."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        then = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (then - datetime.now(UTC)).total_seconds())


def _in_short(error: Exception) -> str:
    """Return what went wrong without the objects that libraries print with it."""
    kind = type(error).__name__
    if isinstance(error, requests.Timeout):
        return f"no answer in time ({kind})"
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return f"no connection ({kind}{f': {type(reason).__name__}' if reason else ''})"
