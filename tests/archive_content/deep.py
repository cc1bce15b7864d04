"""HSC, GalaxiesML, TransferZ, COSMOS2020 and CFHTLS, each as its archive publishes it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from tests.archive_content.small_sky import SEED, Tables
from zladder.config.imaging import stamp_settings
from zladder.survey.catalogues import write_csv, write_native
from zladder.survey.cutout_survey import write_cutouts

# what of the list of spectra, of the truth's links and of HSC's photometry GalaxiesML's table has
SPECTRUM = [
    "specz_name", "specz_ra", "specz_dec", "specz_redshift", "specz_redshift_err",
    "specz_flag_homogeneous", "specz_mag_i",
]  # fmt: skip


def write_deep(
    work: Path, settings: Mapping[str, Any], tables: Tables, served: Path
) -> dict[str, Path]:
    """Write what these archives serve of a sky below `served`; return {what: path}."""
    folder = served / "deep"
    folder.mkdir(parents=True)
    files = {
        "hsc": folder / "hsc_pdr2_wide_forced.csv",
        "cosmos": folder / "COSMOS2020_CLASSIC_R1_v2.1_p3.fits",
        "cfhtls": folder / "CFHTLS_ugriz_T0007.cat",
    }
    write_native(tables, files)
    files["galaxiesml"] = folder / "HSC_v6.csv"
    write_csv(galaxiesml_table(tables), files["galaxiesml"])
    files["galaxiesml_images"] = folder / "5x64x64_testing_with_morphology.hdf5"
    files["transferz_images"] = folder / "transferz_5x64x64_TESTING.h5"
    sets = {"specz": files["galaxiesml_images"], "photoz": files["transferz_images"]}
    targets, scene = tables["stamps_hsc"], tables["scene_hsc"]
    write_cutouts(stamp_settings(settings), SEED, targets, scene, work / "cutouts", sets)
    return files


def galaxiesml_table(tables: Tables) -> pd.DataFrame:
    """Return spectra with the HSC photometry of the same galaxy, joined as the real table is."""
    links = tables["truth"].loc[tables["truth"]["object_id"] > 0, ["object_id", "specz_name"]]
    table = tables["galaxiesml"].merge(links, on="specz_name").merge(tables["hsc"], on="object_id")
    # the list of spectra has no magnitude of its own: the survey's stands in
    table = table.assign(specz_mag_i=table["i_cmodel_mag"])
    photometry = [name for name in tables["hsc"] if "_cmodel_" in name]
    return table[["object_id", "ra", "dec", *SPECTRUM, *photometry]]
