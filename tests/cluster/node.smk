"""Trainings that each need a GPU for a second, to be run inside one allocation."""


rule all:
    input:
        expand("out/{i}", i=range(4)),
    localrule: True


rule train_image:
    output:
        "out/{i}",
    resources:
        gpu=1,
        mem_mb=1000,
    shell:
        "date +%s.%N > {output}; sleep 1; date +%s.%N >> {output}"
