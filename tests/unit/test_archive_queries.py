"""Queries in pages: SkyServer, CasJobs and HSC's queue, on good and on bad days."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

import pandas as pd
import pytest

from tests.archive_server.server import ArchiveServer
from tests.archive_server.sql import CASJOBS, HSC, SKYSERVER, HscCatalogue, casjobs, skyserver
from zladder.provenance.errors import PassingBadInput, Unfinished
from zladder.survey.archives.csv_rows import rows_of
from zladder.survey.archives.manners import Manners, Trouble
from zladder.survey.archives.queries import count_query, fetch_query, page_query

QUICK = {
    "requests_per_second": 1000.0, "timeout_seconds": 5.0, "n_tries": 3, "first_wait_seconds": 0.01,
    "query_seconds": 5.0, "longest_wait_seconds": 2.0, "slowest_bytes_per_second": 1.0,
    "progress_seconds": 60.0,
    "poll_seconds": 0.01, "max_missing_frames_fraction": 0.0,
}  # fmt: skip
COLUMNS = ["objID", "ra", "name"]
# Beyond 2**53, where a float would round; a text with a comma; digits that a float would not keep.
ROWS = [[str(2**60 + 7 * n + 1), f"{n}.10000000000000000001", f'"a, {n}"'] for n in range(50)]
IDS = [int(row[0]) for row in ROWS]
QUERY = "SELECT p.objID, p.ra, p.name FROM Toy AS p WHERE {page}"
USER, PASSWORD, TOKEN = "somebody", "do-not-print-me", "token-not-to-print"


@pytest.fixture
def server(tmp_path):
    with ArchiveServer(tmp_path / "served") as running:
        running.handlers[SKYSERVER] = skyserver(COLUMNS, ROWS)
        running.handlers[CASJOBS] = casjobs(COLUMNS, ROWS, TOKEN)
        running.handlers[HSC] = HscCatalogue(COLUMNS, ROWS, USER, PASSWORD)
        yield running


@pytest.fixture
def part(tmp_path):
    return tmp_path / "data" / "part"


@pytest.fixture
def fetch(tmp_path, server, part):
    def run(service="skyserver", **entry):
        archive = {"name": "toy", "kind": "sql", "url": server.url, "service": service,
                   "release": "DR12", "sql": QUERY, "pages": 4, "page_by": "p.objID",
                   "row_limit": 100, **entry}  # fmt: skip
        return fetch_query(archive, part, part, Manners(**QUICK, hosts=tmp_path / "hosts"))

    return run


def asked(server, path=SKYSERVER):
    """Return the queries that SkyServer was asked, counts left out."""
    queries = [seen.params["cmd"] for seen in server.seen[path]]
    return [sql for sql in queries if "COUNT" not in sql]


def ids_of(part):
    return pd.read_csv(part, dtype={"objID": "int64"})["objID"].tolist()


@pytest.mark.parametrize("page_range", [(0, 49), (10, 20), (-7, 3), (0, 1000), (30, 31)])
@pytest.mark.parametrize("n_pages", [2, 3, 7])
def test_stretches_hold_every_row_once(page_range, n_pages):
    archive = {"sql": QUERY, "page_by": "p.objID", "page_range": page_range}
    held = []
    for number in range(n_pages):
        condition = page_query(archive, number, n_pages).partition("WHERE ")[2]
        terms = re.findall(r"p\.objID (>=|<) (-?\d+)", condition)
        lower = max((int(n) for sign, n in terms if sign == ">="), default=-(10**9))
        upper = min((int(n) for sign, n in terms if sign == "<"), default=10**9)
        held += [value for value in range(-50, 1100) if lower <= value < upper]
    assert held == list(range(-50, 1100))


def test_pages_by_stretches_make_one_table(fetch, part, server):
    middle = sorted(IDS)[len(IDS) // 2]
    assert fetch(page_range=[min(IDS), 2 * middle - min(IDS)])["counts"]["rows"] == 50
    assert sorted(ids_of(part)) == IDS
    assert all("% 4" not in sql for sql in asked(server))


def test_the_pages_of_skyserver_make_one_table(fetch, part, server):
    got = fetch()
    assert got["counts"] == {"pages": 4, "rows": 50}
    assert got["query"] == QUERY
    assert re.match(r"\d{4}-\d\d-\d\dT", got["date"])
    assert sorted(ids_of(part)) == IDS
    assert part.read_text().splitlines()[0] == "objID,ra,name"
    rows = {row[0]: row for row in rows_of(part)}
    assert rows[ROWS[3][0]] == [ROWS[3][0], "3.10000000000000000001", "a, 3"]
    pages = [re.search(r"p\.objID % 4 = (\d)", sql)[1] for sql in asked(server)]
    assert pages == ["0", "1", "2", "3"]
    assert [path.name for path in part.parent.iterdir() if path.is_file()] == ["part"]


def test_one_page_needs_no_column_to_tell_pages_by(fetch, part):
    assert fetch(pages=1)["counts"] == {"pages": 1, "rows": 50}
    assert page_query({"sql": QUERY}, 0, 1).endswith("WHERE 1 = 1")


def test_an_empty_page_is_no_trouble(fetch, part, server):
    server.handlers[SKYSERVER] = skyserver(COLUMNS, [[str(4 * n), "0.1", "x"] for n in range(5)])
    assert fetch()["counts"]["rows"] == 5


def test_pages_that_came_are_not_asked_for_again(fetch, part, server):
    answer = server.handlers[SKYSERVER]

    def down_on_the_last_page(seen):
        reply = answer(seen)
        if "% 4 = 3" in seen.params["cmd"]:
            reply.status, reply.content = 503, b"too busy"
        return reply

    server.handlers[SKYSERVER] = down_on_the_last_page
    with pytest.raises(Unfinished, match="503"):
        fetch()
    assert not part.exists()
    server.seen.clear()
    server.handlers[SKYSERVER] = answer
    fetch()
    assert sorted(ids_of(part)) == IDS
    assert len(asked(server)) == 1
    server.seen.clear()
    part.unlink()  # as Snakemake does before a rule runs: the result of the same query stands
    fetch()
    assert sorted(ids_of(part)) == IDS
    assert not server.seen
    part.unlink()
    fetch(sql=QUERY.replace("WHERE", "WHERE 1 = 1 AND"))
    assert len(asked(server)) == 4


@pytest.mark.parametrize("broken", ["fewer rows", "half a row", "no table"])
def test_half_an_answer_is_noticed_and_asked_for_again(fetch, part, server, broken):
    answer, bad = server.handlers[SKYSERVER], []

    def cut(seen):
        reply = answer(seen)
        if "COUNT" not in seen.params["cmd"] and not bad:
            bad.append(1)
            lines = reply.content.split(b"\n")
            reply.content = {
                "fewer rows": b"\n".join(lines[:-3]) + b"\n",
                "half a row": reply.content[:-20],
                "no table": b"#Table1\n",
            }[broken]
        return reply

    server.handlers[SKYSERVER] = cut
    fetch()
    assert sorted(ids_of(part)) == IDS


def test_a_page_above_the_limit_of_rows_is_refused(fetch, server, part):
    with pytest.raises(PassingBadInput) as caught:
        fetch(row_limit=5)
    assert caught.value.expected == "at most 5 rows"
    assert "raise `pages` of toy, now 4" in caught.value.hint
    assert not part.exists()


def test_a_wrong_query_is_bad_input_at_once(fetch, server):
    with pytest.raises(PassingBadInput, match="Incorrect syntax"):
        fetch(sql="SELECT nothing", pages=1)


def test_trouble_that_passes_is_asked_for_again(fetch, server):
    said = b'{"Error Message": "Transaction was deadlocked on resources: rerun it"}'
    server.misbehave(SKYSERVER, status=500, content=said, times=2)
    assert fetch(pages=1)["counts"]["rows"] == 50


def test_no_rows_at_all_are_no_answer(fetch, server, part):
    server.handlers[SKYSERVER] = skyserver(COLUMNS, [])
    with pytest.raises(PassingBadInput, match="rows"):
        fetch(pages=1)
    assert not part.exists()
    server.handlers[SKYSERVER] = skyserver(COLUMNS, ROWS)
    assert fetch(pages=1)["counts"]["rows"] == 50


@pytest.mark.parametrize(
    ("sql", "counted"),
    [
        ("SELECT a, b FROM t WHERE c > 1", "SELECT COUNT(*) AS n_rows FROM t WHERE c > 1"),
        ("SELECT (SELECT 1 FROM u) AS a FROM t",
         "SELECT COUNT(*) AS n_rows FROM (SELECT (SELECT 1 FROM u) AS a FROM t) AS counted"),
        ("SELECT a FROM t WHERE b ORDER BY a, b", "SELECT COUNT(*) AS n_rows FROM t WHERE b"),
        ("SELECT DISTINCT a FROM t ORDER BY a",
         "SELECT COUNT(*) AS n_rows FROM (SELECT DISTINCT a FROM t) AS counted"),
    ],
)  # fmt: skip
def test_rows_are_counted_without_the_columns_where_that_is_the_same(sql, counted):
    assert count_query(sql) == counted


def test_a_web_page_or_another_address_is_bad_input(fetch, server):
    server.handlers.clear()
    with pytest.raises(PassingBadInput, match="HTTP 404"):
        fetch()
    server.misbehave(SKYSERVER, content=b"<html>down</html>")
    server.handlers[SKYSERVER] = skyserver(COLUMNS, ROWS)
    with pytest.raises(PassingBadInput, match="<html>"):
        fetch()


def test_columns_that_change_between_pages_are_refused(fetch, server):
    answer = server.handlers[SKYSERVER]

    def renamed(seen):
        reply = answer(seen)
        if "% 4 = 2" in seen.params["cmd"]:
            reply.content = reply.content.replace(b"objID,", b"objid,")
        return reply

    server.handlers[SKYSERVER] = renamed
    with pytest.raises(PassingBadInput, match="the archive changed"):
        fetch()


def test_casjobs_takes_a_token_from_the_environment(fetch, part, server, monkeypatch, caplog):
    caplog.set_level(logging.INFO, logger="zladder")
    monkeypatch.delenv("ZLADDER_SCISERVER_TOKEN", raising=False)
    with pytest.raises(PassingBadInput) as caught:
        fetch("casjobs")
    assert caught.value.place == "ZLADDER_SCISERVER_TOKEN"
    monkeypatch.setenv("ZLADDER_SCISERVER_TOKEN", TOKEN + "-expired")
    with pytest.raises(PassingBadInput) as caught:
        fetch("casjobs")
    assert "HTTP 401" in str(caught.value)
    monkeypatch.setenv("ZLADDER_SCISERVER_TOKEN", TOKEN)
    fetch("casjobs")
    assert sorted(ids_of(part)) == IDS
    said = caplog.text + str(caught.value) + everything_written(part)
    assert TOKEN not in said


def everything_written(part) -> str:
    files = [path for path in part.parent.rglob("*") if path.is_file()]
    return "".join(path.read_text(encoding="utf-8") for path in files)


@pytest.fixture
def account(monkeypatch):
    monkeypatch.setenv("ZLADDER_HSC_USER", USER)
    monkeypatch.setenv("ZLADDER_HSC_PASSWORD", PASSWORD)


def fetch_hsc(fetch, server, **entry):
    return fetch("hsc", url=f"{server.url}{HSC}", release="pdr2", **entry)


def test_a_query_of_hsc_is_queued_waited_for_and_downloaded(fetch, part, server, account, caplog):
    caplog.set_level(logging.INFO, logger="zladder")
    server.misbehave("/hsc/status", status=503, times=1)
    server.misbehave("/hsc/download", cut_after=5, times=1)
    got = fetch_hsc(fetch, server, pages=2)
    assert got["counts"] == {"pages": 2, "rows": 50}
    assert sorted(ids_of(part)) == IDS
    assert part.read_text().splitlines()[0] == "objID,ra,name"
    jobs = server.handlers[HSC].jobs
    assert len(jobs) == 4  # two pages, each counted
    assert {job["status"] for job in jobs.values()} == {"deleted"}
    sent = server.seen["/hsc/submit"][0].body
    assert sent["catalog_job"]["release_version"] == "pdr2"
    said = caplog.text + everything_written(part)
    assert "waits as job 100" in said
    assert PASSWORD not in said
    assert USER not in said


def test_a_job_in_the_queue_is_waited_for_again(fetch, part, server, account):
    server.misbehave("/hsc/download", status=503, times=QUICK["n_tries"])
    with pytest.raises(Unfinished):
        fetch_hsc(fetch, server, pages=1)
    assert PASSWORD not in everything_written(part)
    fetch_hsc(fetch, server, pages=1)
    assert sorted(ids_of(part)) == IDS
    assert len(server.seen["/hsc/submit"]) == 2


def test_a_wrong_account_is_told_without_it(fetch, server, part, monkeypatch, account):
    monkeypatch.setenv("ZLADDER_HSC_PASSWORD", "wrong-and-secret")
    with pytest.raises(PassingBadInput, match="HTTP 401") as caught:
        fetch_hsc(fetch, server)  # whose server says the account back
    assert "***" in caught.value.found
    assert "wrong-and-secret" not in str(caught.value)
    assert "check the account" in caught.value.hint


@pytest.mark.parametrize("status", [302, 307])
def test_an_account_is_not_sent_on_to_another_address(fetch, server, account, status):
    server.misbehave("/hsc/submit", status=status, redirect=f"{server.url}/elsewhere/submit")
    with pytest.raises(PassingBadInput, match=r"to http.*/elsewhere/submit"):
        fetch_hsc(fetch, server)
    assert not server.seen["/elsewhere/submit"]


def test_a_query_that_hsc_refuses_is_bad_input_and_forgotten(fetch, server, account, part):
    with pytest.raises(PassingBadInput, match="syntax error"):
        fetch_hsc(fetch, server, sql="SELECT nothing", pages=1)
    assert not list(part.parent.rglob("*.job"))


def test_a_missing_account_of_hsc_is_told(fetch, server, monkeypatch):
    monkeypatch.delenv("ZLADDER_HSC_USER", raising=False)
    with pytest.raises(PassingBadInput) as caught:
        fetch_hsc(fetch, server)
    assert caught.value.place == "ZLADDER_HSC_USER"
    assert not server.seen


def test_rows_stay_as_they_were_written(tmp_path: Path):
    path = tmp_path / "rows.csv"
    path.write_text("# id,x\n1152921504606846977,1.50\n", encoding="utf-8")
    assert list(rows_of(path)) == [["id", "x"], ["1152921504606846977", "1.50"]]
    for text in ("", "#Table1\n", "a,b\n1\n"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(Trouble):
            list(rows_of(path))


def test_the_shipped_queries_can_be_paged(settings):
    queries = {name: entry for name, entry in settings()["archives"].items()
               if entry["kind"] == "sql"}  # fmt: skip
    assert len(queries) == 4
    for name, entry in queries.items():
        for page in range(entry["pages"]):
            sql = page_query(entry, page, entry["pages"])
            assert "{" not in sql, name
            assert "--" not in sql
        assert json.dumps(entry)


def test_a_job_that_cannot_be_deleted_does_no_harm(fetch, part, server, account, caplog):
    caplog.set_level(logging.INFO, logger="zladder")
    server.misbehave("/hsc/delete", status=500)
    fetch_hsc(fetch, server, pages=1)
    assert sorted(ids_of(part)) == IDS
    assert "was not deleted" in caplog.text
    assert PASSWORD not in caplog.text
