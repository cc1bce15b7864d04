"""Finding runs on disk."""

from __future__ import annotations

from pathlib import Path

from zladder.provenance.errors import BadInput, nearest_hint


def run_folders(results: Path) -> dict[str, list[Path]]:
    """Return {run: its folders}, one for each sky and scale below `results`."""
    found: dict[str, list[Path]] = {}
    for folder in sorted(results.glob("*/runs/*/")):
        if any(folder.glob("card.json")):
            found.setdefault(folder.name, []).append(folder)
    return found


def find_run(name: str, results: Path) -> Path:
    """Return the folder of a run given by its name or by its folder.

    Raises
    ------
    BadInput
        If there is none, or the name stands for runs of several skies or scales.
    """
    if (Path(name) / "card.json").is_file():
        return Path(name)
    runs = run_folders(results)
    folders = runs.get(name, [])
    if len(folders) == 1:
        return folders[0]
    if folders:
        expected, found = "one run", ", ".join(map(str, folders))
        raise BadInput(results, f"run '{name}'", expected, found, "give the folder instead")
    hint = nearest_hint(name, runs, "`zladder runs` lists what there is")
    expected = ", ".join(runs) or "a trained run"
    raise BadInput(results, f"run '{name}'", expected, "no such run", hint)


def model_file(folder: Path) -> Path:
    """Return the model of a run's folder."""
    return folder / "weights.safetensors"
