#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Pre-training, probing and a report on this machine: sh examples/pretrain_mpirun.sh DATA OUT [ranks]
# The same with torchrun and no MPI: torchrun --nproc-per-node 2 -m equiheat.cli pretrain --data DATA --out OUT
set -eu
data=$1 out=$2 ranks=${3:-2}
here=$(dirname "$0")
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
for auxiliary in none ecr; do
  resume=""
  if [ -e "$out/$auxiliary/last.safetensors" ]; then resume=--resume; fi
  mpirun -n "$ranks" equiheat pretrain --config "$here/pretrain_ecr.toml" --data "$data" --out "$out/$auxiliary" \
    --auxiliary "$auxiliary" $resume
  mpirun -n "$ranks" equiheat probe --checkpoint "$out/$auxiliary/last.safetensors" --data "$data"
done
equiheat report --runs "$out/none" "$out/ecr" --out "$out/report.html"
