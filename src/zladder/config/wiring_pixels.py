"""What the rules on pixels ask at parse time: stamps, features, labels made from predictions."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from zladder.config.cards import dataset_samples
from zladder.config.data import (
    data_folder,
    fetched_frames,
    given_image_parts,
    image_parts,
    image_survey,
    survey_files,
)
from zladder.config.encodings import RANGE, stored_as
from zladder.config.frame_layouts import SDSS
from zladder.config.grids import kernel_pixels
from zladder.config.methods import ladder_of
from zladder.config.names import FRAME_NUMBER, FRAME_PLACES
from zladder.config.wiring_data import (
    MEASURED_SURVEY,
    SIMULATED,
    DataWiring,
    fetched_index,
    split_settings,
)
from zladder.learning.window_size import WINDOW_BYTES
from zladder.provenance.digests import canonical_json

if TYPE_CHECKING:
    from typing import Any

# Five packed frames and three galaxies of SDSS took 2.1 to 3.6 s on a busy core (docs/cluster.md).
_FIELD_SECONDS = 4.0
_CUTTING_MINUTES = 60


@dataclass(frozen=True)
class PixelWiring(DataWiring):
    """The answers about stamps and features."""

    def image_datasets(self) -> list[str]:
        """Return the datasets with stamps."""
        return [name for name in self.plan.datasets if self.has_images(name)]

    def image_samples(self) -> list[str]:
        """Return the samples that have stamps."""
        names = [
            sample
            for dataset in self.image_datasets()
            for sample in dataset_samples(self.settings, dataset)
        ]
        return list(dict.fromkeys(names))

    def cut_samples(self) -> list[str]:
        """Return the samples whose stamps are cut out of frames."""
        return [name for name in self.image_samples() if "frames" in self._imaged(name)]

    def converted_samples(self) -> list[str]:
        """Return the samples whose images were published, cut by others."""
        return [name for name in self.image_samples() if "images" in self._imaged(name)]

    def published_images(self, sample: str) -> list[str]:
        """Return the files of a sample's published images."""
        name = image_survey(self.settings, sample)
        survey = self.settings["survey_files"][name]
        files = survey_files(name, survey, SIMULATED)
        return [files[part] for part in image_parts(survey)]

    def converting(self, sample: str) -> str:
        """Return the settings that converting a sample's published images depends on."""
        survey = self._imaged(sample)
        stage = self._stage(survey)
        del stage["grid"], stage["edge"]  # of frames, as the next
        stage.pop("grid_scale_arcsec", None)
        places = ("parts", "side_pixels")  # and what is refused before
        images = {key: value for key, value in survey["images"].items() if key not in places}
        read = {key: survey[key] for key in ("bands", "extinction_per_ebv")}
        return canonical_json({**stage, **images, **read})

    def resident_mb(self) -> int:
        """Return what the images of a training may take of the memory of its device."""
        return int(self.settings["pretrain"]["loading"]["resident_mb"])

    def training_mb(self) -> int:
        """Return the memory of a training on images.

        The images in memory or two windows of streamed ones (in the page cache, which the limit of
        a job counts), whichever is more, and 2 GB for the rest.
        """
        return max(self.resident_mb(), 2 * WINDOW_BYTES // 10**6) + 2000

    def shards(self) -> list[int]:
        """Return the numbers of the shards."""
        return list(range(self.settings["cutouts"]["n_shards"]))

    def frame_index(self, sample: str, shard: str) -> list[str]:
        """Return the indexes of a shard's frames; one whose frames lie in a folder has none.

        Fields are dealt to shards by their number: those of an archive may have neighbours in the
        shards before and behind. No two fields of the mock sky share pixels.
        """
        frames = self._imaged(sample)["frames"]
        if "simulated" in frames:
            part = shard if frames["layout"] == SDSS else "index"
            return [f"{SIMULATED}/{frames['simulated']}/{part}.parquet"]
        survey = image_survey(self.settings, sample)
        if "archive" not in frames:
            return []
        n_shards = self.settings["cutouts"]["n_shards"]
        steps = (0,) if self.settings["cutouts"]["edge"] == "lose" else (0, -1, 1)
        shards = dict.fromkeys((int(shard) + step) % n_shards for step in steps)
        return [fetched_index(survey, str(number)) for number in shards]

    def frames_folder(self, sample: str, simulated: str) -> str:
        """Return the folder of a sample's frames; `simulated` is the mock sky's own folder."""
        frames = self._imaged(sample)["frames"]
        if "simulated" in frames:
            return f"{simulated}/{frames['simulated']}"
        if "archive" in frames:
            return fetched_frames(image_survey(self.settings, sample))
        return str(data_folder(frames["folder"]))

    def cutting(self, sample: str) -> str:
        """Return the settings that cutting a sample's stamps depends on."""
        survey = self._imaged(sample)
        images = survey["frames"]
        read = {key: survey[key] for key in ("bands", "extinction_per_ebv") if key in survey}
        unread = (*FRAME_PLACES, FRAME_NUMBER)
        frames = {key: images[key] for key in images if key not in unread}
        return canonical_json({**self._stage(survey), **read, **frames})

    def cutting_minutes(self, sample: str) -> int:
        """Return the minutes that a shard of a sample's stamps may take: by its share of fields."""
        n_fields = self._imaged(sample)["frames"].get(FRAME_NUMBER, 0)
        seconds = n_fields / self.settings["cutouts"]["n_shards"] * _FIELD_SECONDS
        return max(_CUTTING_MINUTES, ceil(seconds / 60))

    def _stage(self, survey: Any) -> dict[str, Any]:
        """Return the stage's settings but those that are null or that no encoding asks for."""
        stage = self.settings["cutouts"]
        told = {key: of for key, of in stage.items() if of is not None and key not in RANGE}
        return {**told, **stored_as(stage, survey)}

    def _imaged(self, sample: str) -> Any:
        """Return the survey of a sample's images."""
        return self.settings["survey_files"][image_survey(self.settings, sample)]

    def building_images(self, dataset: str) -> str:
        """Return the settings that building an image dataset depends on."""
        stage = self.settings["datasets"]["images"]
        entry = self.settings["datasets"]["datasets"][dataset]
        return canonical_json(
            {
                **stage,
                **{key: entry[key] for key in ("given_parts",) if key in entry},
                **self._image_parts(dataset),
                **split_settings(self.settings, dataset),
                "kernel_pixels": kernel_pixels(self.settings, dataset),
                "master_seed": self.settings["master_seed"],
            }
        )

    def part_files(self, dataset: str) -> list[str]:
        """Return the published images whose files are parts that a dataset takes as splits."""
        files = []
        for sample, part in self._given_image_parts(dataset):
            name = image_survey(self.settings, sample)
            survey = self.settings["survey_files"][name]
            files.append(survey_files(name, survey, SIMULATED)[part])
        return files

    def _image_parts(self, dataset: str) -> dict[str, Any]:
        """Return what a dataset has to know of `part_files`, file by file."""
        told = [
            {"sample": sample, "part": part, "layout": self._imaged(sample)["images"]["layout"]}
            for sample, part in self._given_image_parts(dataset)
        ]
        return {"image_parts": told} if told else {}

    def _given_image_parts(self, dataset: str) -> list[tuple[str, str]]:
        entry = self.settings["datasets"]["datasets"][dataset]
        return given_image_parts(self.settings, entry, dataset_samples(self.settings, dataset))

    def away_from(self, dataset: str) -> list[str]:
        """Return the datasets whose held-out pixels another one must not show; none for most."""
        others = self.settings["datasets"]["datasets"][dataset].get("away_from", [])
        return [f"<results>/datasets/{other}.parquet" for other in others]

    def drifts_of(self, study: str) -> list[str]:
        """Return the drifts of a study's galaxies; none without encoders."""
        found = self.plan.encoders_of(study)
        return [f"<results>/metrics/{study}/drift_galaxies.parquet"] if found else []

    def painted_shards(self) -> list[int]:
        """Return the shards of the mock sky's frames; none if nothing is cut out or measured."""
        images = [self._imaged(name)["frames"] for name in self.cut_samples()]
        cut = any("simulated" in one and one["layout"] == SDSS for one in images)
        return self.shards() if self.is_measured() or cut else []

    def is_measured(self) -> bool:
        """Return whether fluxes are measured on the mock sky's frames."""
        return MEASURED_SURVEY in self.plan.surveys

    def stamps_of(self, dataset: str) -> list[str]:
        """Return the files of stamps of a dataset, shard after shard of each sample."""
        return [
            f"<results>/cutouts/{sample}/{shard}.h5"
            for sample in dataset_samples(self.settings, dataset)
            for shard in self.shards()
        ]

    def stamps_of_run(self, run: str) -> list[str]:
        """Return the files of stamps that a run trains on."""
        return self.stamps_of(self.plan.cards[run]["data"]["dataset"])

    def embedding(self, run: str) -> str:
        """Return the dataset whose stamps are sent through a run."""
        return str(self.settings["study_files"][run.split(".")[0]]["embed_on"])

    def embedded_dataset(self, run: str) -> str:
        """Return the file of that dataset."""
        return f"<results>/datasets/{self.embedding(run)}.parquet"

    def embedded_stamps(self, run: str) -> list[str]:
        """Return the files of its stamps."""
        return self.stamps_of(self.embedding(run))

    def copies_of(self, run: str) -> int:
        """Return how many turned copies of each training stamp the heads on a run ask for."""
        cards = self.plan.cards.values()
        asked = [card["inputs"].get("copies", 0) for card in cards if _features_of(card) == run]
        return max(asked, default=0)

    def features_of(self, run: str) -> str:
        """Return the features that a probe or a head takes."""
        return f"<results>/features/{self.plan.cards[run]['inputs']['features_of']}.h5"

    def tested_stamps(self, run: str) -> list[str]:
        """Return the files of stamps of the datasets that a run is scored on."""
        files = [file for name in self.plan.tests[run] for file in self.stamps_of(name)]
        return list(dict.fromkeys(files))

    def class_option(self, run: str) -> str:
        """Return how a classifier's inputs are called: features of a head, else stamps."""
        return "--features" if self.plan.cards[run]["task"] == "head" else "--stamps"

    def class_inputs(self, run: str) -> list[str]:
        """Return a classifier's inputs."""
        if self.plan.cards[run]["task"] == "head":
            return [self.features_of(run)]
        return self.tested_stamps(run)

    def encoder_features(self, study: str) -> list[str]:
        """Return the features of all pretrainings of a study."""
        return [f"<results>/features/{run}.h5" for run in self.plan.encoders_of(study)]

    def labels_from(self, run: str) -> list[str]:
        """Return the predictions that a head's labels are made from; none for most."""
        link = self.plan.cards[run].get("labels_from")
        return [f"<results>/predictions/{link['run']}.parquet"] if link else []

    def ladder(self, study: str) -> dict[str, Any]:
        """Return {method: {base, fraction}} of a study's methods on the ladder of labels."""
        document = self.settings["study_files"][study]
        return ladder_of(document, self.settings["train"]["label_fractions"])

    def collapse(self, study: str) -> str:
        """Return the settings that measuring a study's collapse depends on."""
        document = self.settings["study_files"][study]
        return canonical_json(
            {
                **document["collapse"],
                "n_bootstraps": self.settings["evaluate"]["n_bootstraps"],
                "seed": self.study_seed(study),
            }
        )

    def drifting(self, study: str) -> str:
        """Return the settings that measuring the drift of a study's encoders depends on."""
        return canonical_json(
            {
                "n_bootstraps": self.settings["evaluate"]["n_bootstraps"],
                "seed": self.study_seed(study),
            }
        )


def _features_of(card: dict[str, Any]) -> str | None:
    return card["inputs"].get("features_of")
