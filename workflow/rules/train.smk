"""Stage 6, train: one run card becomes one trained run.

REQUIRED INPUTS: <results>/datasets/{dataset}.parquet, and the parent run's weights if the card
names a parent.
OUTPUTS: <results>/runs/{run}/: the model, its card with the reference of its training data, the
history. Interrupted trainings keep their state in <results>/resume.
"""


rule train_network:
    """Train a network as its run card says; interruptible. Wildcards: run."""
    input:
        dataset=lambda wildcards: LADDER.dataset_of(wildcards.run),
        parent=lambda wildcards: LADDER.parent_of(wildcards.run),
    output:
        weights="<results>/runs/{run}/weights.safetensors",
        card="<results>/runs/{run}/card.json",
        history="<results>/runs/{run}/history.csv",
        sidecar="<results>/runs/{run}/sidecar.json",
    log:
        "<logs>/train_network/{run}.log",
    benchmark:
        "<benchmarks>/train_network/{run}.tsv"
    wildcard_constraints:
        run=names_pattern(LADDER.plan.networks()),
    retries: 3
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * min(attempt, 3),
        runtime=60,
    params:
        parent=lambda wildcards, input: option("--parent", input.get("parent")),
        card=lambda wildcards: LADDER.card(wildcards.run),
        resume=lambda wildcards, output: str(Path(output.weights).parents[2] / "resume"),
        code=CODE["train_network"],
    message:
        "Training {wildcards.run}"
    shell:
        'python "$ZLADDER_SCRIPTS"/train_network.py --dataset {input.dataset:q} {params.parent}'
        " --card-json {params.card:q} --resume-folder {params.resume:q}"
        " --minutes {resources.runtime} --threads {threads} --weights {output.weights:q}"
        " --card {output.card:q} --history {output.history:q} --sidecar {output.sidecar:q}"
        " --log {log:q} --code-digest {params.code}"


rule train_control:
    """Fit an ordinary tool as its run card says. Wildcards: run."""
    input:
        dataset=lambda wildcards: LADDER.dataset_of(wildcards.run),
    output:
        weights="<results>/runs/{run}/weights.safetensors",
        card="<results>/runs/{run}/card.json",
        sidecar="<results>/runs/{run}/sidecar.json",
    log:
        "<logs>/train_control/{run}.log",
    benchmark:
        "<benchmarks>/train_control/{run}.tsv"
    wildcard_constraints:
        run=names_pattern(LADDER.plan.controls()),
    group:
        "controls"
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * min(attempt, 3),
        runtime=30,
    params:
        card=lambda wildcards: LADDER.card(wildcards.run),
        code=CODE["train_control"],
    message:
        "Fitting {wildcards.run}"
    shell:
        'python "$ZLADDER_SCRIPTS"/train_control.py --dataset {input.dataset:q}'
        " --card-json {params.card:q} --weights {output.weights:q} --card {output.card:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"
