#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Configures and builds the preset (default: dev) with the Python on PATH and links what was built into
# python/equiheat, so that PYTHONPATH=python works. Usage: tools/dev_build.sh [preset] [ninja arguments]
set -eu
cd "$(dirname "$0")/.."
preset=${1:-dev}
[ $# -gt 0 ] && shift
python=$(command -v python || command -v python3)
build=build/$preset
if [ ! -f "$build/build.ninja" ] || ! grep -qF "Python_EXECUTABLE:FILEPATH=$python" "$build/CMakeCache.txt"; then
  cmake --preset "$preset" -DPython_EXECUTABLE:FILEPATH="$python"
fi
cmake --build "$build" -j "${JOBS:-2}" -- "$@"
for module in "$build"/csrc/_core*.so "$build/_build_info.py"; do
  [ -e "$module" ] && ln -sf "$PWD/$module" python/equiheat/
done
rm -rf python/equiheat/_comm
for library in "$build"/comm/*/libequiheat_comm.so; do
  folder=python/equiheat/_comm/$(basename "$(dirname "$library")")
  mkdir -p "$folder"
  ln -sf "$PWD/$library" "$folder/"
done
exit 0
