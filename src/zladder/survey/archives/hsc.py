"""The catalogue of HSC-SSP: a query waits in a queue, then its rows are a file to download.

Its interface takes JSON with POST: ``submit``, ``status``, ``download`` and ``delete`` below one
address, the account in every message.
"""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING, Any

import requests

from zladder.provenance.digests import value_digest
from zladder.provenance.errors import PassingBadInput, Unfinished
from zladder.provenance.outputs import write_text_whole
from zladder.survey.archives.accounts import HSC, accounts_of
from zladder.survey.archives.checks import fault_of
from zladder.survey.archives.download import download
from zladder.survey.archives.http import Request, answered, in_one_line
from zladder.survey.archives.manners import Trouble, with_patience

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from zladder.survey.archives.manners import Manners

_CLIENT_VERSION = 20190514.1  # of the messages, as the archive's own program states it

log = logging.getLogger("zladder")


def ask_hsc(archive: Mapping[str, Any], sql: str, path: Path, manners: Manners) -> None:
    """Write the rows of a query to `path`, as CSV.

    A query that is in the queue already, from an attempt that was killed, is waited for again.

    Raises
    ------
    PassingBadInput
        No account, or a query that the archive refuses.
    Unfinished
        If network or server fail for too long.
    """
    accounts = accounts_of(archive)
    user, password = (accounts[name] for name in HSC)
    account = (user, password)
    note = path.with_name(path.name + ".job")
    job = _known_job(note, archive, sql)
    if job is None:
        job = _submitted(archive, sql, account, manners)
        write_text_whole(note, json.dumps({"of": _job_key(archive, sql), "id": job}) + "\n")
    _wait(archive, sql, job, account, manners, note)
    request = _request(archive, "download", account, {"id": job})
    partial = path.with_name(f"{path.name}.{job}")  # of this job alone: all have one address
    download(request, partial, manners, lambda file: fault_of(file, "csv"), f"job {job}")
    partial.replace(path)
    partial.with_name(partial.name + ".json").unlink(missing_ok=True)
    note.unlink()
    _forget(archive, job, account, manners)


def _forget(
    archive: Mapping[str, Any], job: int, account: tuple[str, str], manners: Manners
) -> None:  # fmt: skip
    """Delete a job whose rows are here; one that stays does no harm."""
    try:
        _call(archive, "delete", account, {"id": job}, manners)
    except (PassingBadInput, Unfinished) as error:
        log.info("job %s was not deleted: %s", job, str(error).splitlines()[0])


def _job_key(archive: Mapping[str, Any], sql: str) -> str:
    return value_digest([archive["url"], archive["release"], sql])


def _known_job(note: Path, archive: Mapping[str, Any], sql: str) -> int | None:
    """Return the job of an earlier attempt at the same query."""
    if not note.is_file():
        return None
    known = json.loads(note.read_text(encoding="utf-8"))
    return known["id"] if known["of"] == _job_key(archive, sql) else None


def _submitted(
    archive: Mapping[str, Any], sql: str, account: tuple[str, str], manners: Manners
) -> int:
    """Put a query into the queue; return its number."""
    job = {"sql": sql, "out_format": "csv", "include_metainfo_to_body": False,
           "release_version": archive["release"]}  # fmt: skip
    extra = {"catalog_job": job, "nomail": True, "skip_syntax_check": False}
    answer = _call(archive, "submit", account, extra, manners)
    if "id" not in answer:
        found = in_one_line(json.dumps(answer), account)
        raise PassingBadInput(archive["url"], "submit", "the number of a job", found,
                              "is this the address of the service?")  # fmt: skip
    log.info("the query waits as job %s", answer["id"])
    return int(answer["id"])


def _wait(
    archive: Mapping[str, Any], sql: str, job: int, account: tuple[str, str], manners: Manners,
    note: Path,
) -> None:  # fmt: skip
    """Look at a job until its rows are there; one that failed or is gone is forgotten."""
    while True:
        try:
            answer = _call(archive, "status", account, {"id": job}, manners)
        except PassingBadInput:
            note.unlink(missing_ok=True)  # the next attempt submits it again
            raise
        status = answer.get("status")
        if status == "done":
            return
        if status in ("error", "aborted"):
            note.unlink(missing_ok=True)
            found = in_one_line(str(answer.get("error", status)), account)
            raise PassingBadInput(archive["url"], f"the query {sql[:200]}", "rows", found,
                                  "correct the query (config/archives.yaml)")  # fmt: skip
        log.info("job %s: %s", job, status)
        time.sleep(manners.poll_seconds)


def _call(
    archive: Mapping[str, Any], what: str, account: tuple[str, str], extra: Mapping[str, Any],
    manners: Manners,
) -> dict[str, Any]:  # fmt: skip
    """Send one message; return the answer, empty where the archive says nothing."""
    request = _request(archive, what, account, extra)

    def attempt() -> dict[str, Any]:
        with answered(request, manners) as response:
            try:
                return dict(response.json()) if response.content.strip() else {}
            except (requests.RequestException, ValueError, TypeError) as error:
                message = f"half an answer ({type(error).__name__})"
                raise Trouble(message) from error

    return with_patience(attempt, f"{request.host}, {what}", manners)


def _request(
    archive: Mapping[str, Any], what: str, account: tuple[str, str], extra: Mapping[str, Any]
) -> Request:
    """Return a message with the account in it."""
    credential = {"account_name": account[0], "password": account[1]}
    body = {"credential": credential, "clientVersion": _CLIENT_VERSION, **extra}
    return Request(f"{archive['url'].rstrip('/')}/{what}", body=body, secrets=account)
