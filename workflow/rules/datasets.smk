"""Stage 4, datasets: samples become model inputs with splits that share no galaxy.

REQUIRED INPUTS: <results>/samples/{sample}.parquet.
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
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * min(attempt, 3),
        runtime=30,
    params:
        settings=lambda wildcards: LADDER.building(wildcards.dataset),
        code=CODE["build_dataset"],
    message:
        "Building the dataset {wildcards.dataset}"
    shell:
        'python "$ZLADDER_SCRIPTS"/build_dataset.py --samples {input.samples:q}'
        " --settings {params.settings:q} --dataset {output.dataset:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"
