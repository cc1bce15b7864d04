"""What the rules of the page of the mock sky ask at parse time; nothing of it on a real sky."""

from __future__ import annotations

from dataclasses import dataclass

from zladder.config.cards import dataset_samples
from zladder.config.wiring_data import SIMULATED
from zladder.config.wiring_truth import TruthWiring
from zladder.provenance.digests import canonical_json

SHOWN_FIELDS = 4  # whose frames are measured back
MANYBAND_LABELS = "cosmos.fits"  # of the mock sky: these labels are compared with the truth
ASKED = {
    "n_main": "galaxies of the SDSS-like main sample", "n_deep": "deeper ones without a label",
    "n_specz": "spectroscopic labels", "n_photoz": "many-band photometric labels",
}  # fmt: skip


@dataclass(frozen=True)
class MockSkyWiring(TruthWiring):
    """The answers about what shows the simulated sky."""

    def held_samples(self) -> list[str]:
        """Return the samples of the simulated sky that real ones are known to compare with."""
        return [name for name in self.settings["real_samples"] if name in self.plan.samples]

    def quantiles(self) -> str:
        """Return what those real samples are like."""
        known = self.settings["real_samples"]
        return canonical_json({name: known[name] for name in self.held_samples()})

    def typed_dataset(self) -> list[str]:
        """Return the first labelled image dataset of the simulated sky; none without any."""
        entries, files = self.settings["catalogs"]["samples"], self.settings["survey_files"]
        for dataset in self.image_datasets():
            surveys = [files[entries[name]["labels"]] for name in self._samples(dataset)]
            if all("simulated" in survey["source"] for survey in surveys) and all(
                "z_true" in survey["columns"] for survey in surveys
            ):
                return [dataset]
        return []

    def _samples(self, dataset: str) -> list[str]:
        return dataset_samples(self.settings, dataset)

    def typed_stamps(self) -> list[str]:
        """Return the stamps of that dataset."""
        return [stamps for name in self.typed_dataset() for stamps in self.stamps_of(name)]

    def about_types(self) -> str:
        """Return what the wall of types prints."""
        files, entries = self.settings["survey_files"], self.settings["catalogs"]["samples"]
        shown = self.typed_dataset()
        samples = [sample for name in shown for sample in self._samples(name)]
        titles = [files[entries[sample]["photometry"]]["title"] for sample in samples]
        return canonical_json({"dataset": " ".join(shown), "surveys": list(dict.fromkeys(titles))})

    def about_frames(self) -> str:
        """Return how many fields are measured back, and the depth that the settings ask for."""
        depth = self.settings["survey"]["imaging"]["psf_depth_5sigma_mag"]
        return canonical_json({"n_fields": SHOWN_FIELDS, "depth_mag": depth})

    def about_mock_sky(self) -> str:
        """Return what the page of the mock sky prints."""
        survey = self.settings["survey"]
        numbers = {words: survey[key] for key, words in ASKED.items()}
        depth = survey["imaging"]["psf_depth_5sigma_mag"]
        estimated = {study: self.estimated_tests(study) for study in self.oracle_studies()}
        return canonical_json({"numbers": numbers, "depth_mag": depth, "estimated": estimated})

    def frame_indices(self) -> list[str]:
        """Return the indices of all shards of the simulated frames; none if none are painted."""
        return [f"{SIMULATED}/frames/{shard}.parquet" for shard in self.painted_shards()]

    def mock_figures(self) -> list[str]:
        """Return the figures of the mock sky; none where no sample is simulated."""
        if not self.held_samples():
            return []
        kinds = ["samples", "tracks", "dust"]
        kinds += ["wall"] if self.typed_dataset() else []
        kinds += ["frames"] if self.painted_shards() else []
        own = [f"<results>/report/mock_sky.{kind}.png" for kind in kinds]
        return own + [f"<results>/report/{study}.oracle.png" for study in self.oracle_studies()]

    def mock_tables(self) -> list[str]:
        """Return the tables that the page of the mock sky shows."""
        kinds = ["quantiles", *(["frames"] if self.painted_shards() else [])]
        tables = [f"<results>/report/mock_sky.{kind}.parquet" for kind in kinds]
        alarms = [table for study in self.plan.studies for table in self.found_of(study)
                  if table.endswith(("/leaks.parquet", "/side_information.parquet"))]  # fmt: skip
        alarms = list(dict.fromkeys(alarms))
        own = [f"{SIMULATED}/truth.parquet", *tables, *self.realism_tables()]
        flat = [f"<results>/report/{study}.pit.parquet" for study in self.oracle_studies()]
        return [*own, *self.compared_labels(), *flat, *alarms]

    def compared_labels(self) -> list[str]:
        """Return the table that holds many-band labels against the truth; none without any."""
        surveys = [self.settings["survey_files"][name] for name in self.plan.surveys]
        made = any(survey["source"].get("simulated") == MANYBAND_LABELS for survey in surveys)
        return ["<results>/metrics/labels.parquet"] if made else []

    def mock_pages(self) -> list[str]:
        """Return everything that the report shows of the mock sky."""
        figures = self.mock_figures()
        return [*figures, "<results>/report/mock_sky.html"] if figures else []
