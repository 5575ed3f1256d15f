#!/bin/sh
#
# run.sh: installs what the tests need, builds, and runs every test there is.
#
#   sh test/run.sh            all
#   sh test/run.sh SUITE...   some of: build unit fuzz fuzzing files regress isolation tap pgtap demo
#
# `fuzz` replays the corpus, `fuzzing` runs each target for FUZZ_SECONDS (60).
#
# Runs as root or as a user who may sudo; the server runs as an unprivileged
# user in a temporary directory, on a socket. The last line is the sum,
# "N passed, N failed", and the exit status tells whether any failed.

set -u
. "$(dirname "$0")/lib.sh"

suites=${*:-build unit fuzz fuzzing files regress isolation tap pgtap demo}
passed=0
failed=0
summary=

# adds a suite's numbers to the sum; $4 is a log whose end is shown on failure
tally()
{
	passed=$((passed + $2))
	failed=$((failed + $3))
	line=$(printf '%-12s %6d passed %6d failed   (%d s)' "$1" "$2" "$3" $(($(date +%s) - started)))
	summary="$summary$line
"
	say "$line"
	[ "$3" = 0 ] || [ -z "${4:-}" ] || show "$4"
}

show()
{
	[ -s "$1" ] || return 0
	say "---- ${1##*/}"
	tail -n "${2:-150}" "$1"
	say "----"
}

count()
{
	grep -c "$1" "$2" || true
}

# without warnings with both compilers; gcc's build is the one that is installed
run_build()
{
	(cd "$tree" && as_user make -s clean PG_CONFIG="$PG_CONFIG") >/dev/null 2>&1
	if tree_make -j"$(nproc)" CC="$clang" WERROR=1 >"$work/clang.log" 2>&1
	then
		tally build 2 0
	else
		tally build 1 1 "$work/clang.log"
	fi
}

# a Makefile with a target check that ends in "N passed, N failed"
run_make_check()
{
	tree_make -j"$(nproc)" --output-sync=target -C "$2" check >"$work/$1.log" 2>&1
	status=$?
	sums=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$work/$1.log" |
		awk '{ p += $1; f += $2 } END { print p + 0, f + 0 }')
	ok=${sums% *}
	bad=${sums#* }
	[ $status = 0 ] && [ "$ok" != 0 ] || [ "$bad" != 0 ] || bad=1
	tally "$1" "$ok" "$bad" "$work/$1.log"
}

run_unit()
{
	run_make_check unit test/unit
}

run_fuzz()
{
	run_make_check fuzz test/fuzz
}

# each target for a while, beside the replay; a fault, a leak or a hang fails
run_fuzzing()
{
	ok=0
	bad=0
	for target in "$top"/test/fuzz/fuzz_*.c
	do
		target=$(basename "$target" .c)
		target=${target#fuzz_}
		if tree_make -C test/fuzz "fuzz-$target" FUZZ_CC="$clang" FUZZ_SECONDS="${FUZZ_SECONDS:-60}" >"$work/fuzz-$target.log" 2>&1
		then
			ok=$((ok + 1))
			say "$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$work/fuzz-$target.log") executions"
		else
			bad=$((bad + 1))
			show "$work/fuzz-$target.log" 60
		fi
	done
	tally fuzzing $ok $bad
}

# every file of the tests is one that something runs, every include points downwards
run_files()
{
	(cd "$tree" && sh test/orphans.sh; perl test/includes.pl) >"$work/files.log" 2>&1
	tally files "$(count '^ok ' "$work/files.log")" "$(count '^not ok ' "$work/files.log")" \
		"$work/files.log"
}

# pg_regress's lines "test NAME ... ok", since 16 "ok 1 - NAME"; $2 is how many tests there are
run_pg_regress()
{
	shift_name=$1
	expected=$2
	shift 2
	tree_make installcheck PROVE=true "$@" >"$work/$shift_name.log" 2>&1
	status=$?
	ok=$(grep -Ec '^((test| ) .*\.\.\. ok |ok [0-9])' "$work/$shift_name.log")
	bad=$((expected - ok))
	[ $bad != 0 ] || [ $status = 0 ] || bad=1
	tally "$shift_name" "$ok" "$bad" "$work/$shift_name.log"
	if [ $bad != 0 ]
	then
		show "$tree/regression.diffs" 400
		show "$tree/output_iso/regression.diffs" 400
		show "$work/server.log" 40
	fi
}

run_regress()
{
	run_pg_regress regress "$(ls "$tree"/test/sql/*.sql | wc -l)" ISOLATION= TAP_TESTS=
}

run_isolation()
{
	run_pg_regress isolation "$(ls "$tree"/test/isolation/specs/*.spec | wc -l)" REGRESS= TAP_TESTS=
}

