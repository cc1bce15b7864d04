"""The registry of archives: what is published where, and which part of a survey it gives."""

from __future__ import annotations

from string import Formatter
from typing import TYPE_CHECKING, Any

from zladder.config.data import ALONE
from zladder.config.documents import read_yaml
from zladder.config.merge import holds, overlay, with_model
from zladder.config.schema import check
from zladder.provenance.errors import BadInput, nearest_hint, require_known

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

ARCHIVES_FILE = "config/archives.yaml"
PAGE_MARK = "{page}"
FRAME_FIELDS = frozenset({"rerun", "run", "camcol", "field", "band"})
# Words about an entry: they change nothing of what is fetched.
_WORDS = ("title", "version", "unknown", "licence", "citation", "bytes_about", "query")


def read_archives(root: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return {name: entry}, the user's values laid over the shipped ones, `like:` resolved.

    An entry of kind `sql` holds its query as `sql`, without comments, in one line.

    Raises
    ------
    BadInput
        What the schema refuses; a template of frames without a field; a query that cannot be paged.
    """
    documents = overlay(read_yaml(root / ARCHIVES_FILE), given)
    found = {
        name: with_model(entry, documents, ARCHIVES_FILE, f"{name}.like")
        for name, entry in documents.items()
    }

    def origin(path: Sequence[Any]) -> str:
        return "--configfile" if path and holds(given, path) else ARCHIVES_FILE

    check(found, root / "workflow" / "schemas" / "archives.schema.yaml", origin)
    for name, entry in found.items():
        if entry["kind"] == "sql":
            found[name] = {**entry, "sql": _query(root, name, entry)}
        elif entry["kind"] == "frames":
            _require_template(name, entry)
    return found


def fetching_of(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of an entry decides what is fetched: a better title fetches nothing again."""
    return {key: value for key, value in entry.items() if key not in _WORDS}


def require_archives(settings: Mapping[str, Any]) -> None:
    """Refuse a survey that names an entry that is not there, or of another kind.

    Raises
    ------
    BadInput
        With the survey's file, the path of the mention, and the nearest name.
    """
    archives = settings["archives"]
    images = [name for name, entry in archives.items() if entry["kind"] == "frames"]
    for name, survey in settings["survey_files"].items():
        if name == ALONE:
            expected, hint = "another name", "data/fetched/archives holds what no survey asks for"
            raise BadInput(f"config/surveys/{name}.yaml", "its name", expected, name, hint)
        file = f"config/surveys/{name}.yaml"
        for part, archive in survey["source"].get("fetch", {}).items():
            others = [known for known in archives if known not in images]
            require_known(archive, others, file, f"source.fetch.{part}")
        if "archive" in survey.get("frames", {}):
            require_known(survey["frames"]["archive"], images, file, "frames.archive")


def _query(root: Path, name: str, entry: Mapping[str, Any]) -> str:
    """Return the query of an entry in one line, its comments left out."""
    text = entry.get("sql")
    if text is None:
        folder = root / "config" / "queries"
        known = sorted(path.name for path in folder.glob("*.sql"))
        file = entry.get("query")
        if file not in known:
            hint = nearest_hint(
                str(file), known, "put the file there, or write the query as `sql:`"
            )
            raise BadInput(ARCHIVES_FILE, f"{name}.query", f"one of {known}", repr(file), hint)
        text = (folder / file).read_text(encoding="utf-8")
    words = " ".join(line.partition("--")[0] for line in text.splitlines()).split()
    query = " ".join(words)
    paged = entry.get("pages", 1) > 1
    if paged and (PAGE_MARK not in query or "page_by" not in entry):
        found = "no such place" if PAGE_MARK not in query else "no `page_by`"
        expected = f"a query with {PAGE_MARK} in its WHERE, and the integer column `page_by`"
        hint = "or ask for it in one page"
        raise BadInput(ARCHIVES_FILE, f"{name}.pages", expected, found, hint)
    first, last = entry.get("page_range", (0, 1))
    if last <= first:
        expected, hint = "two numbers, the smaller first", "the ends of `page_by`"
        raise BadInput(ARCHIVES_FILE, f"{name}.page_range", expected, f"{first}, {last}", hint)
    return query


def _require_template(name: str, entry: Mapping[str, Any]) -> None:
    """Refuse an address of frames whose fields are not those of a frame."""
    url = entry["url"]
    if url is None:
        return
    fields = {field for _, field, _, _ in Formatter().parse(url) if field is not None}
    if not {"run", "camcol", "field", "band"} <= fields <= FRAME_FIELDS:
        expected = "{run}, {camcol}, {field}, {band}, and {rerun} if it is in it"
        hint = "see the entry sdss_dr12_frames"
        raise BadInput(ARCHIVES_FILE, f"{name}.url", expected, f"{sorted(fields)}", hint)
