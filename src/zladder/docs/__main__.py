"""``python -m zladder.docs [--check]``: write the generated pages, or say what has drifted."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path

from zladder.docs.pages import drift, generated_pages
from zladder.provenance.outputs import write_text_whole

ROOT = Path(__file__).resolve().parents[3]


def main(argv: list[str] | None = None) -> int:
    """Write the pages and return 0; with --check write nothing, return 1 if any has drifted."""
    parser = ArgumentParser(prog="python -m zladder.docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare; exit 1 on drift")
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout")
    args = parser.parse_args(argv)
    if args.check:
        found = drift(args.root)
        sys.stdout.write(f"{found}\nrun `make docs`\n" if found else "")
        return 1 if found else 0
    for file, text in generated_pages(args.root).items():
        write_text_whole(args.root / file, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
