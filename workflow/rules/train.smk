"""Stage 6, train: one run card becomes one trained run.

REQUIRED INPUTS: <results>/datasets/{dataset}.parquet, <results>/cutouts/{sample}/{shard}.h5 for
networks on images, and the parent run's weights or features if the card
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
        run=names_pattern(LADDER.plan.tasks("catalogue")),
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
        run=names_pattern(LADDER.plan.tasks("control")),
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 30 * min(attempt, 3),
    params:
        card=lambda wildcards: LADDER.card(wildcards.run),
        code=CODE["train_control"],
    message:
        "Fitting {wildcards.run}"
    shell:
        'python "$ZLADDER_SCRIPTS"/train_control.py --dataset {input.dataset:q}'
        " --card-json {params.card:q} --weights {output.weights:q} --card {output.card:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule train_image:
    """Train a network on images as its run card says; interruptible. Wildcards: run."""
    input:
        dataset=lambda wildcards: LADDER.dataset_of(wildcards.run),
        stamps=lambda wildcards: LADDER.stamps_of_run(wildcards.run),
        parent=lambda wildcards: LADDER.parent_of(wildcards.run),
    output:
        weights="<results>/runs/{run}/weights.safetensors",
        card="<results>/runs/{run}/card.json",
        history="<results>/runs/{run}/history.csv",
        sidecar="<results>/runs/{run}/sidecar.json",
    log:
        "<logs>/train_image/{run}.log",
    benchmark:
        "<benchmarks>/train_image/{run}.tsv"
    wildcard_constraints:
        run=names_pattern(LADDER.plan.tasks("image")),
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
        parent=lambda wildcards, input: option("--parent", input.get("parent")),
        card=lambda wildcards: LADDER.card(wildcards.run),
        resume=lambda wildcards, output: str(Path(output.weights).parents[2] / "resume"),
        code=CODE["train_image"],
    message:
        "Training {wildcards.run}"
    shell:
        'python "$ZLADDER_SCRIPTS"/train_image.py --dataset {input.dataset:q}'
        " {params.stamps} {params.parent} --card-json {params.card:q}"
        " --resume-folder {params.resume:q} --minutes {resources.runtime}"
        " --resident-mb {resources.resident_mb} --threads {threads} --weights {output.weights:q}"
        " --card {output.card:q} --history {output.history:q} --sidecar {output.sidecar:q}"
        " --log {log:q} --code-digest {params.code}"


rule embed_images:
    """Send a dataset's stamps through a trained encoder and keep the features. Wildcards: run."""
    input:
        weights="<results>/runs/{run}/weights.safetensors",
        dataset=lambda wildcards: LADDER.embedded_dataset(wildcards.run),
        stamps=lambda wildcards: LADDER.embedded_stamps(wildcards.run),
    output:
        features="<results>/features/{run}.h5",
        sidecar="<results>/features/{run}.json",
    log:
        "<logs>/embed_images/{run}.log",
    benchmark:
        "<benchmarks>/embed_images/{run}.tsv"
    wildcard_constraints:
        run=names_pattern(LADDER.plan.embedded()),
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 6000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 60 * min(attempt, 3),
    params:
        stamps=lambda wildcards, input: option("--stamps", input.stamps),
        copies=lambda wildcards: LADDER.copies_of(wildcards.run),
        code=CODE["embed_images"],
    message:
        "Embedding images with {wildcards.run}"
    shell:
        'python "$ZLADDER_SCRIPTS"/embed_images.py --weights {input.weights:q}'
        " --dataset {input.dataset:q} {params.stamps} --copies {params.copies}"
        " --threads {threads} --features {output.features:q} --sidecar {output.sidecar:q}"
        " --log {log:q} --code-digest {params.code}"


rule train_probe:
    """Fit a linear probe on cached features as its run card says. Wildcards: run."""
    input:
        dataset=lambda wildcards: LADDER.dataset_of(wildcards.run),
        features=lambda wildcards: LADDER.features_of(wildcards.run),
    output:
        weights="<results>/runs/{run}/weights.safetensors",
        card="<results>/runs/{run}/card.json",
        sidecar="<results>/runs/{run}/sidecar.json",
    log:
        "<logs>/train_probe/{run}.log",
    benchmark:
        "<benchmarks>/train_probe/{run}.tsv"
    wildcard_constraints:
        run=names_pattern(LADDER.plan.tasks("probe")),
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 15 * min(attempt, 3),
    params:
        card=lambda wildcards: LADDER.card(wildcards.run),
        code=CODE["train_probe"],
    message:
        "Fitting {wildcards.run}"
    shell:
        'python "$ZLADDER_SCRIPTS"/train_probe.py --dataset {input.dataset:q}'
        " --features {input.features:q} --card-json {params.card:q} --weights {output.weights:q}"
        " --card {output.card:q} --sidecar {output.sidecar:q} --log {log:q}"
        " --code-digest {params.code}"


rule train_head:
    """Train a head of classes on cached features; interruptible. Wildcards: run."""
    input:
        dataset=lambda wildcards: LADDER.dataset_of(wildcards.run),
        features=lambda wildcards: LADDER.features_of(wildcards.run),
        labels_from=lambda wildcards: LADDER.labels_from(wildcards.run),
    output:
        weights="<results>/runs/{run}/weights.safetensors",
        card="<results>/runs/{run}/card.json",
        history="<results>/runs/{run}/history.csv",
        sidecar="<results>/runs/{run}/sidecar.json",
    log:
        "<logs>/train_head/{run}.log",
    benchmark:
        "<benchmarks>/train_head/{run}.tsv"
    wildcard_constraints:
        run=names_pattern(LADDER.plan.tasks("head")),
    retries: 3
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * min(attempt, 3),
        runtime=60,
    params:
        labels_from=lambda wildcards, input: option("--labels-from", input.get("labels_from")),
        card=lambda wildcards: LADDER.card(wildcards.run),
        resume=lambda wildcards, output: str(Path(output.weights).parents[2] / "resume"),
        code=CODE["train_head"],
    message:
        "Training {wildcards.run}"
    shell:
        'python "$ZLADDER_SCRIPTS"/train_head.py --dataset {input.dataset:q}'
        " --features {input.features:q} {params.labels_from} --card-json {params.card:q}"
        " --resume-folder {params.resume:q} --minutes {resources.runtime} --threads {threads}"
        " --weights {output.weights:q} --card {output.card:q} --history {output.history:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"
