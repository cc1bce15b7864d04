"""``zladder fetch --plan``: what would be fetched, how much it is, and what is missing for it."""

from __future__ import annotations

import shutil
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zladder.config.data import ALONE, LOCAL
from zladder.config.documents import read_yaml
from zladder.config.load import load_settings
from zladder.config.merge import overlay
from zladder.config.plan import make_plan
from zladder.provenance.code import SOURCE_ROOT
from zladder.provenance.errors import EXIT_DONE, require_known

if TYPE_CHECKING:
    from argparse import _SubParsersAction
    from collections.abc import Mapping, Sequence

    from zladder.survey.archives.listing import Part


def add_parser(subparsers: _SubParsersAction[ArgumentParser]) -> None:
    """Add ``fetch`` to the subcommands."""
    parser = subparsers.add_parser(
        "fetch",
        help="what archives would be asked for",
        description="Tell what `snakemake fetch_SURVEY` would fetch, from where, how many bytes, "
        "under which licence, what is here already, and what is missing. Nothing is fetched.",
    )
    help_text = ("papers (config/papers/PAPER.yaml), surveys, or entries of config/archives.yaml; "
                 "default: all surveys")  # fmt: skip
    parser.add_argument("names", nargs="*", metavar="NAME", help=help_text)
    parser.add_argument("--plan", action="store_true", required=True,
                        help="tell only; `snakemake fetch_SURVEY` fetches")  # fmt: skip
    help_text = "a file that snakemake gets too; may be repeated"
    parser.add_argument("--configfile", type=Path, action="append", default=[], help=help_text)
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    """Print the parts of each survey, or archives of these names, then the sum."""
    everything: list[Part] = []
    papers = [name for name in args.names if name in paper_files()]
    for paper in papers:
        settings = _settings([*args.configfile, paper_files()[paper]])
        everything += _print_named(settings, make_plan(settings).surveys, tell_all=False)
    names = [name for name in args.names if name not in papers]
    settings = _settings(args.configfile)
    if names or not papers:
        surveys = names or list(settings["survey_files"])
        everything += _print_named(settings, surveys, tell_all=bool(names))
    if not args.names:
        others = sorted(set(_files(settings)) - {part.archive for part in everything})
        sys.stdout.write(f"of no survey (data/fetched/{ALONE}/NAME): {', '.join(others)}\n")
    each = {(part.survey, part.part): part for part in everything}
    sys.stdout.write(_sum(list(each.values())))
    return EXIT_DONE


def paper_files() -> dict[str, Path]:
    """Return {paper: the file that puts it on its real data}."""
    folder = SOURCE_ROOT.parent / "config" / "papers"
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def _print_named(
    settings: Mapping[str, Any], names: Sequence[str], *, tell_all: bool
) -> list[Part]:
    """Print the parts of surveys and archives, and return them; those without any if asked."""
    from zladder.survey.archives.listing import alone, parts_of

    surveys, archives = settings["survey_files"], settings["archives"]
    results = Path("results") / f"{settings['sky']}-{settings['scale']}" / "catalogs"
    everything = []
    for name in names:
        known = [*paper_files(), *surveys, *_files(settings)]
        require_known(name, known, "zladder fetch", "NAME")
        title = (surveys if name in surveys else archives)[name]["title"]
        parts = parts_of(settings, name, results / f"{name}.parquet") if name in surveys else []
        parts = parts if name in surveys else [alone(settings, name)]
        everything += parts
        if parts or tell_all:
            sys.stdout.write(f"{name}: {title}\n")
            sys.stdout.write("".join(map(_told, parts)) or "  no archive has any of it\n")
    return everything


def _files(settings: Mapping[str, Any]) -> list[str]:
    """Return the archives that give one file each."""
    return [name for name, entry in settings["archives"].items() if entry["kind"] != "frames"]


def _settings(files: Sequence[Path]) -> dict[str, Any]:
    """Return the settings with the files laid over them, as Snakemake does."""
    root = SOURCE_ROOT.parent
    given = read_yaml(root / "config" / "config.yaml")
    for file in files:
        given = overlay(given, read_yaml(file))
    return load_settings(root, given)


def _told(part: Part) -> str:
    """Return the lines of one part."""
    entry = part.entry
    lines = [
        f"{part.part}: {_state(part)}",
        f"  {'at' if part.here else 'to'} {part.path}",
        f"  from {entry['url'] or 'an unknown address'} ({part.archive}, {entry['version']})",
        f"  licence: {entry['licence']}",
        f"  cite: {entry['citation']}",
    ]
    lines += [f"  {part.note}"] if part.note else []
    lines += [f"  unknown: {entry['unknown']}"] if "unknown" in entry and not part.here else []
    lines += [f"  missing: {', '.join(part.missing)}"] if part.missing else []
    return "".join(f"  {line}\n" for line in lines)


def _state(part: Part) -> str:
    if part.here:
        return f"here, {_bytes(part.total_bytes)}"
    size = f"{'about ' if part.about else ''}{_bytes(part.total_bytes)}"
    kept = f", {_bytes(part.kept_bytes)} of it are here" if part.kept_bytes else ""
    return f"to fetch, {size}{kept}"


def _sum(parts: Sequence[Part]) -> str:
    """Return what is still to come, and what is missing for it."""
    coming = [part for part in parts if not part.here]
    known = [part.total_bytes - part.kept_bytes for part in coming if part.total_bytes is not None]
    unknown = len(coming) - len(known)
    free = shutil.disk_usage(LOCAL if LOCAL.is_dir() else Path()).free
    lines = [f"to fetch: {len(coming)} of {len(parts)} parts, {_bytes(sum(known))}"
             + (f", and {unknown} of unknown size" if unknown else "")
             + f"; free here: {_bytes(free)}"]  # fmt: skip
    lines += ["not enough room: point ZLADDER_DATA or the link data/ at a larger disk"] * (
        sum(known) > free
    )
    missing = dict.fromkeys(word for part in coming for word in part.missing)
    lines += [f"missing: {', '.join(missing)}"] if missing else []
    return "".join(f"{line}\n" for line in lines)


def _bytes(n_bytes: int | None) -> str:
    return "of unknown size" if n_bytes is None else f"{n_bytes / 1e6:,.2f} MB"
