"""Stage 3, cutouts: every galaxy's pixels, cut out of the frames and written once.

REQUIRED INPUTS: <results>/samples/{sample}.parquet; the survey's frames (of a simulated sky:
<results>/survey/frames, with an index for each shard), or the files of its published images.
OUTPUTS: <results>/cutouts/{sample}/{shard}.h5 with the list of galaxies that got no stamp.
"""


rule cut_stamps:
    """Cut the stamps of one shard of a sample, all galaxies of a frame at once. Wildcards: sample, shard."""
    input:
        sample="<results>/samples/{sample}.parquet",
        frame_index=lambda wildcards: LADDER.frame_index(wildcards.sample, wildcards.shard),
    output:
        stamps="<results>/cutouts/{sample}/{shard}.h5",
        losses="<results>/cutouts/{sample}/{shard}.losses.csv",
        sidecar="<results>/cutouts/{sample}/{shard}.json",
    log:
        "<logs>/cut_stamps/{sample}.{shard}.log",
    benchmark:
        "<benchmarks>/cut_stamps/{sample}.{shard}.tsv"
    wildcard_constraints:
        sample=names_pattern(LADDER.cut_samples()),
        shard=r"\d+",
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: (
            LADDER.cutting_minutes(wildcards.sample) * min(attempt, 3)
        ),
    params:
        frame_index=lambda wildcards, input: option("--frame-index", input.get("frame_index")),
        frames=lambda wildcards, output: LADDER.frames_folder(
            wildcards.sample, str(Path(output.stamps).parents[2] / "survey")
        ),
        settings=lambda wildcards: LADDER.cutting(wildcards.sample),
        code=CODE["cut_stamps"],
    message:
        "Cutting the stamps of {wildcards.sample}, shard {wildcards.shard}"
    shell:
        'python "$ZLADDER_SCRIPTS"/cut_stamps.py --sample {input.sample:q} {params.frame_index}'
        " --frames {params.frames:q} --shard {wildcards.shard} --settings {params.settings:q}"
        " --stamps {output.stamps:q} --losses {output.losses:q} --sidecar {output.sidecar:q}"
        " --log {log:q} --code-digest {params.code}"


rule convert_images:
    """Convert published images of a sample into one shard of stamps. Wildcards: sample, shard."""
    input:
        sample="<results>/samples/{sample}.parquet",
        images=lambda wildcards: LADDER.published_images(wildcards.sample),
    output:
        stamps="<results>/cutouts/{sample}/{shard}.h5",
        losses="<results>/cutouts/{sample}/{shard}.losses.csv",
        sidecar="<results>/cutouts/{sample}/{shard}.json",
    log:
        "<logs>/convert_images/{sample}.{shard}.log",
    benchmark:
        "<benchmarks>/convert_images/{sample}.{shard}.tsv"
    wildcard_constraints:
        sample=names_pattern(LADDER.converted_samples()),
        shard=r"\d+",
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 3000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 60 * min(attempt, 3),
    params:
        settings=lambda wildcards: LADDER.converting(wildcards.sample),
        code=CODE["convert_images"],
    message:
        "Converting the published images of {wildcards.sample}, shard {wildcards.shard}"
    shell:
        'python "$ZLADDER_SCRIPTS"/convert_images.py --sample {input.sample:q}'
        " --images {input.images:q} --shard {wildcards.shard} --settings {params.settings:q}"
        " --stamps {output.stamps:q} --losses {output.losses:q} --sidecar {output.sidecar:q}"
        " --log {log:q} --code-digest {params.code}"
