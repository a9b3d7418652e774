#!/bin/sh
# `make bench-gpu` on a machine that has torch, Numba, onnx, ONNX Runtime, rich, psutil and a GPU, but no network: tools/bench_gpu.sh OUT [PART...]
#
# Run it in the checkout. `make gpu-wheels` puts the packages that such a machine lacks into build/wheels, on one that has a
# network. OUT gets benchmarks.md and benchmarks.json. PART: gpu (default, five minutes) or gpu-learning (eight).
set -eu
out=$1
shift
site=${TMPDIR:-/tmp}/cartridge-site
python3 -m pip install --quiet --no-index --no-deps --upgrade --target "$site" build/wheels/*.whl
export PYTHONPATH="src:$site"
python3 -m bench "${@:-gpu}" --out "$out" --work "${TMPDIR:-/tmp}/cartridge-bench"
