"""HSC, GalaxiesML, TransferZ, COSMOS2020 and CFHTLS, each as its archive publishes it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from tests.archive_content.hdf5 import split
from tests.archive_content.places import Places
from tests.archive_content.small_sky import SEED, Tables
from zladder.config.imaging import stamp_settings
from zladder.survey.catalogues import write_csv, write_native
from zladder.survey.cutout_survey import write_cutouts

CFHTLS = "CFHTLS_ugriz_T0007.cat"  # its address is not known
SETS = {"specz": "galaxiesml_images", "photoz": "transferz_images"}
PARTS = {"train": slice(12), "validation": slice(12, 20), "test": slice(20, None)}
# what of the list of spectra, of the truth's links and of HSC's photometry GalaxiesML's table has
SPECTRUM = [
    "specz_name", "specz_ra", "specz_dec", "specz_redshift", "specz_redshift_err",
    "specz_flag_homogeneous", "specz_mag_i",
]  # fmt: skip


def write_deep(work: Path, settings: Mapping[str, Any], tables: Tables, at: Places) -> None:
    """Write what these archives serve of a sky."""
    write_csv(tables["hsc"], at.list_of("hsc_pdr2_cosmos"))
    files = {"cosmos": at.file("cosmos2020_classic"), "cfhtls": at.folder / CFHTLS}
    write_native(tables, files)
    write_csv(galaxiesml_table(tables), at.file("galaxiesml_v6"))
    sets = {name: work / f"{name}.h5" for name in SETS}
    targets, scene = tables["stamps_hsc"], tables["scene_hsc"]
    write_cutouts(stamp_settings(settings), SEED, targets, scene, work / "cutouts", sets)
    for name, published in SETS.items():
        split(sets[name], {at.file(f"{published}_{part}"): rows for part, rows in PARTS.items()})


def galaxiesml_table(tables: Tables) -> pd.DataFrame:
    """Return spectra with the HSC photometry of the same galaxy, joined as the real table is."""
    links = tables["truth"].loc[tables["truth"]["object_id"] > 0, ["object_id", "specz_name"]]
    table = tables["galaxiesml"].merge(links, on="specz_name").merge(tables["hsc"], on="object_id")
    # the list of spectra has no magnitude of its own: the survey's stands in
    table = table.assign(specz_mag_i=table["i_cmodel_mag"])
    photometry = [name for name in tables["hsc"] if "_cmodel_" in name]
    return table[["object_id", "ra", "dec", *SPECTRUM, *photometry]]
