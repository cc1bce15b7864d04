"""Text tables: comma-separated, or with blanks between the values."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from itertools import chain
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow.csv import ConvertOptions, InvalidRow, ParseOptions, ReadOptions, read_csv

from zladder.provenance.errors import BadInput
from zladder.tables.check import chosen_columns
from zladder.tables.text_types import narrowed, typed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

# Words that public catalogues write where there is no value.
NO_VALUE = ["", "nan", "NaN", "NAN", "-nan", "NA", "N/A", "null", "NULL", "None", "--"]

BLOCK_BYTES = 1 << 25  # of text, held at a time

_BLANKS = re.compile(rb"[ \t\r\f\v]+")
_DECLARE = "declare the file's column names in the survey (names: [...])"


def text_batches(
    path: Path,
    delimiter: str,
    columns: Sequence[str] | None,
    names: Sequence[str] | None,
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[pa.Table]:
    """Yield the table of a text file, gzip-compressed or not, a block of rows at a time.

    The header is the first line when none of its values is a number but some of the next line's
    are; else the last of the leading lines that begin with '#' when it names as many columns as the
    first row has values; else the first line when none of its values is a number. Further lines
    that begin with '#' are comments.
    A column has one type in all blocks: the first of integer, float, boolean, text that all of its
    values can be read as. A file of more than one block is therefore read twice.

    Parameters
    ----------
    path
        The file.
    delimiter
        ``,`` or a blank; a blank stands for any run of blanks and tabs.
    columns
        The columns to return; all when None.
    names
        Names for all columns of the file, used instead of its header line.
    block_bytes
        Bytes of text that are held at a time; the values do not depend on it.

    Raises
    ------
    BadInput
        Ragged rows, a header that does not fit the rows, no header, unreadable text.
    """
    kinds: dict[str, pa.DataType] = {}  # the best guess so far: the next block is parsed by it
    left: dict[str, list[pa.DataType]] = {}
    blocks = _parsed_blocks(path, delimiter, columns, names, block_bytes, kinds)
    first = next(blocks)
    kinds.update(narrowed(left, first))
    second = next(blocks, None)
    if second is None:
        yield typed(first, kinds)
        return
    for block in chain([second], blocks):
        kinds.update(narrowed(left, block))
    for block in _parsed_blocks(path, delimiter, columns, names, block_bytes, kinds):
        yield typed(block, kinds)


def _parsed_blocks(
    path: Path,
    delimiter: str,
    columns: Sequence[str] | None,
    names: Sequence[str] | None,
    block_bytes: int,
    kinds: Mapping[str, pa.DataType],
) -> Iterator[pa.Table]:
    """Yield the rows of each block, at least one table, perhaps without rows.

    Columns are text, or of the kind given where the parser can read it so.
    """
    header: list[str] = []
    chosen: list[str] | None = None
    n_rows = 0
    for raw in _blocks(path, block_bytes):
        content = raw
        if delimiter == " ":
            content = b"\n".join(line.strip() for line in _BLANKS.sub(b" ", raw).split(b"\n"))
        if chosen is None:
            header, start = read_header(path, content, delimiter, names)
            chosen, content = chosen_columns(header, columns, path), content[start:]
        content = _without_comments(content)
        table = _parse(path, content, delimiter, header, chosen, n_rows, kinds)
        n_rows += table.num_rows
        yield table


def _without_comments(rows: bytes) -> bytes:
    if b"#" not in rows or (b"\n#" not in rows and not rows.startswith(b"#")):
        return rows
    return b"".join(line for line in io.BytesIO(rows) if not line.startswith(b"#"))


def read_content(path: Path) -> bytes:
    """Return a text file's bytes, decompressed, no byte-order mark, Unix line ends.

    Raises
    ------
    BadInput
        A gzip file that is cut off or damaged; bytes that are no UTF-8.
    """
    return b"".join(_blocks(path, BLOCK_BYTES))


def _blocks(path: Path, block_bytes: int) -> Iterator[bytes]:
    """Yield the file's bytes as `read_content` gives them, cut at the ends of lines."""
    position = 0
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            while raw := stream.read(block_bytes) + stream.readline():
                _require_text(path, raw, position)
                mark = b"\xef\xbb\xbf" if position == 0 else b""
                position += len(raw)
                yield raw.removeprefix(mark).replace(b"\r\n", b"\n")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BadInput(path, "end of file", "a whole gzip file", str(error),
                       "fetch or copy the file again") from error  # fmt: skip
    if position == 0:
        yield b""  # a compressed file of nothing


