"""What tests of ``zladder predict`` share: one's own catalogue, its survey, other runs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tests import toys
from zladder.learning.controls import save_control
from zladder.learning.reference import write_card
from zladder.train.controls import train_control

SURVEY = """\
bands: [g, r, i]
file_format: csv
columns:
  object_id: id
  z_true: z spec
  mag_g: u-g
  mag_r: {native: flux r, unit: nJy}
  mag_i: i
sentinels: {-99: not_observed}
kind: photo
"""


def refused(outcome: tuple[int, str, Path], *parts: str) -> None:
    """Assert that a run was refused in these words and left no file."""
    code, message, out = outcome
    assert code == 2, message
    assert message.startswith("bad input: ")
    for part in parts:
        assert part in message
    assert not out.exists()
    assert not list(out.parent.glob(".partial*"))


def own_table(path: Path) -> pd.DataFrame:
    """Write a catalogue with columns of its own: a flux, a sentinel, names like `u-g`.

    Returns the galaxies it was made of, in the standard columns.
    """
    frame = toys.galaxies(20, seed=9)
    flux_njy = 3631e9 * 10 ** (-0.4 * frame["mag_r"])
    columns = {"id": frame["object_id"], "z spec": frame["z_true"], "u-g": frame["mag_g"],
               "flux r": flux_njy, "i": frame["mag_i"]}  # fmt: skip
    own = pd.DataFrame(columns)
    own.loc[4, "i"] = -99
    own.to_csv(path, index=False)
    return frame


def trained(
    results: Path, folder: Path, bands: list[str] | None = None, dereddened: bool = False
) -> str:
    """Train the toy's control on other inputs; return its folder, which names the run."""
    bands = bands or toys.BANDS
    card = toys.control_card(kind="knn", neighbours=5)
    card["inputs"] = card["inputs"] | {"bands": bands, "dereddened": dereddened}
    dataset = results / "mock-test/datasets/toy.parquet"
    if bands != toys.BANDS:
        frame = pd.read_parquet(dataset)
        for band in bands:
            frame[f"mag_{band}"] = frame.get(f"mag_{band}", frame["mag_i"])
        dataset = toys.write_dataset(folder / "wide.parquet", frame)
    folder.mkdir(exist_ok=True)
    arrays, reference = train_control(card, dataset)
    save_control(folder / "weights.safetensors", arrays, card)
    write_card(folder / "card.json", card, reference)
    return str(folder)
