"""What the rules of the stages from survey to datasets ask at parse time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zladder.config.archives import fetching_of
from zladder.config.cards import dataset_samples
from zladder.config.data import (
    ALONE,
    catalogue_parts,
    fetched_frames,
    fetched_path,
    survey_files,
)
from zladder.config.grids import reach_rows
from zladder.config.imaging import rendering_settings, stamp_settings, tile_settings
from zladder.config.instruments import tabulated_settings
from zladder.config.selections import sample_cuts
from zladder.provenance.digests import canonical_json, derive_seed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zladder.config.plan import Plan


SIMULATED = "<results>/survey"
MEASURED_SURVEY = "mock_sdss_measured"
# Which oracle knows how labels and photometry were simulated, and what it reads of the settings.
ORACLE_KINDS = {
    ("sdss.csv", "sdss.csv"): "main",
    ("galaxiesml.csv", "hsc.csv"): "spectroscopic",
    ("cosmos.fits", "hsc.csv"): "photometric",
}
# Oracles that are not exact: what they know of the selection is estimated.
ESTIMATED_ORACLES = ("photometric",)
ORACLE_SELECTIONS = {
    "spectroscopic": "selection.csv",
    "photometric": "selection_photoz.parquet",
}
ORACLE_SURVEYS = {"main": "sdss", "spectroscopic": "hsc", "photometric": "hsc"}
ORACLE_BLOCKS = {
    "main": ("population", "sed", "dust", "sdss", "morphology"),
    "spectroscopic": ("population", "sed", "dust", "hsc", "spectroscopy"),
    "photometric": ("population", "sed", "dust", "hsc", "manyband"),
}


def fetched_index(survey: str, shard: str) -> str:
    """Return the index of the frames that are fetched for a shard of a survey."""
    return f"{SIMULATED}/fetched/{survey}/{shard}.parquet"


@dataclass(frozen=True)
class DataWiring:
    """The answers about surveys, catalogues, samples, stamps and datasets."""

    settings: Mapping[str, Any]
    plan: Plan

    def study_seed(self, study: str) -> int:
        """Return the seed of all that is drawn in evaluating a study."""
        return derive_seed(self.settings["master_seed"], "evaluate", study)

    def native_files(self, survey: str) -> dict[str, str]:
        """Return {part: native file} of a survey's catalogue."""
        document = self.settings["survey_files"][survey]
        files = survey_files(survey, document, SIMULATED)
        return {part: files[part] for part in catalogue_parts(document, files)}

    def fetching(self) -> str:
        """Return how archives are asked; no param of a rule: it changes nothing of what comes."""
        return canonical_json(self.settings["fetching"])

    def fetched_places(self, kind: str) -> list[str]:
        """Return SURVEY/PART of all parts that an archive of a kind gives, and archives/NAME."""
        parts = {**self._parts(), **self._alone()}
        return [place for place, name in parts.items() if self._archive(name)["kind"] == kind]

    def archive(self, place: str) -> str:
        """Return the entry that gives SURVEY/PART, without its words."""
        name = {**self._parts(), **self._alone()}[place]
        return canonical_json({"name": name, **fetching_of(self._archive(name))})

    def fetch_targets(self) -> dict[str, list[str]]:
        """Return {survey: files that fetching it makes} for the surveys that can be fetched.

        Frames are among them where the survey is one of this DAG: its catalogue tells which.
        """
        targets: dict[str, list[str]] = {}
        for place in self._parts():
            survey, _, part = place.partition("/")
            targets.setdefault(survey, []).append(fetched_path(survey, part))
        for survey in self.framed_surveys():
            shards = range(self.settings["cutouts"]["n_shards"])
            found = targets.setdefault(survey, [])
            found += [fetched_index(survey, str(shard)) for shard in shards]
        return targets

    def framed_surveys(self) -> list[str]:
        """Return the surveys of this DAG whose frames an archive has."""
        surveys = self.settings["survey_files"]
        return [name for name in self.plan.surveys if "archive" in surveys[name].get("frames", {})]

    def frames_archive(self, survey: str) -> str:
        """Return the entry that gives a survey's frames, without its words."""
        name = self.settings["survey_files"][survey]["frames"]["archive"]
        return canonical_json({"name": name, **fetching_of(self._archive(name))})

    def fetched_frames(self, survey: str) -> str:
        """Return the folder of a survey's fetched frames."""
        return fetched_frames(survey)

    def reach_rows(self, survey: str) -> float | None:
        """Return how far stamps of a survey may reach into the fields beside those of galaxies."""
        frames = self.settings["survey_files"][survey]["frames"]
        return reach_rows(self.settings["cutouts"], frames)

    def bands(self, survey: str) -> list[str]:
        """Return the bands of a survey."""
        return list(self.settings["survey_files"][survey]["bands"])

    def _parts(self) -> dict[str, str]:
        """Return {SURVEY/PART: archive} of all surveys."""
        return {
            f"{survey}/{part}": archive
            for survey, document in self.settings["survey_files"].items()
            for part, archive in document["source"].get("fetch", {}).items()
        }

    def _alone(self) -> dict[str, str]:
        """Return {archives/NAME: NAME}: an entry may be fetched by itself."""
        return {f"{ALONE}/{name}": name for name in self.settings["archives"]}

    def _archive(self, name: str) -> dict[str, Any]:
        """Return an entry of the registry."""
        return dict(self.settings["archives"][name])

    def reading(self, survey: str) -> str:
        """Return the settings that reading a survey's native tables depends on."""
        document = self.settings["survey_files"][survey]
        read = {key: document[key] for key in document if key not in _NOT_READ}
        if "images" in document:
            read["pictured"] = True
        if "stored_extinction_per_ebv" in document:
            read["extinction_per_ebv"] = document["extinction_per_ebv"]
        return canonical_json({"name": survey, **read})

    def tabulation(self) -> str:
        """Return the settings that the tables of photometry depend on."""
        return canonical_json(tabulated_settings(self.settings["survey"]))

    def simulation(self) -> str:
        """Return the settings of the mock sky."""
        seed = derive_seed(self.settings["master_seed"], "survey", "mock")
        return canonical_json({**self.settings["survey"], "seed": seed})

    def comparing_labels(self) -> str:
        """Return what the comparison of the mock sky's many-band labels depends on."""
        shares = self.settings["survey"]["manyband"]["shares_hsc_noise"]
        return canonical_json({"shares_hsc_noise": shares})

    def rendering(self) -> str:
        """Return the settings that painting the frames of the mock sky depends on."""
        seed = derive_seed(self.settings["master_seed"], "survey", "mock")  # the sky's own
        return canonical_json({**rendering_settings(self.settings["survey"]), "seed": seed})

    def measuring(self) -> str:
        """Return the settings that measuring fluxes on the frames depends on."""
        seed = derive_seed(self.settings["master_seed"], "survey", "mock")  # the sky's own
        rendering = rendering_settings(self.settings["survey"])
        measured = self.settings["survey_files"][MEASURED_SURVEY]["measured"]
        return canonical_json({**rendering, "measured": measured, "seed": seed})

    def tiling(self) -> str:
        """Return the settings that painting the CFHTLS-like tiles depends on."""
        seed = derive_seed(self.settings["master_seed"], "survey", "mock")  # the sky's own
        return canonical_json({**tile_settings(self.settings["survey"]), "seed": seed})

    def stamping(self) -> str:
        """Return the settings that painting the HSC-like cutouts depends on."""
        seed = derive_seed(self.settings["master_seed"], "survey", "mock")  # the sky's own
        return canonical_json({**stamp_settings(self.settings["survey"]), "seed": seed})

    def catalog_of(self, sample: str, part: str) -> str:
        """Return the catalogue that gives a sample its `labels` or its `photometry`."""
        survey = self.settings["catalogs"]["samples"][sample][part]
        return f"<results>/catalogs/{survey}.parquet"

    def match_of(self, sample: str) -> list[str]:
        """Return the match file of a sample; none where one survey gives both."""
        entry = self.settings["catalogs"]["samples"][sample]
        matched = entry["labels"] != entry["photometry"]
        return [f"<results>/catalogs/match/{sample}.parquet"] if matched else []

    def match_radius_arcsec(self, sample: str) -> float:
        """Return the match radius of a sample."""
        return float(self.settings["catalogs"]["samples"][sample]["match_radius_arcsec"])

    def match_to(self, sample: str) -> str:
        """Return the condition on photometric objects that may be matched; empty for none."""
        return str(self.settings["catalogs"]["samples"][sample].get("match_to", ""))

    def match_magnitude(self, sample: str) -> str:
        """Return the column that a match's completeness is shown against: the middle band's."""
        survey = self.settings["catalogs"]["samples"][sample]["photometry"]
        bands = self.settings["survey_files"][survey]["bands"]
        return f"mag_{bands[len(bands) // 2]}"

    def selection(self, sample: str) -> str:
        """Return the settings that selecting a sample depends on."""
        entry = self.settings["catalogs"]["samples"][sample]
        survey = self.settings["survey_files"][entry["photometry"]]
        kind = {key: survey[key] for key in ("flux_kind",) if key in survey}
        cuts = sample_cuts(self.settings, sample)
        return canonical_json({"name": sample, "deredden": entry["deredden"], "cuts": cuts, **kind})

    def realism_samples(self) -> list[str]:
        """Return the simulated samples that references describe."""
        surveys, entries = self.settings["survey_files"], self.settings["catalogs"]["samples"]
        described = {entry["sample"] for entry in self.settings["reference_files"].values()}
        return [
            name
            for name in self.plan.samples
            if name in described and "simulated" in surveys[entries[name]["photometry"]]["source"]
        ]

    def realism_tables(self) -> list[str]:
        """Return the table of how real the sky looks, if any of it is simulated."""
        return ["<results>/metrics/realism.parquet"] if self.realism_samples() else []

    def realism(self) -> str:
        """Return the references of those samples."""
        files, samples = self.settings["reference_files"], self.realism_samples()
        return canonical_json({n: files[n] for n in files if files[n]["sample"] in samples})

    def oracle_samples(self) -> list[str]:
        """Return the tested samples whose population and selection are known: of the mock sky."""
        known = [sample for sample in self.plan.samples if self._oracle_kind(sample)]
        return [sample for sample in known if self.held_out_of(sample)]

    def oracles_for(self, sample: str) -> list[str]:
        """Return the oracles that know a sample; the second where the catalogue lists shapes."""
        kind = self._oracle_kind(sample)
        shapes = "morphology" in ORACLE_BLOCKS.get(kind, ())
        return [*(["oracle"] if kind else []), *(["oracle_structure"] if shapes else [])]

    def _oracle_kind(self, sample: str) -> str:
        """Return which oracle answers for a sample; nothing if none does."""
        entry, surveys = self.settings["catalogs"]["samples"][sample], self.settings["survey_files"]
        parts = (surveys[entry[part]]["source"] for part in ("labels", "photometry"))
        labels, photometry = (str(source.get("simulated")) for source in parts)
        return ORACLE_KINDS.get((labels, photometry), "")

    def is_estimated(self, sample: str) -> bool:
        """Return whether a sample has an oracle that is not exact."""
        return self._oracle_kind(sample) in ESTIMATED_ORACLES

    def selection_of(self, sample: str) -> list[str]:
        """Return what the sky wrote of a sample's selection; nothing where the settings say all."""
        file = ORACLE_SELECTIONS.get(self._oracle_kind(sample))
        return [f"{SIMULATED}/{file}"] if file else []

    def oracle_settings(self, sample: str) -> str:
        """Return what the oracle of a sample knows: its kind and what the sky is made by."""
        kind, entry = self._oracle_kind(sample), self.settings["catalogs"]["samples"][sample]
        sky = self.settings["survey"]
        known = {key: sky[key] for key in ORACLE_BLOCKS[kind]}
        survey, block = self.settings["survey_files"][entry["photometry"]], ORACLE_SURVEYS[kind]
        rescaled = "stored_extinction_per_ebv" in survey
        scale = survey["extinction_per_ebv"] if rescaled else sky[block]["extinction_per_ebv"]
        bands = {band: scale[band] for band in survey["bands"]}
        listed = {"dereddened": entry["deredden"], "extinction_per_ebv": bands}
        return canonical_json({"kind": kind, "listed": listed, **known})

    def held_out_of(self, sample: str) -> list[str]:
        """Return the datasets with galaxies of a sample that studies are scored on."""
        tested = {
            name
            for study in self.plan.studies
            for name in self.settings["study_files"][study]["test_on"]
        }
        return [
            f"<results>/datasets/{name}.parquet"
            for name in self.plan.datasets
            if name in tested and sample in dataset_samples(self.settings, name)
        ]

    def samples_of(self, dataset: str) -> list[str]:
        """Return the sample files of a dataset, in the order of their precedence."""
        names = dataset_samples(self.settings, dataset)
        return [f"<results>/samples/{name}.parquet" for name in names]

    def catalogue_datasets(self) -> list[str]:
        """Return the datasets without stamps."""
        return [name for name in self.plan.datasets if not self.has_images(name)]

    def has_images(self, dataset: str) -> bool:
        """Return whether a dataset is an index over stamps."""
        return "images" in self.settings["datasets"]["datasets"][dataset]

    def building(self, dataset: str) -> str:
        """Return the settings that building a dataset depends on."""
        stage = self.settings["datasets"]
        return canonical_json(
            {
                **split_settings(self.settings, dataset),
                "splits": stage["splits"],
                "sky_cell_order": stage["sky_cell_order"],
                "given_parts": stage["datasets"][dataset].get("given_parts", {}),
                "master_seed": self.settings["master_seed"],
            }
        )


def split_settings(settings: Mapping[str, Any], dataset: str) -> dict[str, Any]:
    """Return what joining and splitting any dataset depends on.

    Which rows of its samples are copies of one galaxy, what a close pair is, a paper's conventions.
    """
    entries, stage = settings["catalogs"]["samples"], settings["datasets"]
    samples = dataset_samples(settings, dataset)
    keys = ("duplicate_radius_arcsec", "pair_radius_arcsec", "label_draws")
    return {
        "photometry": {name: entries[name]["photometry"] for name in samples},
        "conventions": stage["datasets"][dataset].get("conventions", []),
        **{key: stage[key] for key in keys},
    }


# Keys of a survey that say nothing about how its tables are read.
_NOT_READ = (
    "title",
    "licence",
    "citation",
    "source",
    "like",
    "extinction_per_ebv",
    "softening_nmgy",
    "frames",
    "images",
    "measured",
    "selections",
)
