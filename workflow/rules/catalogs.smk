"""Stage 2, catalogs: native tables become standard ones, matched and selected.

REQUIRED INPUTS: the native files of each survey (stage survey, ZLADDER_DATA or data/).
OUTPUTS: <results>/catalogs/{survey}.parquet, <results>/catalogs/match/{sample}.parquet
with its quality, <results>/samples/{sample}.parquet with its cut-flow.
"""


rule read_catalog:
    """Read a survey's native tables into one standard catalogue. Wildcards: survey."""
    input:
        files=lambda wildcards: list(LADDER.native_files(wildcards.survey).values()),
    output:
        catalog="<results>/catalogs/{survey}.parquet",
        sidecar="<results>/catalogs/{survey}.json",
    log:
        "<logs>/read_catalog/{survey}.log",
    benchmark:
        "<benchmarks>/read_catalog/{survey}.tsv"
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 30 * min(attempt, 3),
    params:
        survey=lambda wildcards: LADDER.reading(wildcards.survey),
        parts=lambda wildcards: list(LADDER.native_files(wildcards.survey)),
        code=CODE["read_catalog"],
    message:
        "Reading the catalogue {wildcards.survey}"
    shell:
        'python "$ZLADDER_SCRIPTS"/read_catalog.py --files {input.files:q} --parts {params.parts:q}'
        " --survey {params.survey:q} --catalog {output.catalog:q} --sidecar {output.sidecar:q}"
        " --log {log:q} --code-digest {params.code}"


rule crossmatch:
    """Match a sample's labels to its photometry on the sphere. Wildcards: sample."""
    input:
        labels=lambda wildcards: LADDER.catalog_of(wildcards.sample, "labels"),
        photometry=lambda wildcards: LADDER.catalog_of(wildcards.sample, "photometry"),
    output:
        match="<results>/catalogs/match/{sample}.parquet",
        quality="<results>/catalogs/match/{sample}.quality.json",
        sidecar="<results>/catalogs/match/{sample}.json",
    log:
        "<logs>/crossmatch/{sample}.log",
    benchmark:
        "<benchmarks>/crossmatch/{sample}.tsv"
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 30 * min(attempt, 3),
    params:
        radius_arcsec=lambda wildcards: LADDER.match_radius_arcsec(wildcards.sample),
        keep=lambda wildcards: option("--right-keep", LADDER.match_to(wildcards.sample)),
        magnitude=lambda wildcards: LADDER.match_magnitude(wildcards.sample),
        code=CODE["crossmatch"],
    message:
        "Matching labels and photometry of {wildcards.sample}"
    shell:
        'python "$ZLADDER_SCRIPTS"/crossmatch.py --left {input.labels:q}'
        " --right {input.photometry:q} --right-magnitude {params.magnitude}"
        " --radius-arcsec {params.radius_arcsec} --mode nearest --one-to-one {params.keep}"
        " --output {output.match:q} --quality {output.quality:q} --sidecar {output.sidecar:q}"
        " --log {log:q} --code-digest {params.code}"


rule select_sample:
    """Join labels and photometry and apply a sample's cuts, counted. Wildcards: sample."""
    input:
        labels=lambda wildcards: LADDER.catalog_of(wildcards.sample, "labels"),
        photometry=lambda wildcards: LADDER.catalog_of(wildcards.sample, "photometry"),
        match=lambda wildcards: LADDER.match_of(wildcards.sample),
    output:
        sample="<results>/samples/{sample}.parquet",
        cutflow="<results>/samples/{sample}.cutflow.csv",
        sidecar="<results>/samples/{sample}.json",
    log:
        "<logs>/select_sample/{sample}.log",
    benchmark:
        "<benchmarks>/select_sample/{sample}.tsv"
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 30 * min(attempt, 3),
    params:
        match=lambda wildcards, input: option("--match", input.get("match")),
        settings=lambda wildcards: LADDER.selection(wildcards.sample),
        code=CODE["select_sample"],
    message:
        "Selecting the sample {wildcards.sample}"
    shell:
        'python "$ZLADDER_SCRIPTS"/select_sample.py --labels {input.labels:q}'
        " --photometry {input.photometry:q} {params.match}"
        " --settings {params.settings:q} --sample {output.sample:q}"
        " --cutflow {output.cutflow:q} --sidecar {output.sidecar:q}"
        " --log {log:q} --code-digest {params.code}"
