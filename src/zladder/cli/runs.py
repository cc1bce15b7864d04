"""``zladder runs``: what was trained, what is unfinished, what it cost."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from zladder.cli.locate import model_file, run_folders
from zladder.learning.lease import is_held
from zladder.provenance.errors import EXIT_DONE

if TYPE_CHECKING:
    from argparse import _SubParsersAction

HEADER = ("run", "sky-scale", "state", "epochs", "galaxies", "seconds")


def add_parser(subparsers: _SubParsersAction[ArgumentParser]) -> None:
    """Add ``runs`` to the subcommands."""
    parser = subparsers.add_parser(
        "runs",
        help="what was trained, what is unfinished, what it cost",
        description="List the runs below the results folder with their state and cost.",
    )
    parser.add_argument("--results", type=Path, default=Path("results"), help="default: results")
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    """Print one line a run."""
    rows = [row for folders in run_folders(args.results).values() for row in map(_trained, folders)]
    rows += [_unfinished(folder) for folder in sorted(args.results.glob("*/resume/*/"))]
    widths = [max(len(row[i]) for row in [HEADER, *rows]) for i in range(len(HEADER))]
    for row in [HEADER, *rows]:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        sys.stdout.write("  ".join(cells).rstrip() + "\n")
    return EXIT_DONE


def _trained(folder: Path) -> tuple[str, ...]:
    """Return the line of a run that has an output folder."""
    sidecar = folder / "sidecar.json"
    if not sidecar.is_file() or not model_file(folder).is_file():
        return (folder.name, folder.parents[1].name, "incomplete", "", "", "")
    content = json.loads(sidecar.read_text(encoding="utf-8"))
    seconds = content.get("training_seconds", content["seconds"])
    epochs = str(content.get("epochs", ""))
    return (folder.name, folder.parents[1].name, "done", epochs, str(content["n_train"]),
            f"{seconds:.1f}")  # fmt: skip


def _unfinished(folder: Path) -> tuple[str, ...]:
    """Return the line of a training with a resume folder."""
    name = folder.name.rsplit("-", 1)[0]
    state = "training" if is_held(folder) else "unfinished"
    epochs, seconds = _progress(folder / "checkpoint.safetensors")
    return (name, folder.parents[1].name, state, epochs, "", seconds)


def _progress(checkpoint: Path) -> tuple[str, str]:
    """Return (epoch, seconds) of a checkpoint; empty before the first."""
    if not checkpoint.is_file():
        return "", ""
    with checkpoint.open("rb") as stream:  # the header of a safetensors file, without torch
        length = int.from_bytes(stream.read(8), "little")
        metadata = json.loads(stream.read(length))["__metadata__"]
    progress = json.loads(metadata["progress"])
    return str(progress["epoch"]), f"{progress['seconds']:.1f}"
