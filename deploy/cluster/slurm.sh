#!/bin/bash
#SBATCH --job-name=tfcolor-colorize
#SBATCH --nodes=100
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --mem-per-cpu=2G
#SBATCH --requeue
# `tfcolor colorize --cluster` under Slurm: sbatch slurm.sh INPUT OUTPUT
# Started anew it goes on where it was. INPUT and OUTPUT lie on a file system
# that all nodes see, or in an object store. Status 1: pictures failed, and are
# in OUTPUT.failures.csv.
set -euo pipefail
input=$1
output=$2
port=6379
# Where tfcolor is installed, for all nodes.
source "$HOME/tfcolor/.venv/bin/activate"
export RAY_USAGE_STATS_ENABLED=0
# Since Slurm 22.05 srun does not take it from the job.
export SRUN_CPUS_PER_TASK="$SLURM_CPUS_PER_TASK"

head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | awk 'NR == 1')
# Its own name may stand for 127.0.1.1, which no other node reaches.
ip=$(srun --nodes=1 --ntasks=1 --nodelist="$head" \
  bash -c 'hostname --ip-address; hostname --all-ip-addresses' | tr ' ' '\n' |
  awk '!ip && /^[0-9.]+$/ && !/^127\./ { ip = $0 } END { print ip }')
if [ -z "$ip" ]; then
  echo "$head has no IPv4 address that other nodes reach" >&2
  exit 2
fi
address="$ip:$port"

srun --nodes=1 --ntasks=1 --nodelist="$head" \
  ray start --head --node-ip-address="$ip" --port="$port" \
  --num-cpus="$SLURM_CPUS_PER_TASK" --include-dashboard=false --block &
tries=0
until ray status --address="$address" > /dev/null 2>&1; do
  tries=$((tries + 1))
  if [ "$tries" -ge 60 ]; then
    echo "Ray does not answer at $address" >&2
    exit 2
  fi
  sleep 2
done
if [ "$SLURM_JOB_NUM_NODES" -gt 1 ]; then
  srun --nodes="$((SLURM_JOB_NUM_NODES - 1))" --exclude="$head" \
    --ntasks="$((SLURM_JOB_NUM_NODES - 1))" --ntasks-per-node=1 \
    ray start --address="$address" --num-cpus="$SLURM_CPUS_PER_TASK" --block &
fi

srun --overlap --nodes=1 --ntasks=1 --nodelist="$head" \
  tfcolor colorize "$input" --output="$output" --cluster="$address"
