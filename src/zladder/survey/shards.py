"""One shard of the imaging survey, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zladder.config.imaging import fields_of_shard
from zladder.provenance.errors import BadInput
from zladder.survey.frame_files import write_field
from zladder.survey.imaging import lay_fields
from zladder.survey.scene_columns import scene_columns
from zladder.tables.read import read_table


def render_shard(
    settings: Mapping[str, Any], scene_file: Path, shard: tuple[int, int], folder: Path
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Write the frames of the fields whose number is dealt to the shard.

    Parameters
    ----------
    settings
        What `config.imaging.rendering_settings` returns, and ``seed``.
    scene_file
        The scene of all fields.
    shard
        Which of how many.
    folder
        Where ``{run}/{camcol}/frame-...`` go.

    Returns
    -------
    rows, counts
        The index, and how many objects of the scene were there, dealt to the shard, painted.

    Raises
    ------
    BadInput
        If the scene is damaged, or knows fields that the settings do not.
    """
    columns = scene_columns(list(settings["sdss"]["filters"]))
    scene = read_table(scene_file, "parquet", columns)
    numbers = set(fields_of_shard(settings, *shard))
    fields = lay_fields(settings, settings["seed"])
    grouped = dict(tuple(scene.groupby(["run", "camcol", "field"])))
    unknown = set(grouped) - {tuple(one.number) for one in fields}
    if unknown:
        hint = "the scene was made with other settings: run simulate_sky again"
        raise BadInput(scene_file, "columns run, camcol, field", "the fields of the settings",
                       f"field {sorted(unknown)[0]}", hint)  # fmt: skip
    rows: list[dict[str, Any]] = []
    n_painted = 0
    for field in fields:
        if field.number in numbers:
            objects = grouped.get(tuple(field.number), scene.iloc[:0])
            rows += write_field(folder, field, objects, settings, settings["seed"])
            n_painted += len(objects)
    dealt = int((scene["field"] % shard[1] == shard[0]).sum())
    return rows, {"objects_in": len(scene), "objects_of_shard": dealt, "objects_painted": n_painted}
