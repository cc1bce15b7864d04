"""Stage 4, datasets: samples become model inputs with splits that share no galaxy and no pixel.

REQUIRED INPUTS: <results>/samples/{sample}.parquet; for images <results>/cutouts/{sample}/{shard}.h5,
and published images whose files are the splits.
OUTPUTS: <results>/datasets/{dataset}.parquet.
"""


rule build_dataset:
    """Join samples into one dataset and draw its splits. Wildcards: dataset."""
    input:
        samples=lambda wildcards: LADDER.samples_of(wildcards.dataset),
    output:
        dataset="<results>/datasets/{dataset}.parquet",
        sidecar="<results>/datasets/{dataset}.json",
    log:
        "<logs>/build_dataset/{dataset}.log",
    benchmark:
        "<benchmarks>/build_dataset/{dataset}.tsv"
    wildcard_constraints:
        dataset=names_pattern(LADDER.catalogue_datasets()),
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 30 * min(attempt, 3),
    params:
        settings=lambda wildcards: LADDER.building(wildcards.dataset),
        code=CODE["build_dataset"],
    message:
        "Building the dataset {wildcards.dataset}"
    shell:
        'python "$ZLADDER_SCRIPTS"/build_dataset.py --samples {input.samples:q}'
        " --settings {params.settings:q} --dataset {output.dataset:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule build_image_dataset:
    """Join samples with their stamps into a dataset whose splits share no pixel. Wildcards: dataset."""
    input:
        samples=lambda wildcards: LADDER.samples_of(wildcards.dataset),
        stamps=lambda wildcards: LADDER.stamps_of(wildcards.dataset),
        away_from=lambda wildcards: LADDER.away_from(wildcards.dataset),
        parts=lambda wildcards: LADDER.part_files(wildcards.dataset),
    output:
        dataset="<results>/datasets/{dataset}.parquet",
        sidecar="<results>/datasets/{dataset}.json",
    log:
        "<logs>/build_image_dataset/{dataset}.log",
    benchmark:
        "<benchmarks>/build_image_dataset/{dataset}.tsv"
    wildcard_constraints:
        dataset=names_pattern(LADDER.image_datasets()),
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 30 * min(attempt, 3),
    params:
        stamps=lambda wildcards, input: option("--stamps", input.stamps),
        away_from=lambda wildcards, input: option("--away-from", input.get("away_from")),
        parts=lambda wildcards, input: option("--part-files", input.get("parts")),
        settings=lambda wildcards: LADDER.building_images(wildcards.dataset),
        code=CODE["build_image_dataset"],
    message:
        "Building the image dataset {wildcards.dataset}"
    shell:
        'python "$ZLADDER_SCRIPTS"/build_image_dataset.py --samples {input.samples:q}'
        " {params.stamps} {params.away_from} {params.parts} --settings {params.settings:q}"
        " --dataset {output.dataset:q} --sidecar {output.sidecar:q}"
        " --log {log:q} --code-digest {params.code}"
