#!/bin/bash
#SBATCH --job-name=tfcolor-colorize
#SBATCH --nodes=100
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --mem-per-cpu=2G
#SBATCH --requeue
# `tfcolor colorize --cluster` under Slurm: sbatch slurm.sh INPUT OUTPUT
# Started anew it goes on where it was. INPUT and OUTPUT lie on a file system
# that all nodes see, or in an object store.
set -euo pipefail
input=$1
output=$2
port=6379
export RAY_USAGE_STATS_ENABLED=0

head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
address="$(getent hosts "$head" | awk '{print $1; exit}'):$port"

srun --nodes=1 --ntasks=1 --nodelist="$head" \
  ray start --head --port="$port" --num-cpus="$SLURM_CPUS_PER_TASK" \
  --include-dashboard=false --block &
sleep 20
if [ "$SLURM_JOB_NUM_NODES" -gt 1 ]; then
  srun --nodes="$((SLURM_JOB_NUM_NODES - 1))" --exclude="$head" \
    --ntasks-per-node=1 \
    ray start --address="$address" --num-cpus="$SLURM_CPUS_PER_TASK" --block &
fi

srun --overlap --nodes=1 --ntasks=1 --nodelist="$head" \
  tfcolor colorize "$input" --output="$output" --cluster="$address"
