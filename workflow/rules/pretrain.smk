"""Stage 5, pretrain: encoders learn from images without redshifts.

REQUIRED INPUTS: <results>/datasets/{dataset}.parquet (its split is train throughout),
<results>/cutouts/{sample}/{shard}.h5.
OUTPUTS: <results>/runs/{run}/ of each pretraining. Interrupted ones keep their state in
<results>/resume.
"""


rule pretrain_encoder:
    """Pretrain an encoder as its run card says; interruptible. Wildcards: run."""
    input:
        dataset=lambda wildcards: LADDER.dataset_of(wildcards.run),
        stamps=lambda wildcards: LADDER.stamps_of_run(wildcards.run),
    output:
        weights="<results>/runs/{run}/weights.safetensors",
        card="<results>/runs/{run}/card.json",
        history="<results>/runs/{run}/history.csv",
        sidecar="<results>/runs/{run}/sidecar.json",
    log:
        "<logs>/pretrain_encoder/{run}.log",
    benchmark:
        "<benchmarks>/pretrain_encoder/{run}.tsv"
    wildcard_constraints:
        run=names_pattern(LADDER.plan.tasks("pretrain")),
    priority: 1  # before other jobs that could start: the longest chains hang on these
    retries: 3
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: LADDER.training_mb() * min(attempt, 3),
        resident_mb=LADDER.resident_mb(),
        runtime=120,
    params:
        stamps=lambda wildcards, input: option("--stamps", input.stamps),
        card=lambda wildcards: LADDER.card(wildcards.run),
        resume=lambda wildcards, output: str(Path(output.weights).parents[2] / "resume"),
        code=CODE["pretrain_encoder"],
    message:
        "Pretraining {wildcards.run}"
    shell:
        'python "$ZLADDER_SCRIPTS"/pretrain_encoder.py --dataset {input.dataset:q}'
        " {params.stamps} --card-json {params.card:q} --resume-folder {params.resume:q}"
        " --minutes {resources.runtime} --resident-mb {resources.resident_mb} --threads {threads}"
        " --weights {output.weights:q} --card {output.card:q} --history {output.history:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"
