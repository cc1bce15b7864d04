"""SDSS's two services for SQL: a query, and its rows in the same answer.

SkyServer answers anybody, within limits of rows, of time and of 60 queries a minute (its help page
on query limits). CasJobs asks for a SciServer token;
its quick queries are used, not its batch jobs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

from zladder.provenance.errors import PassingBadInput
from zladder.survey.archives.accounts import CASJOBS, accounts_of
from zladder.survey.archives.http import Request, answered, in_one_line, retry_after
from zladder.survey.archives.manners import Trouble, turn_at

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from zladder.survey.archives.manners import Manners

# What the services say of a query that is wrong; and of any trouble, such as a deadlock.
_WRONG = ("incorrect syntax", "invalid column", "invalid object")
_TROUBLE = ("error_message", "error message")
_HEAD_CHARACTERS = 4096


def ask_skyserver(archive: Mapping[str, Any], sql: str, path: Path, manners: Manners) -> None:
    """Write SkyServer's answer to a query to `path`, as CSV.

    The request is astroquery's; the answer is taken as text, since its reader makes numbers of it.

    Raises
    ------
    Trouble
        No answer, or one for now.
    PassingBadInput
        If the service refuses the query.
    """
    from astroquery.exceptions import TimeoutError as NoAnswerError
    from astroquery.sdss import SDSS, conf

    release = int(archive["release"].upper().removeprefix("DR"))
    with turn_at(Request(archive["url"]).host, manners):
        try:
            with conf.set_temp("skyserver_baseurl", archive["url"]):
                response = SDSS.query_sql_async(
                    sql, timeout=manners.query_seconds, data_release=release, cache=False
                )
        except (requests.RequestException, NoAnswerError) as error:
            message = f"no answer ({type(error).__name__})"
            raise Trouble(message) from error
    wait = retry_after(response.headers.get("Retry-After"))
    _judge(archive["url"], sql, response.status_code, response.text, wait)
    path.write_bytes(response.content)


def ask_casjobs(archive: Mapping[str, Any], sql: str, path: Path, manners: Manners) -> None:
    """Write CasJobs' answer to a query to `path`, as CSV.

    `url` is that of its REST interface; the token of a SciServer account stands in the
    environment.

    Raises
    ------
    Trouble, PassingBadInput
        As `ask_skyserver`; also without a token.
    """
    [token] = (accounts_of(archive)[name] for name in CASJOBS)
    address = f"{archive['url'].rstrip('/')}/contexts/{archive['release']}/query"
    request = Request(
        address, body={"Query": sql, "TaskName": "zladder"}, secrets=(token,),
        headers={"X-Auth-Token": token, "Accept": "text/plain"},
    )  # fmt: skip
    with answered(request, manners.of_a_query(), allowed=(400, 500)) as response:
        try:
            content = response.content
        except requests.RequestException as error:
            message = f"the connection broke ({type(error).__name__})"
            raise Trouble(message) from error
    said = in_one_line(response.text[:_HEAD_CHARACTERS], (token,))
    _judge(
        address, sql, response.status_code, said if response.status_code >= 400 else response.text
    )
    path.write_bytes(content)


def _judge(
    url: str, sql: str, status: int, text: str, retry_after_seconds: float | None = None
) -> None:
    """Refuse what is no table: for good if the query or the address is wrong, else for now."""
    head = text[:_HEAD_CHARACTERS]
    said = in_one_line(head, ())
    troubled = any(word in head.lower() for word in _TROUBLE)
    if any(word in head.lower() for word in _WRONG) or (troubled and status < 500):
        hint = "correct the query (config/archives.yaml), or ask for it in more pages"
        raise PassingBadInput(url, f"the query {sql[:200]}", "rows", said, hint)
    if status >= 500 or status in (408, 425, 429):
        message = f"HTTP {status}: {said}"
        raise Trouble(message, retry_after_seconds=retry_after_seconds)
    if status >= 400 or head.lstrip().startswith("<"):
        found, hint = f"HTTP {status}: {said}", "is this the address of the service?"
        raise PassingBadInput(url, "the answer", "a table as CSV", found, hint)
