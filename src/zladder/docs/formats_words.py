"""The words of docs/formats.md that stand nowhere in the code; tests hold them against it."""

from __future__ import annotations

OPENING = """\
Tables are Parquet; every column of the list below carries its unit and UCD in the file. FITS and
VOTable are written by `zladder predict` on request. Inside zladder `inf` is a magnitude that was
observed but not detected (`mag_limit_{band}`, where it is known, says how faint at least), `NaN`
one that was not observed; FITS and VOTable say 99.0 and -99.0. Positions are ICRS, J2000."""

ADDED_COLUMNS = [
    ("`datasets/*.parquet`", "`sample`", "the sample that the galaxy comes from"),
    ("`datasets/*.parquet`", "`split`", "train, validation, calibration or test"),
    ("`datasets/*.parquet`", "`fraction_rank`, `fraction_rank_1`, …",
     "in [0, 1), a column a draw: the fraction f of the training labels is rank < f"),
    ("`datasets/*.parquet`", "`shard`, `row`",
     "of images: stamp file (SAMPLE/SHARD) and row in it (from 0)"),
    ("`datasets/*.parquet`", "`stamp_flags`", "of images: `flags` of the stamp, any band's"),
    ("`predictions/*.parquet`", "`dataset`, `split`", "as above; training rows are left out"),
    ("`metrics/*/*.parquet`, `studies/*/claims.parquet`", "`split_digest`, `split_convention`",
     "after `dataset`: the very splits that were scored; the paper's own convention, if any"),
    ("`predictions/*.oracle*.parquet`", "`z_mean_dz`, `z_risk`",
     "of least expected dz^2, and of least expected `loss_tanaka`"),
    ("`predictions/*.oracle*.parquet`", "`z_out05`, `z_out15`, `z_cat1`",
     "least likely to count in `fout_05`, `fout_15`, `fcat_1`"),
    ("`catalogs/match/*.parquet`", "`left_index`, `right_index`",
     "rows (from 0) in the catalogues of labels and of photometry"),
    ("`catalogs/match/*.parquet`", "`separation_arcsec`", "distance of the pair in arcsec"),
    ("`catalogs/match/*.parquet`", "`separation_sigma`",
     "of a match with position errors: the distance over its error along one axis"),
    ("`samples/*.parquet`", "`match_separation_arcsec`", "`separation_arcsec` of a matched sample"),
    ("`survey/truth.parquet`", "`manyband_blended_share`",
     "a neighbour's share of the light in the many-band aperture (HSC i); NaN: not measured"),
    ("`survey/fetched/*/*.parquet`", "`run`, `camcol`, `field`, `band`, `path`",
     "a frame, and its place below `data/fetched/SURVEY/frames`"),
    ("`survey/fetched/*/*.parquet`", "`state`, `bytes`, `sha256`",
     "`here`, `missing` (the archive does not have it) or `damaged`; size and digest"),
]  # fmt: skip

FLAG_MEANINGS = {
    "out_of_distribution": "further from the training galaxies than 99.9 % of them "
    "(Mahalanobis distance of the inputs)",
    "extrapolated": "a magnitude or colour outside the range of the training galaxies",
    "edge_of_range": "z_phot at or beyond the lowest or highest training label",
    "low_signal_to_noise": "a magnitude error above 0.217 mag: less than five sigma in some band",
    "not_detected": "some band was observed without a detection: no z_phot",
    "not_observed": "some band was not observed: no z_phot",
    "truth_off_grid": "z_true outside the range of labels that trainings allow",
    "label_is_photo_z": "z_true is itself a photometric redshift",
}

# Bits of the shared list of flags that nothing sets yet.
RESERVED_FLAGS = {
    2: "multimodal PDF",
    5: "blended or masked",
    8: "clipped label",
    9: "stellar-like",
    10: "z consistent with 0",
    13: "duplicate between sets",
    14: "calibration cell too small",
}

# Rules that train in steps, and all that make a run.
_IN_STEPS = "pretrain_encoder, train_head, train_image"
_TRAININGS = f"{_IN_STEPS}, train_control, train_network, train_probe"

