"""What the rules of the stage report ask at parse time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zladder.config.cards import dataset_samples
from zladder.config.wiring_data import SIMULATED
from zladder.config.wiring_mock import MockSkyWiring
from zladder.provenance.digests import canonical_json

if TYPE_CHECKING:
    from collections.abc import Iterable

# what is made of the mock sky whichever samples are wanted: `snakemake` shows the whole sky
SKY_PARTS = ("sky", "cfhtls/index", "hsc/index")


@dataclass(frozen=True)
class ReportWiring(MockSkyWiring):
    """The answers about pages and figures."""

    def title_of(self, study: str) -> str:
        """Return a study's heading in the report, without braces: wildcards to Snakemake."""
        title = str(self.settings["study_files"][study]["title"])
        return title.replace("{", "(").replace("}", ")")

    def about_study(self, study: str, *keys: str) -> str:
        """Return the named values of a study's file, which a page of the report prints."""
        document = self.settings["study_files"][study]
        return canonical_json({"study": study, **{key: document[key] for key in keys}})

    def about_scores(self, study: str) -> str:
        """Return what the page of a study's numbers prints."""
        document, keys = self.settings["study_files"][study], ("title", "question", "convention")
        told = {"study": study, "estimated": self.estimated_tests(study)}
        return canonical_json(told | {key: document[key] for key in keys})

    def about_studies(self, *keys: str) -> str:
        """Return {study: the named values, and whether its sky is simulated}."""
        documents = self.settings["study_files"]
        return canonical_json(
            {
                study: {
                    **{key: documents[study][key] for key in keys},
                    "simulated": self.is_simulated(study),
                }
                for study in self.plan.studies
            }
        )

    def about_sample(self, sample: str) -> str:
        """Return a sample's name, its bands and the titles of its surveys."""
        entry, surveys = self.settings["catalogs"]["samples"][sample], self.settings["survey_files"]
        names = list(dict.fromkeys([entry["labels"], entry["photometry"]]))
        return canonical_json(
            {
                "sample": sample,
                "bands": surveys[entry["photometry"]]["bands"],
                "surveys": [surveys[name]["title"] for name in names],
            }
        )

    def about_match(self, sample: str) -> str:
        """Return a matched sample's name, and the titles of its labels and its photometry."""
        entry, surveys = self.settings["catalogs"]["samples"][sample], self.settings["survey_files"]
        titles = {part: surveys[entry[part]]["title"] for part in ("labels", "photometry")}
        return canonical_json({"sample": sample, **titles})

    def matched_samples(self) -> list[str]:
        """Return the samples whose labels and photometry come from two surveys."""
        return [name for name in self.plan.samples if self.match_of(name)]

    def about_sources(self) -> str:
        """Return whom to cite: surveys, what is fetched of them from where, the studies' papers."""
        files, keys = self.settings["survey_files"], ("title", "licence", "citation")
        surveys = {name: {key: files[name][key] for key in keys} for name in self.plan.surveys}
        named = {
            entry
            for name in self.plan.surveys
            for entry in (*files[name]["source"].get("fetch", {}).values(),
                          files[name].get("frames", {}).get("archive"))
        }  # fmt: skip
        archives = {
            name: {key: entry[key] for key in (*keys, "version", "url")}
            for name, entry in self.settings["archives"].items()
            if name in named
        }
        papers = list(self.plan.by_paper(self.settings))
        return canonical_json({"surveys": surveys, "archives": archives, "papers": papers})

    def about_sky(self, *keys: str) -> str:
        """Return the named top values of the configuration."""
        return canonical_json({key: self.settings[key] for key in keys})

    def studies_on_ladder(self) -> list[str]:
        """Return the studies with methods at several label fractions."""
        return [study for study in self.plan.studies if self.ladder(study)]

    def encoding_studies(self) -> list[str]:
        """Return the studies with pretrainings."""
        return [study for study in self.plan.studies if self.plan.encoders_of(study)]

    def collapsing_studies(self) -> list[str]:
        """Return the studies that compare distributions of redshifts."""
        documents = self.settings["study_files"]
        return [study for study in self.plan.studies if "collapse" in documents[study]]

    def ladder_dataset(self, study: str) -> str:
        """Return the dataset that a study counts its labels in."""
        networks = self.settings["study_files"][study]["networks"].values()
        name = next(entry["dataset"] for entry in networks if entry.get("ladder"))
        return f"<results>/datasets/{name}.parquet"

    def about_ladder(self, study: str) -> str:
        """Return what the figure of label efficiency prints."""
        document = self.settings["study_files"][study]
        about = {key: document[key] for key in ("title", "convention")}
        return canonical_json({"study": study, **about, "ladder": self.ladder(study)})

    def about_maps(self, study: str) -> str:
        """Return what the maps of a study's encoders print."""
        document = self.settings["study_files"][study]
        about = {"study": study, "title": document["title"], "dataset": document["embed_on"]}
        return canonical_json(about)

    def about_images(self, dataset: str) -> str:
        """Return what the wall of an image dataset prints."""
        samples = dataset_samples(self.settings, dataset)
        surveys = [self.settings["catalogs"]["samples"][name]["photometry"] for name in samples]
        files = self.settings["survey_files"]
        titles = [files[survey]["title"] for survey in dict.fromkeys(surveys)]
        bands = files[surveys[0]]["bands"]
        return canonical_json({"dataset": dataset, "bands": bands, "surveys": titles})

    def about_datasets(self) -> str:
        """Return what the page of each dataset prints, in the order of the datasets."""
        stage, entries = self.settings["datasets"], self.settings["catalogs"]["samples"]
        files, pixels = self.settings["survey_files"], self.settings["pretrain"]["pixels"]
        told = []
        for dataset in self.plan.datasets:
            samples, images = dataset_samples(self.settings, dataset), self.has_images(dataset)
            surveys = list(dict.fromkeys(entries[name]["photometry"] for name in samples))
            about = {
                "dataset": dataset,
                "samples": samples,
                "surveys": [files[survey]["title"] for survey in surveys],
                "bands": files[surveys[0]]["bands"],
                "sky_cell_order": (stage["images"] if images else stage)["sky_cell_order"],
                "label_fractions": self.settings["train"]["label_fractions"],
                "images": images,
            }
            told.append(about | (dict(pixels) if images else {}))
        return canonical_json(told)

    def all_stamps(self) -> list[str]:
        """Return the files of stamps of all image datasets."""
        files = [stamps for name in self.image_datasets() for stamps in self.stamps_of(name)]
        return list(dict.fromkeys(files))

    def dataset_sidecars(self) -> list[str]:
        """Return the sidecars of the datasets and of their stamps."""
        stamps = [path.replace(".h5", ".json") for path in self.all_stamps()]
        return [*(f"<results>/datasets/{name}.json" for name in self.plan.datasets), *stamps]

    def papers(self) -> list[str]:
        """Return the papers that have a study here."""
        return list(self.plan.by_paper(self.settings))

    def of_paper(self, paper: str, pattern: str) -> list[str]:
        """Return a file of each study of a paper; the pattern holds ``{study}``."""
        studies = self.plan.by_paper(self.settings)[paper]
        return [pattern.replace("{study}", study) for study in studies]

    def paper_figures(self, paper: str) -> list[str]:
        """Return the figures of a paper's page: its studies' and its datasets' walls."""
        studies = self.plan.by_paper(self.settings)[paper]
        pages = [page for study in studies for page in self.study_pages(study)]
        walls = [f"<results>/report/{name}.wall.png" for name in self._datasets_of(studies)]
        return [page for page in [*walls, *pages] if page.endswith(".png")]

    def _datasets_of(self, studies: Iterable[str]) -> list[str]:
        """Return the image datasets that the runs of some studies learn from."""
        runs = [card for run, card in self.plan.cards.items() if run.split(".")[0] in studies]
        used = {card["data"]["dataset"] for card in runs}
        return [name for name in self.image_datasets() if name in used]

    def paper_cards(self, paper: str) -> list[str]:
        """Return the run cards of a paper's studies."""
        studies = self.plan.by_paper(self.settings)[paper]
        runs = [run for run in self.plan.cards if run.split(".")[0] in studies]
        return [f"<results>/runs/{run}/card.json" for run in self.seeds_together(runs)]

    def all_cards(self) -> list[str]:
        """Return the run cards of all studies."""
        return [f"<results>/runs/{run}/card.json" for run in self.seeds_together(self.plan.cards)]

    def trained_sidecars(self) -> list[str]:
        """Return the sidecars of the trainings that the page of claims tells of."""
        runs = self.seeds_together(self.plan.tasks("catalogue", "image", "head"))
        return [f"<results>/runs/{run}/sidecar.json" for run in runs]

    def paper_records(self, paper: str) -> list[str]:
        """Return the sidecars of the datasets that a paper's runs learn from or are scored on."""
        return [f"<results>/datasets/{name}.json" for name in self._paper_datasets(paper)]

    def paper_cutflows(self, paper: str) -> list[str]:
        """Return the cut-flows of the samples in these datasets."""
        datasets = self._paper_datasets(paper)
        samples = [name for dataset in datasets for name in dataset_samples(self.settings, dataset)]
        return [f"<results>/samples/{name}.cutflow.csv" for name in dict.fromkeys(samples)]

    def _paper_datasets(self, paper: str) -> list[str]:
        studies = self.plan.by_paper(self.settings)[paper]
        cards = {run: card for run, card in self.plan.cards.items() if run.split(".")[0] in studies}
        used = [card["data"]["dataset"] for card in cards.values()]
        used += [name for run in cards for name in self.plan.tests.get(run, [])]
        return list(dict.fromkeys(used))

    def about_paper(self, paper: str) -> str:
        """Return what a paper's page prints: sky, scale, and its studies' words."""
        studies = self.plan.by_paper(self.settings)[paper]
        documents = self.settings["study_files"]
        about = {
            study: {
                **{key: documents[study][key] for key in ("title", "question", "convention")},
                "simulated": self.is_simulated(study),
            }
            for study in studies
        }
        sky = {key: self.settings[key] for key in ("sky", "scale")}
        return canonical_json({"paper": paper, **sky, "studies": about})

    def study_pages(self, study: str) -> list[str]:
        """Return the pages and figures of one study."""
        kinds = ["numbers.html", "intervals.png", "planes.png", "residuals.png"]
        kinds += ["labels.png"] if study in self.studies_on_ladder() else []
        kinds += ["embeddings.png", "stamps.png"] if study in self.encoding_studies() else []
        kinds += ["collapse.png"] if study in self.collapsing_studies() else []
        return [f"<results>/report/{study}.{kind}" for kind in kinds]

    def paper_targets(self, paper: str) -> list[str]:
        """Return what a paper's target builds: its page, its studies' pages and verdicts.

        Pages that tell of all datasets come with it where there is no other paper, as in the
        papers' overlays: they would have the others' galaxies fetched too.
        """
        studies = self.plan.by_paper(self.settings)[paper]
        pages = [page for study in studies for page in self.study_pages(study)]
        verdicts = [f"<results>/studies/{study}/claims.parquet" for study in studies]
        told = self.data_pages() if self.papers() == [paper] else []
        return [f"<results>/report/{paper}.html", *pages, *told, *verdicts]

    def data_pages(self) -> list[str]:
        """Return the page of each dataset, and that of the galaxies in and out."""
        pages = [f"<results>/report/{dataset}.dataset.html" for dataset in self.plan.datasets]
        return [*pages, "<results>/report/counts.html"]

    def report_pages(self) -> list[str]:
        """Return everything that the report shows."""
        pages = ("summary", "claims", "costs", "provenance", "citations")
        return [
            *[f"<results>/report/{paper}.html" for paper in self.papers()],
            *[page for study in self.plan.studies for page in self.study_pages(study)],
            *[f"<results>/report/{sample}.sample.png" for sample in self.plan.samples],
            *[f"<results>/report/{sample}.match.png" for sample in self.matched_samples()],
            *[f"<results>/report/{dataset}.wall.png" for dataset in self.image_datasets()],
            *self.data_pages(),
            *self.mock_pages(),
            *[f"<results>/report/{page}.html" for page in pages],
        ]

    def data_sidecars(self) -> list[str]:
        """Return the sidecars of what was fetched, sky, images, catalogues, …, datasets."""
        plan, files = self.plan, self.settings["survey_files"]
        simulated = {files[name]["source"].get("simulated") for name in plan.surveys} - {None}
        matches = [match for sample in plan.samples for match in self.match_of(sample)]
        return [
            *self._fetched_sidecars(),
            *([f"{SIMULATED}/{name}.json" for name in SKY_PARTS] if simulated else []),
            *[table.replace(".parquet", ".json") for table in self.compared_labels()],
            *[f"{SIMULATED}/frames/{shard}.json" for shard in self.painted_shards()],
            *(self._measuring_sidecars() if self.is_measured() else []),
            *[f"<results>/catalogs/{survey}.json" for survey in self._read_surveys()],
            *[match.replace(".parquet", ".json") for match in matches],
            *[f"<results>/samples/{sample}.json" for sample in plan.samples],
            *[stamps.replace(".h5", ".json") for stamps in self.all_stamps()],
            *[f"<results>/datasets/{dataset}.json" for dataset in plan.datasets],
        ]

    def _read_surveys(self) -> list[str]:
        """Return the surveys whose catalogue is read: not those that give images alone."""
        entries = [self.settings["catalogs"]["samples"][name] for name in self.plan.samples]
        read = {entry[part] for entry in entries for part in ("labels", "photometry")}
        return [survey for survey in self.plan.surveys if survey in read]

    def _fetched_sidecars(self) -> list[str]:
        """Return the sidecars of the files and frames of this DAG that archives gave."""
        files = [path for name in self.plan.surveys for path in self.native_files(name).values()]
        targets = self.fetch_targets()
        given = [path for name in self.plan.surveys for path in targets.get(name, [])]
        frames = [path for path in given if path.endswith(".parquet") and path.startswith("<")]
        return [f"{path}.json" for path in files if path in given] + [
            path.replace(".parquet", ".json") for path in frames
        ]

    def _measuring_sidecars(self) -> list[str]:
        shards = [f"{SIMULATED}/measured/{shard}.json" for shard in self.shards()]
        return [*shards, f"{SIMULATED}/sdss_measured.json"]

    def sidecars(self) -> list[str]:
        """Return the sidecars of every result but the report's own."""
        plan, runs = self.plan, self.seeds_together
        return [
            *self.data_sidecars(),
            *[f"<results>/runs/{run}/sidecar.json" for run in runs(plan.cards)],
            *[f"<results>/features/{run}.json" for run in runs(plan.embedded())],
            *[f"<results>/predictions/{run}.json" for run in runs(plan.answering())],
            *[f"<results>/oracle/{sample}.json" for sample in self.oracle_samples()],
            *[
                path.replace(".parquet", ".json")
                for study in plan.studies
                for path in self.oracles_of(study)
            ],
            *[f"<results>/metrics/{study}/scores.json" for study in plan.studies],
            *self.found_sidecars(),
            *[f"<results>/studies/{study}/claims.json" for study in plan.studies],
        ]
