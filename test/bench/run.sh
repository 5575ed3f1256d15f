#!/bin/sh
#
# run.sh: the benchmark: models, kernels, scoring in SQL and its rivals, plots.
#
#   sh test/bench/run.sh [OUT [MODELS]]
#
# Installs what it needs, builds, starts a private server, and writes report.md,
# results.json, scaling.json, the programs' own outputs and scaling.png and .svg
# to OUT (default: bench-results in the current directory). Models are made in
# MODELS (default: OUT/models) and kept. Takes about half an hour on two cores,
# on a machine that does nothing else; ROUNDS, ROWS and QUICK=1 (SQL and the C
# API only) shorten it.

set -eu
. "$(dirname "$0")/../lib.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)
out=${1:-bench-results}
mkdir -p "$out"
out=$(cd "$out" && pwd)
models=${2:-$out/models}
python=/usr/bin/python3

trap clean_up EXIT
trap 'exit 130' HUP INT TERM

install_postgresql $build_packages python3-xgboost libxgboost-dev python3-psycopg2 python3-matplotlib
[ -n "${QUICK:-}" ] || [ "$PG_CONFIG" != "/usr/lib/postgresql/${major:-}/bin/pg_config" ] ||
	install_packages "postgresql-plpython3-$major"
make_work_directory
tree_make -j"$(nproc)"
install_extension
start_server
psql="$bindir/psql"
"$psql" -Xqc 'CREATE EXTENSION model_predict'

"$python" "$top/test/bench/make_models.py" "$models"
# the server reads them too; models kept by another user are as they are
chmod -R a+rX "$models" 2>/dev/null || true
gcc -O2 -o "$out/c_api" "$top/test/bench/c_api.c" -lxgboost
cores="$top/src/core/*/*.c"
gcc -O2 -std=gnu11 -ffp-contract=off -I"$top/src" -o "$out/kernel_bench" \
	"$top/test/bench/kernel_bench.c" $cores -lxgboost -lm
gcc -O2 -std=gnu11 -ffp-contract=off -I"$top/src" -o "$out/shap_bench" \
	"$top/test/bench/shap_bench.c" $cores -lm

OMP_NUM_THREADS=1 "$out/kernel_bench" "$models" small medium large multi | tee "$out/kernels.txt"
OMP_NUM_THREADS=1 "$python" "$top/test/bench/shap_compare.py" "$out/shap_bench" "$models" | tee "$out/shap.txt"
"$python" "$top/test/bench/bench.py" "$models" --out "$out" --c-api "$out/c_api" \
	--rounds "${ROUNDS:-5}" --rows "${ROWS:-200000}" ${QUICK:+--quick}
"$python" "$top/test/bench/scaling.py" "$out" --c-api "$out/c_api"
"$python" "$top/test/bench/plot.py" "$out" "$out/scaling"
say "written to $out"
