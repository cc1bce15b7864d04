"""Fetch the result of a query in pages, each counted, each asked for once."""

from __future__ import annotations

import json
import logging
import re
import shutil
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from zladder.config.archives import PAGE_MARK
from zladder.provenance.digests import value_digest
from zladder.provenance.errors import PassingBadInput
from zladder.provenance.outputs import whole_or_nothing, write_text_whole
from zladder.survey.archives.accounts import accounts_of
from zladder.survey.archives.csv_rows import copy_rows, rows_of
from zladder.survey.archives.hsc import ask_hsc
from zladder.survey.archives.kept import Place, alone_in, sha256_of
from zladder.survey.archives.manners import Trouble, with_patience
from zladder.survey.archives.sdss_sql import ask_casjobs, ask_skyserver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from zladder.survey.archives.manners import Manners

    Ask = Callable[[Mapping[str, Any], str, Path, Manners], None]

log = logging.getLogger("zladder")

# Words by which a query gives other rows than those that it goes through.
_ROWS_CHANGED = re.compile(r"\b(DISTINCT|GROUP\s+BY|UNION|TOP|LIMIT)\b", re.IGNORECASE)
_ORDER = re.compile(r"\s*\bORDER\s+BY\b[^()]*$", re.IGNORECASE)
SERVICES: dict[str, Ask] = {"skyserver": ask_skyserver, "casjobs": ask_casjobs, "hsc": ask_hsc}


def fetch_query(
    archive: Mapping[str, Any], final: Path, output: Path, manners: Manners
) -> dict[str, Any]:
    """Fetch the rows of a query to `output` (CSV), which will be renamed to `final`.

    Pages that came before are not asked for again; neither is the whole, unless the query, its
    release or its address changed.

    Returns
    -------
    dict
        `query` (its text), `date` (of the last page), `sha256`, and `counts`: pages and rows.

    Raises
    ------
    BadInput
        No account, a query that is refused, pages that do not fit together or are too large.
    Unfinished
        If network or server fail for too long; the pages that came are kept.
    """
    place = Place(final)
    if archive["url"] is None:
        entry = f"{archive['name']}.url"
        raise PassingBadInput("config/archives.yaml", entry, "an address", "null",
                              "give it with --configfile")  # fmt: skip
    accounts_of(archive)
    key = value_digest([archive[name] for name in ("url", "service", "release", "sql")])
    with alone_in(place.folder):
        known = _kept(place, key)
        if known is None:
            known = _bring(archive, place, key, manners.towards(archive))
    place.hand_out(output)
    return {name: known[name] for name in ("query", "date", "sha256", "counts")}


def _kept(place: Place, key: str) -> dict[str, Any] | None:
    """Return what was noted of the result of the same query, if it is still here."""
    note = place.folder / "query.json"
    if not note.is_file():
        return None
    known: dict[str, Any] = json.loads(note.read_text(encoding="utf-8"))
    return known if known["key"] == key and place.stands(known["sha256"]) else None


def _bring(
    archive: Mapping[str, Any], place: Place, key: str, manners: Manners
) -> dict[str, Any]:  # fmt: skip
    """Ask for every page, put them together, and note what they are of."""
    n_pages = archive.get("pages", 1)
    dealt = [archive.get("page_by"), archive.get("page_range")]
    pages = place.folder / f"pages-{value_digest([key, n_pages, *dealt])}"
    for other in place.folder.glob("pages-*"):  # of another query: of no use
        if other != pages:
            shutil.rmtree(other)
    pages.mkdir(parents=True, exist_ok=True)
    for number in range(n_pages):
        if not _page_path(pages, number).is_file():
            _page(archive, number, n_pages, pages, manners)
    n_rows = _join(archive, [_page_path(pages, number) for number in range(n_pages)], place.whole)
    if not n_rows:
        place.whole.unlink()
        shutil.rmtree(pages)  # or a later attempt would take them for answers
        hint = "do release, place and conditions of the query fit together (config/queries)?"
        raise PassingBadInput(archive["url"], "the query's answer", "rows", "none", hint)
    known = {
        "key": key, "query": archive["sql"], "sha256": sha256_of(place.whole),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "counts": {"pages": n_pages, "rows": n_rows},
    }  # fmt: skip
    write_text_whole(place.folder / "query.json", json.dumps(known, indent=2) + "\n")
    shutil.rmtree(pages)
    return known


