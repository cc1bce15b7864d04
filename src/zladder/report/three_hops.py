"""Where each page and table comes from: rule, script, functions; a test keeps the names true."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Hop:
    """What a reader looks at, and the way back to the code.

    Attributes
    ----------
    page
        In the reader's words.
    rule, file
        The rule (and script), and the rule file, without its ending, that wires it.
    functions
        Dotted names of the functions that do the work.
    """

    page: str
    rule: str
    file: str
    functions: tuple[str, ...]


HOPS = (
    Hop("the galaxies of the mock sky", "simulate_sky", "survey",
        ("zladder.survey.simulate.simulate_sky",)),
    Hop("a survey's catalogue", "read_catalog", "catalogs",
        ("zladder.catalogs.native.write_survey", "zladder.catalogs.standardize.standardize_rows")),
    Hop("the match of labels and photometry", "crossmatch", "catalogs",
        ("zladder.catalogs.matching.match_files", "zladder.catalogs.crossmatch.cross")),
    Hop("what a match is worth", "crossmatch", "catalogs",
        ("zladder.catalogs.match_quality.describe",
         "zladder.catalogs.match_false.estimate_false")),
    Hop("a sample and its cut-flow", "select_sample", "catalogs",
        ("zladder.catalogs.select.write_sample", "zladder.catalogs.cuts.apply_cuts")),
    Hop("a dataset and its splits", "build_dataset", "datasets",
        ("zladder.datasets.build.build_dataset", "zladder.datasets.splits.draw_splits")),
    Hop("a dataset's page", "plot_datasets", "report_datasets",
        ("zladder.report.dataset_shown.show_dataset",
         "zladder.report.dataset_splits.compare_splits",
         "zladder.report.dataset_pixels.as_seen")),
    Hop("a network's weights", "train_network", "train",
        ("zladder.train.network.train_network", "zladder.learning.engine.drive")),
    Hop("an ordinary tool", "train_control", "train",
        ("zladder.train.controls.train_control",)),
    Hop("z_phot of every galaxy", "predict_run", "evaluate",
        ("zladder.evaluate.predict.predict_table",)),
    Hop("every metric with its interval", "score_study", "evaluate",
        ("zladder.evaluate.study.score_methods", "zladder.metrics.bootstrap.bootstrap_metrics",
         "zladder.metrics.point.evaluate")),
    Hop("a network minus the best tool", "score_study", "evaluate",
        ("zladder.evaluate.study.compare_with_peer",
         "zladder.metrics.bootstrap.paired_differences")),
    Hop("a verdict", "judge_claims", "evaluate",
        ("zladder.evaluate.claims.judge_claims", "zladder.evaluate.claims.judge_ratio")),
    Hop("Numbers", "tabulate_scores", "report_pages", ("zladder.report.scores_page.scores_page",)),
    Hop("Redshift planes", "plot_redshifts", "report", ("zladder.report.planes.draw_planes",)),
    Hop("Residual curves", "plot_residuals", "report",
        ("zladder.report.residuals.draw_residuals", "zladder.metrics.binned.mean_curve")),
    Hop("Galaxies in colour", "plot_wall", "report",
        ("zladder.report.wall.choose_galaxies", "zladder.report.colour.colour_images")),
    Hop("Cross-match", "plot_match", "report", ("zladder.report.match_plot.draw_match",)),
    Hop("Label efficiency", "plot_labels", "report",
        ("zladder.report.label_curve.label_points", "zladder.report.label_curve.count_labels")),
    Hop("Mode collapse", "plot_collapse", "report",
        ("zladder.report.collapse_plot.draw_collapse",)),
    Hop("What the encoders see", "plot_embeddings", "report",
        ("zladder.report.embedding_map.principal_components",)),
    Hop("A paper's page", "write_paper", "report_pages",
        ("zladder.report.paper_page.paper_page",)),
)  # fmt: skip
