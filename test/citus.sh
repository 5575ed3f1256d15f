#!/bin/sh
#
# citus.sh: models and tables that Citus distributes, on three servers.
#
#   PG_CONFIG=/path/to/pg_config sh test/citus.sh
#
# Needs a PostgreSQL in which Citus is installed (https://github.com/citusdata/citus
# says how); tried with Citus 12.1.12 on PostgreSQL 15. The extension is built and
# installed beside it. Prints "N passed, N failed", or why it is skipped.

set -u
. "$(dirname "$0")/lib.sh"

trap 'clean_up' EXIT
install_postgresql
if [ ! -e "$("$PG_CONFIG" --sharedir)/extension/citus.control" ]
then
	say "skipped: the PostgreSQL of $PG_CONFIG has no Citus; install it there, or set PG_CONFIG"
	exit 0
fi
# shellcheck disable=SC2086
install_packages $build_packages libipc-run-perl perl
make_work_directory
{ tree_make -j"$(nproc)" && install_extension; } >"$work/build.log" 2>&1 || { cat "$work/build.log"; die "the build failed"; }
tree_make installcheck REGRESS= ISOLATION= PROVE_FLAGS=-v PROVE_TESTS=test/t/citus.pl >"$work/tap.log" 2>&1
grep -A 12 '^not ok ' "$work/tap.log"
passed=$(grep -c '^ok ' "$work/tap.log")
failed=$(grep -c '^not ok ' "$work/tap.log")
grep -q '^Result: PASS' "$work/tap.log" || { [ "$failed" != 0 ] || { failed=1; tail -n 40 "$work/tap.log"; }; }
say "$passed passed, $failed failed"
[ "$failed" = 0 ]