def _require_text(path: Path, raw: bytes, position: int) -> None:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(path, f"byte {position + error.start + 1}", "text in UTF-8",
                       f"the byte 0x{raw[error.start]:02x}",
                       "convert it, for example with iconv") from error  # fmt: skip


def read_header(
    path: Path, content: bytes, delimiter: str, names: Sequence[str] | None
) -> tuple[list[str], int]:
    """Return the column names and the byte at which the rows begin.

    Parameters
    ----------
    path
        The file, for messages.
    content
        Its text, or its beginning up to the second line that is neither empty nor a comment.
    delimiter, names
        As for `text_batches`.

    Raises
    ------
    BadInput
        No header line, or names that are not as many as the first row has values.
    """
    comment: list[str] | None = None
    start = 0
    for line in io.BytesIO(content):
        words = split_words(line, delimiter)
        if words and words[0].startswith("#"):
            text = line.decode().strip().lstrip("#").strip()
            comment = split_words(text.encode(), delimiter)
        elif words:
            break
        start += len(line)
    else:
        return list(names or comment or []), len(content)
    plain = not any(_is_number(word) for word in words)
    if names is not None:
        return fitting_names(path, list(names), words), start + len(line) if plain else start
    titled = plain and _has_numbers(content[start + len(line) :], delimiter)
    if comment is not None and len(comment) == len(words) and not titled:
        return comment, start
    if plain:
        return words, start + len(line)
    return fitting_names(path, comment, words), start


def _has_numbers(content: bytes, delimiter: str) -> bool:
    """Return whether the first row holds a number, so that a line of words above is its header."""
    for line in io.BytesIO(content):
        words = split_words(line, delimiter)
        if words and not words[0].startswith("#"):
            return any(_is_number(word) for word in words)
    return False


def fitting_names(path: Path, names: list[str] | None, row: list[str]) -> list[str]:
    """Return the column names if they are as many as the row has values.

    Raises
    ------
    BadInput
        No names, or more or fewer than values.
    """
    if names is None:
        raise BadInput(path, "line 1", "a header line with the column names",
                       f"numbers: {' '.join(row[:4])} …", _DECLARE)  # fmt: skip
    if len(names) != len(row):
        raise BadInput(path, "header", f"{len(row)} column names, as row 1 has values",
                       f"{len(names)}: {' '.join(names)}", _DECLARE)  # fmt: skip
    return names


def split_words(line: bytes, delimiter: str) -> list[str]:
    """Return the values of a line, stripped of blanks; none for an empty line."""
    text = line.decode().strip()
    if not text:
        return []
    if delimiter == " ":
        return text.split()
    return [word.strip() for word in next(csv.reader([text], delimiter=delimiter))]


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _parse(
    path: Path,
    rows: bytes,
    delimiter: str,
    header: list[str],
    chosen: list[str],
    before: int,
    kinds: Mapping[str, pa.DataType],
) -> pa.Table:
    """Return a block's rows; `before` rows stand in earlier blocks."""
    if not rows.strip():
        return pa.table({name: pa.array([], pa.string()) for name in chosen})
    ragged: list[InvalidRow] = []

    def remember(row: InvalidRow) -> str:
        ragged.append(row)
        return "error"

    try:
        return read_csv(
            io.BytesIO(rows),
            # One thread: only then does a ragged row know its number.
            ReadOptions(column_names=header, use_threads=False, block_size=1 << 24),
            ParseOptions(
                delimiter=delimiter,
                quote_char=False if delimiter == " " else '"',
                invalid_row_handler=remember,
            ),
            ConvertOptions(
                include_columns=chosen,
                column_types={name: kinds.get(name, pa.string()) for name in header},
                null_values=NO_VALUE,
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid as error:
        if kinds and not ragged:  # a number written as the parser alone does not read it
            return _parse(path, rows, delimiter, header, chosen, before, {})
        if not ragged:
            raise BadInput(path, "rows", "a text table", str(error),
                           "is this the format that the survey declares?") from error  # fmt: skip
        row = ragged[0]
        raise BadInput(
            path, f"row {before + row.number}", f"{row.expected_columns} values",
            f"{row.actual_columns}: '{row.text[:60]}'",
            "is the file cut off, or is a value missing in this row?",
        ) from error  # fmt: skip
