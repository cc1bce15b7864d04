"""Handlers for the test server that answer queries as SkyServer, CasJobs and HSC's catalogue do.

They know no SQL: the rows of a table, one page of them (`WHERE … a.column % N = K`, or stretches
of `a.objID`), and how many there are (`SELECT COUNT(*) …`). Put them at the path of the service:

    server.handlers[SKYSERVER] = skyserver(columns, rows)
    server.handlers[HSC] = HscCatalogue(columns, rows, user, password)
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.archive_server.server import Handler, Reply, Seen

SKYSERVER = "/dr12/en/tools/search/x_results.aspx"
CASJOBS = "/contexts/DR12/query"
HSC = "/hsc/"

Rows = Sequence[Sequence[str]]


def answer_as_csv(columns: Sequence[str], rows: Rows, sql: str) -> str:
    """Return the page of a table that a query asks for, or the number of its rows."""
    paged = re.search(
        r"[a-zA-Z_]*\.?([a-zA-Z_]+) % (\d+) = (\d+)\)?"
        r"(?: AS counted)?(?: ORDER BY .*)?\s*$",
        sql.strip(),
    )
    if paged:
        column, n_pages, page = paged[1], int(paged[2]), int(paged[3])
        place = list(columns).index(column)
        rows = [row for row in rows if int(row[place]) % n_pages == page]
    for sign, edge in re.findall(r"\.objID (>=|<) (\d+)", sql):
        place, least = list(columns).index("objID"), sign == ">="
        rows = [row for row in rows if (int(row[place]) >= int(edge)) == least]
    if "COUNT(*)" in sql:
        return f"n_rows\n{len(rows)}\n"
    return "\n".join([",".join(columns), *(",".join(row) for row in rows)]) + "\n"


def skyserver(columns: Sequence[str], rows: Rows) -> Handler:
    """Return a handler that answers as SkyServer: CSV below a line of its own."""

    def handle(seen: Seen) -> Reply:
        sql = seen.params["cmd"]
        if "FROM" not in sql:
            return Reply(b'{"error_message": "Incorrect syntax near the keyword"}', 500)
        return Reply(f"#Table1\n{answer_as_csv(columns, rows, sql)}".encode())

    return handle


def casjobs(columns: Sequence[str], rows: Rows, token: str) -> Handler:
    """Return a handler that answers as CasJobs' REST interface, with a token."""

    def handle(seen: Seen) -> Reply:
        if seen.headers.get("X-Auth-Token") != token:
            return Reply(b"not authorised", 401)
        return Reply(answer_as_csv(columns, rows, seen.body["Query"]).encode())

    return handle


@dataclass
class HscCatalogue:
    """Answers as HSC's catalogue: a queue of jobs, each done after `looks` looks at it."""

    columns: Sequence[str]
    rows: Rows
    user: str
    password: str
    looks: int = 2
    jobs: dict[int, dict[str, object]] = field(default_factory=dict)

    def __call__(self, seen: Seen) -> Reply:
        """Answer one message."""
        account = seen.body["credential"]
        if account != {"account_name": self.user, "password": self.password}:
            return Reply(b"Unauthorized: " + json.dumps(account).encode(), 401)
        return getattr(self, seen.path.rsplit("/", 1)[1])(seen.body)

    def submit(self, body: dict) -> Reply:
        """Put a query into the queue."""
        number = 100 + len(self.jobs)
        self.jobs[number] = {"id": number, "status": "queued", "looks": self.looks,
                             "sql": body["catalog_job"]["sql"]}  # fmt: skip
        return self._told(number)

    def status(self, body: dict) -> Reply:
        """Tell how far a job is; a query without FROM fails."""
        job = self.jobs[body["id"]]
        job["looks"] = int(str(job["looks"])) - 1
        if int(str(job["looks"])) <= 0 and job["status"] != "deleted":
            job["status"] = "done" if "FROM" in str(job["sql"]) else "error"
            job["error"] = "syntax error"
        return self._told(body["id"])

    def download(self, body: dict) -> Reply:
        """Give the rows, the first name behind a mark."""
        text = answer_as_csv(self.columns, self.rows, str(self.jobs[body["id"]]["sql"]))
        return Reply(f"# {text}".encode())

    def delete(self, body: dict) -> Reply:
        """Forget a job."""
        self.jobs[body["id"]]["status"] = "deleted"
        return Reply(b"")

    def _told(self, number: int) -> Reply:
        return Reply(json.dumps(self.jobs[number]).encode(), kind="application/json")
