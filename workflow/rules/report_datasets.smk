"""Stage 8, report: a page for each dataset, what it holds and how far its splits are alike.

REQUIRED INPUTS: the datasets (stage datasets) with their sidecars; of image datasets the stamps
(stage cutouts) and their figure in colour.
OUTPUTS: <results>/report/{dataset}.dataset.html, shown by Snakemake's report; its figures; its
numbers as Parquet.
"""


rule plot_datasets:
    """Draw redshifts, light, sky, pixels and splits of each dataset, and write its page."""
    input:
        datasets=collect("<results>/datasets/{dataset}.parquet", dataset=LADDER.plan.datasets),
        records=LADDER.dataset_sidecars(),
        stamps=LADDER.all_stamps(),
        walls=collect("<results>/report/{dataset}.wall.png", dataset=LADDER.image_datasets()),
    output:
        pages=[
            report(
                f"<results>/report/{dataset}.dataset.html",
                caption="../report/dataset.rst",
                category="Datasets",
                labels={"page": dataset},
            )
            for dataset in LADDER.plan.datasets
        ],
        light=collect("<results>/report/{dataset}.light.png", dataset=LADDER.plan.datasets),
        sky=collect("<results>/report/{dataset}.sky.png", dataset=LADDER.plan.datasets),
        splits=collect("<results>/report/{dataset}.splits.parquet", dataset=LADDER.plan.datasets),
        columns=collect("<results>/report/{dataset}.columns.parquet", dataset=LADDER.plan.datasets),
        pixels=collect("<results>/report/{dataset}.pixels.png", dataset=LADDER.image_datasets()),
        pixel_values=collect(
            "<results>/report/{dataset}.pixel_values.parquet", dataset=LADDER.image_datasets()
        ),
        flags=collect("<results>/report/{dataset}.flags.parquet", dataset=LADDER.image_datasets()),
        sidecar="<results>/report/datasets.json",
    log:
        "<logs>/plot_datasets.log",
    benchmark:
        "<benchmarks>/plot_datasets.tsv"
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 30 * min(attempt, 3),
    params:
        records=lambda wildcards, input: option("--records", input.records),
        of_images=lambda wildcards, input, output: " ".join(
            [
                *[option(f"--{name}", input.get(name)) for name in ("stamps", "walls")],
                *[
                    option(f"--{name}", output.get(name.replace("-", "_")))
                    for name in ("pixels", "pixel-values", "flags")
                ],
            ]
        ),
        settings=lambda wildcards: LADDER.about_datasets(),
        dpi=LADDER.settings["report"]["figure_dpi"],
        code=CODE["plot_datasets"],
    message:
        "Drawing the datasets"
    shell:
        'python "$ZLADDER_SCRIPTS"/plot_datasets.py --datasets {input.datasets:q}'
        " {params.records} {params.of_images} --settings {params.settings:q}"
        " --dpi {params.dpi} --pages {output.pages:q} --light {output.light:q} --sky {output.sky:q}"
        " --splits {output.splits:q} --columns {output.columns:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"
