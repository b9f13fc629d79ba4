#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Pre-training under Slurm, one rank a GPU (or, without, a socket). Submit again after a time limit: it goes on.
#   sbatch --nodes=2 examples/pretrain_slurm.sh recipe.toml DATA runs/name
#SBATCH --job-name=equiheat
#SBATCH --ntasks-per-node=4
#SBATCH --cpus-per-task=8
#SBATCH --time=08:00:00
#SBATCH --output=%x-%j.log
set -eu
recipe=$1 data=$2 out=$3
export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
resume=()
if [ -e "$out/last.safetensors" ]; then resume=(--resume); fi
# --mpi=pmix (Open MPI) or pmi2 (MPICH): whatever the site's MPI was built with; `srun --mpi=list` shows it.
srun --mpi="${EQUIHEAT_MPI:-pmix}" equiheat pretrain --config "$recipe" --data "$data" --out "$out" \
  --device auto --save-steps 500 "${resume[@]}"