SIDECAR_KEYS = {
    "script": ("all", "the program"),
    "arguments": ("all", "its options: with `script`, the command that repeats it"),
    "code_digest": ("all", "digest of the code that ran"),
    "inputs": (
        "all",
        "digest of each input file; of published images beyond 256 MB size and time (`stat-`)",
    ),
    "versions": ("all", "Python, zladder and the packages that were loaded"),
    "seconds": ("all", "wall time of the last attempt in s"),
    "host": ("all", "name of the machine"),
    "counts": ("most", "rows in and out, by name"),
    "written": (
        "convert_images, cut_stamps",
        "of the stamps: suffix, size, time in ns, and the digest by which later programs name them",
    ),
    "quality": (
        "crossmatch",
        "what the match is worth: false pairs, separations, completeness, warnings",
    ),
    "seed": (
        (
            "build_dataset, build_image_dataset, check_side_information, judge_claims, "
            "measure_collapse, measure_drift, measure_frames, render_cfhtls, render_frames, "
            f"render_hsc, score_study, score_truth, simulate_sky, {_TRAININGS}"
        ),
        "seed of the sky, the splits, the training or the bootstraps",
    ),
    "flux_kind": (
        "measure_frames, merge_measured, read_catalog, select_sample, simulate_sky",
        "`analytic` (true flux plus noise) or `measured` on the frames; null if not stated",
    ),
    "archive": ("fetch_file, fetch_frames, fetch_query", "entry of config/archives.yaml"),
    "url": ("fetch_file, fetch_frames, fetch_query", "where it came from"),
    "query": ("fetch_query", "its text, as it was asked in pages"),
    "date": ("fetch_file, fetch_frames, fetch_query", "when the last of it came, UTC"),
    "sha256": ("fetch_file, fetch_query", "digest of the file"),
    "digest_from": (
        "fetch_file",
        "who said which one it must have: `declared`, `first download`, or nobody: `this download`",
    ),
    "bytes": ("fetch_file", "size of the file"),
    "card": (_TRAININGS, "the run card"),
    "device": ("all", "where it was computed"),
    "n_train": (_TRAININGS, "training galaxies"),
    "epochs": ("train_network", "epochs trained, all attempts together"),
    "best_epoch": ("train_network", "epoch whose weights were kept"),
    "stopped_by": (
        _IN_STEPS + ", train_network",
        "`steps`; for train_network `patience`, or `epochs` if the limit came first",
    ),
    "training_seconds": (
        _IN_STEPS + ", train_network",
        "seconds in the training loop, all attempts together",
    ),
    "images": (_IN_STEPS, "examples seen: steps times batch size"),
    "labels": ("train_head", "galaxies kept, and how wide their labels became (in classes)"),
    "penalty": ("train_probe", "ridge penalty that validation picked"),
    "validation_rms_dz": ("train_probe", "rms of dz on validation with it"),
    "run": (
        "embed_images, predict_classes, predict_images, predict_oracle, predict_probe, predict_run",
        "the run that answered",
    ),
    "split": (
        "build_dataset, build_image_dataset",
        "digest of the splits, and a paper's convention",
    ),
    "splits": (
        "predict_classes, predict_images, predict_oracle, predict_probe, predict_run, "
        + _TRAININGS,
        "the same of each dataset: what was learned from, or answered for",
    ),
    "n_in": ("embed_images", "rows of the dataset"),
    "n_out": ("embed_images", "rows with features"),
}

WHERE_ELSE = """\
Beside these: `<results>/logs/RULE/`, `<results>/benchmarks/RULE/`, and `<results>/resume/`, which
holds the state of unfinished trainings and is empty otherwise. A program that refused its input
leaves `LOG.bad_input.json` beside its log, and where too many galaxies have no stamp their list,
`LOG.losses.csv`. Beside a fetched file PART there may be `.PART/` (what
is under way, and a second name of the file), `PART.digest.json` (the digest of the first download)
and `PART.refused` ([real data](real-data.md#fetching))."""
