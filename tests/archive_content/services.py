"""The services that answer queries: SkyServer's, and the queue of HSC's archive.

They know nothing of SQL but what the pages of a query need: which of the tables it is about,
whether it counts, and the remainder that tells the page. What its conditions would leave out is in
the answer: the sample's own cuts then have something to do.
"""

from __future__ import annotations

import io
import json
import re
from itertools import count
from pathlib import Path

import pandas as pd

from tests.archive_server.server import Handler, Reply, Seen

_PAGE = re.compile(r"(\w+) % (\d+) = (\d+)(?:\) AS counted)?$")  # the last condition


def skyserver(main: Path, deep: Path) -> Handler:
    """Return a handler that answers for the main sample and for the deeper one."""

    def answer(seen: Seen) -> Reply:
        sql = seen.params["cmd"]
        return Reply(b"#Table1\n" + rows_of(main if "SpecObjAll" in sql else deep, sql))

    return answer


class HscQueue:
    """Queries wait here once, and are then a file to download."""

    def __init__(self, table: Path, account: tuple[str, str]) -> None:
        self.table, self.account = table, account
        self.jobs: dict[int, str] = {}
        self._numbers = count(1)
        self._looked: set[int] = set()

    def __call__(self, seen: Seen) -> Reply:
        """Answer one message."""
        given = seen.body["credential"]
        if (given["account_name"], given["password"]) != self.account:
            return Reply(b"no such account", status=401)
        what, job = seen.path.rstrip("/").rpartition("/")[2], int(seen.body.get("id", 0))
        if what == "submit":
            number = next(self._numbers)
            self.jobs[number] = seen.body["catalog_job"]["sql"]
            return _json({"id": number})
        if what == "status":
            waits = job not in self._looked
            self._looked.add(job)
            return _json({"id": job, "status": "waiting" if waits else "done"})
        if what == "download":
            return Reply(b"# " + rows_of(self.table, self.jobs[job]))
        return Reply(b"" if self.jobs.pop(job, None) else b"no such job")


def rows_of(path: Path, sql: str) -> bytes:
    """Return the rows of a page of a list as CSV, or their number where the query counts."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False, comment="#")
    page = _PAGE.search(sql)
    if page:
        column, n_pages, number = page[1], int(page[2]), int(page[3])
        table = table[[int(value) % n_pages == number for value in table[column]]]
    if sql.startswith("SELECT COUNT("):
        return f"n_rows\n{len(table)}\n".encode()
    stream = io.StringIO()
    table.to_csv(stream, index=False, lineterminator="\n")
    return stream.getvalue().encode()


def _json(document: dict[str, object]) -> Reply:
    return Reply(json.dumps(document).encode(), kind="application/json")