def _page_path(pages: Path, number: int) -> Path:
    return pages / f"{number}.csv"


def _page(
    archive: Mapping[str, Any], number: int, n_pages: int, pages: Path, manners: Manners
) -> None:
    """Ask how many rows a page has, then for the rows; both must agree."""
    sql = page_query(archive, number, n_pages)
    what = f"page {number + 1} of {n_pages}"
    n_rows = _count(archive, sql, pages / "count", what, manners)
    limit = archive.get("row_limit")
    if limit is not None and n_rows > limit:
        hint = f"raise `pages` of {archive['name']}, now {n_pages}"
        raise PassingBadInput(archive["url"], what, f"at most {limit} rows", f"{n_rows}", hint)
    with whole_or_nothing([_page_path(pages, number)]) as [path]:
        _rows(archive, sql, path, what, manners, n_rows)
    log.info("%s: %d rows", what, n_rows)


def page_query(archive: Mapping[str, Any], number: int, n_pages: int) -> str:
    """Return the query of one page: the rows whose integer `page_by` leaves this remainder.

    With `page_range` it is a stretch of `page_by`, which an index finds without reading the rest;
    the first and the last page are open, so that no row is left out.
    """
    return str(archive["sql"]).replace(PAGE_MARK, _condition(archive, number, n_pages))


def _condition(archive: Mapping[str, Any], number: int, n_pages: int) -> str:
    if n_pages == 1:
        return "1 = 1"
    column = archive["page_by"]
    if "page_range" not in archive:
        return f"{column} % {n_pages} = {number}"
    first, last = archive["page_range"]
    start, end = (first + (last + 1 - first) * edge // n_pages for edge in (number, number + 1))
    lower = [f"{column} >= {start}"] if number else []
    return " AND ".join([*lower, *([f"{column} < {end}"] if number + 1 < n_pages else [])])


def count_query(sql: str) -> str:
    """Return the query that counts the rows of another one.

    Without the list of columns where that is possible: SkyServer takes addresses of 2,048
    characters.
    """
    sql = _ORDER.sub("", sql)
    start = re.search(r"\bFROM\b", sql, re.IGNORECASE)
    if start and not _ROWS_CHANGED.search(sql):
        columns = sql[: start.start()]
        if columns.count("(") == columns.count(")"):
            return f"SELECT COUNT(*) AS n_rows {sql[start.start() :]}"
    return f"SELECT COUNT(*) AS n_rows FROM ({sql}) AS counted"


def _count(
    archive: Mapping[str, Any], sql: str, path: Path, what: str, manners: Manners
) -> int:  # fmt: skip
    """Return how many rows the archive says a query has."""
    counted = count_query(sql)

    def attempt() -> int:
        with _asked(archive, counted, path, manners):
            _, *values = rows_of(path)
        if len(values) != 1 or not values[0][0].isdigit():
            message = "the number of rows did not come"
            raise Trouble(message)
        return int(values[0][0])

    return with_patience(attempt, what, manners)


def _rows(
    archive: Mapping[str, Any], sql: str, page: Path, what: str, manners: Manners, n_rows: int
) -> None:
    """Write the rows of a query to `page`, as many as were counted."""
    answer = page.with_name("answer")

    def attempt() -> None:
        with _asked(archive, sql, answer, manners):
            _, n_came = copy_rows(answer, page, None)
        if n_came != n_rows:
            message = f"{n_came} of {n_rows} rows came"
            raise Trouble(message)

    with_patience(attempt, what, manners)


@contextmanager
def _asked(
    archive: Mapping[str, Any], sql: str, path: Path, manners: Manners
) -> Iterator[None]:  # fmt: skip
    """Let the archive's service write its answer to `path` for the time of the block."""
    SERVICES[archive["service"]](archive, sql, path, manners)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _join(archive: Mapping[str, Any], pages: list[Path], whole: Path) -> int:
    """Write all pages into one table; return the number of its rows."""
    n_rows, columns = 0, None
    with whole_or_nothing([whole]) as [partial]:
        for path in pages:
            try:
                columns, n_more = copy_rows(path, partial, columns)
            except ValueError as error:
                hint = f"the archive changed while it was asked: delete the folder {path.parent}"
                expected = str(columns)
                raise PassingBadInput(
                    archive["url"], "the columns", expected, str(error), hint
                ) from error
            n_rows += n_more
    return n_rows
