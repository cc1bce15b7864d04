"""One rule of each class, some under the names of ours, so that the shipped profile holds for them."""

ENCODERS = ("one", "four")
TRAININGS = range(8)


rule all:
    input:
        "out/sky",
        "out/wide",
        "out/hungry",
        expand("out/encoder.{name}", name=ENCODERS),
        expand("out/training.{i}", i=TRAININGS),
    localrule: True


rule simulate_sky:
    output:
        "out/sky",
    resources:
        mem_mb=3000,
        runtime=10,
    shell:
        "sleep 4; touch {output}"


rule wide:
    output:
        "out/wide",
    threads: 32
    resources:
        mem_mb=8000,
        runtime=20,
    shell:
        "touch {output}"


rule hungry:
    output:
        "out/hungry",
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * min(attempt, 3),
        runtime=10,
    shell:
        "test {resources.mem_mb} -ge 4000 && touch {output}"


rule pretrain_encoder:
    output:
        "out/encoder.{name}",
    resources:
        gpu=lambda wildcards: {"one": 1, "four": 4}[wildcards.name],
        mem_mb=6000,
        runtime=30,
    shell:
        'echo "$CUDA_VISIBLE_DEVICES" > {output}'


rule train_image:
    output:
        "out/training.{i}",
    resources:
        gpu=1,
        mem_mb=6000,
        runtime=30,
    shell:
        'echo "$(date +%s.%N) $CUDA_VISIBLE_DEVICES" > {output}.new; sleep 0.3;'
        ' echo "$(date +%s.%N)" >> {output}.new; mv {output}.new {output}'
