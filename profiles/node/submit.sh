#!/usr/bin/env bash
# The whole workflow in one allocation of one node. What follows the script's name goes to Snakemake:
#   sbatch --account="$ZLADDER_GPU_ACCOUNT" --constraint=gpu --gpus=4 --cpus-per-task=128 \
#       profiles/node/submit.sh hayat2021 --config scale=small
# The same command again goes on where the time ended.
#SBATCH --job-name=zladder-node
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --time=12:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=zladder-node-%j.log
set -euo pipefail

snakemake() {
    if [ -x .venv/bin/snakemake ]; then .venv/bin/snakemake "$@"; else command snakemake "$@"; fi
}

# Print the numbers of this user's other jobs that hold this folder: allocations like this one, and
# what a Snakemake on the login node submitted. Jobs that only wait hold nothing.
others() {
    local jobs number name at
    jobs=$(squeue --noheader --user="$(id -un)" --states=CF,R,S,CG --format="%i|%j|%Z") || return
    while IFS="|" read -r number name at; do
        if [[ $number != "$SLURM_JOB_ID" && $name == zladder* && $at -ef . ]]; then
            echo "$number"
        fi
    done <<< "$jobs"
}

# A Snakemake that was killed, by its time limit or with its node, left the lock. While another job
# of this folder runs, or Slurm does not answer, the lock stays: Snakemake refuses if there is one.
if running=$(others) && [ -z "$running" ]; then
    snakemake --workflow-profile none --unlock
fi
snakemake --workflow-profile node "$@"
