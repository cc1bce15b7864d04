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

# A node that died took its Snakemake along and left the lock. Nobody else can hold it: Slurm runs a
# requeued job only when its first attempt is over.
if [ "${SLURM_RESTART_COUNT:-0}" -gt 0 ]; then
    snakemake --workflow-profile none --unlock
fi
snakemake --workflow-profile node "$@"
