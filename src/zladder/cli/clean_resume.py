"""``make clean-resume``: forget the saved states of trainings that do not run any more."""

from __future__ import annotations

import logging
import shutil
import sys
from pathlib import Path

from zladder.learning.lease import is_held
from zladder.provenance.errors import EXIT_DONE

log = logging.getLogger("zladder")


def main() -> int:
    """Run the program on the results below the current folder; return its exit code."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    held = forget(Path("results"))
    for folder in held:
        log.info("left alone, a training works in it: %s", folder)
    return EXIT_DONE


def forget(results: Path) -> list[Path]:
    """Remove the resume folders of all results; return those left, whose lease is held."""
    folders = sorted(path for path in results.glob("*/resume/*") if path.is_dir())
    held = [folder for folder in folders if is_held(folder)]
    for folder in folders:
        if folder not in held:
            shutil.rmtree(folder)
    return held


if __name__ == "__main__":
    sys.exit(main())