# counts the assertions in what prove -v printed; a file that dies counts too
tally_tap()
{
	ok=$(count '^ok ' "$work/$1.log")
	bad=$(count '^not ok ' "$work/$1.log")
	files=$(count '^[^ ]*  *(Wstat: ' "$work/$1.log")
	[ "$bad" -ge "$files" ] || bad=$files
	[ "$2" = 0 ] && [ "$ok" != 0 ] || [ "$bad" != 0 ] || bad=1
	if [ "$bad" != 0 ]
	then
		grep -A 12 '^not ok ' "$work/$1.log"
		grep -B 6 '^Dubious' "$work/$1.log"
		sed -n '/^Test Summary Report/,$p' "$work/$1.log"
		[ "$ok" != 0 ] || show "$work/$1.log"
	fi
	skipped=$(grep -c '^ok .*# skip' "$work/$1.log")
	[ "$skipped" = 0 ] || say "$1: $skipped skipped: $(grep -m 3 '^ok .*# skip' "$work/$1.log")"
	tally "$1" $((ok - skipped)) "$bad"
}

run_tap()
{
	tree_make installcheck REGRESS= ISOLATION= PROVE_FLAGS="-v -j2" >"$work/tap.log" 2>&1
	status=$?
	tally_tap tap $status
	sed -n 's|^test/t/\([^ ]*\)\.pl  *(Wstat: .*|\1|p' "$work/tap.log" |
		while read -r name
		do
			show "$tree/tmp_check/log/regress_log_$name" 60
		done
}

run_pgtap()
{
	(cd "$work" && as_user "$bindir/psql" -Xq -c 'CREATE DATABASE pgtap' &&
		as_user "$bindir/psql" -Xq -d pgtap \
			-c 'CREATE EXTENSION pgtap' -c 'CREATE EXTENSION model_predict') || failed=$((failed + 1))
	# as plans have it, and with batches wherever they can be
	for batch in auto always
	do
		(cd "$tree" && as_user env PG_ABS_SRCDIR="$tree/test" PATH="$bindir:$PATH" \
			PGOPTIONS="-c model_predict.batch=$batch" \
			pg_prove -d pgtap -v test/pgtap/*.sql) >"$work/pgtap-$batch.log" 2>&1
		tally_tap "pgtap-$batch" $?
	done
}

# what a newcomer runs: it comes to its end and leaves nothing behind
run_demo()
{
	mkdir "$work/demo"
	(TMPDIR=$work/demo && export TMPDIR && chmod 755 "$work" && sh "$top/test/demo.sh") >"$work/demo.log" 2>&1
	status=$?
	ok=0
	if [ $status = 0 ] && grep -q '^ *7044 . *0\.[0-9]* *$' "$work/demo.log" && ! grep -q 'WARNING' "$work/demo.log" &&
		[ -z "$(ls -A "$work/demo")" ]
	then
		ok=1
	fi
	tally demo $ok $((1 - ok)) "$work/demo.log"
}

trap 'clean_up' EXIT
trap 'exit 130' HUP INT TERM

began=$(date +%s)
install_postgresql
# the one that PostgreSQL's bitcode is made with, if any is
clang=$(sed -n 's/^CLANG *= *//p' "$(dirname "$("$PG_CONFIG" --pgxs)")/../Makefile.global")
clang_packages="clang libclang-rt-dev"
if [ -n "$clang" ]
then
	clang_packages="libclang-rt-${clang##*-}-dev"
fi
clang=${clang:-clang}
# a PostgreSQL that is not Debian's brings pgTAP itself
pgtap_package=
if [ ! -e "$("$PG_CONFIG" --sharedir)/extension/pgtap.control" ]
then
	pgtap_package="postgresql-$("$PG_CONFIG" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')-pgtap"
fi
# shellcheck disable=SC2086,SC2046
install_packages $clang_packages $build_packages $test_packages $(node_packages) $pgtap_package
make_work_directory

if ! { tree_make -j"$(nproc)" CC=gcc WERROR=1 && install_extension; } >"$work/build.log" 2>&1
then
	show "$work/build.log"
	say "0 passed, 1 failed"
	exit 1
fi

for suite in $suites
do
	case $suite in
		regress | isolation | tap | pgtap) [ -n "${server_runs:-}" ] || start_server;;
	esac
	started=$(date +%s)
	"run_$suite"
done

if [ -s "$work/server.log" ] && grep -E 'PANIC|was terminated by signal' "$work/server.log"
then
	say "a backend of the test server crashed"
	failed=$((failed + 1))
fi
# what a server says of itself, most of it where it was built with assertions
set -- "$work/server.log" "$tree"/tmp_check/log/*.log
if grep -E 'TRAP: | leak: |not closed: |problem in alloc|write past chunk|SPI stack|GUC nest level' "$@" 2>/dev/null
then
	say "a server found memory or references in disorder"
	failed=$((failed + 1))
fi

say ""
printf '%s' "$summary"
say "$(($(date +%s) - began)) seconds"
say "$passed passed, $failed failed"
[ $failed = 0 ]
