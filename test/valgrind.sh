#!/bin/sh
#
# valgrind.sh: the SQL tests once against a server that runs under valgrind.
#
#   sh test/valgrind.sh [TEST]...
#
# An error counts where its innermost frame, past the C library and PostgreSQL's
# allocator, is one of ours, or where what is not initialised was made there.
# PostgreSQL is Debian's: it was not built to be run so, and its own frames are
# counted but not held against us. Everything that counts and is no error has to
# be in test/valgrind.supp, with its reason. Takes three to ten minutes.
#
# Last result (PostgreSQL 15.20, valgrind 3.19, x86-64 up to AVX2, which is what
# valgrind emulates):
#   11 tests passed; 0 errors of ours, 18 of PostgreSQL alone: bytes between the
#   rows of pages that are written, and copies of its own that overlap

set -u
. "$(dirname "$0")/lib.sh"

# the frames that an error is not blamed on: they do what they are told
innermost='
function finish(    ours, i, part, n)
{
	if (block == "")
		return
	n = split(block, part, /\n/)
	for (i = 1; i <= n; i++)
	{
		if (part[i] !~ /(at|by) 0x/)
		{
			looking = 1
			continue
		}
		if (!looking || part[i] ~ /vg_replace|libc\.so|ld-linux|: (\?\?\? .in [^ ]*postgres|palloc|repalloc|MemoryContext|psprintf|appendStringInfo)/)
			continue
		looking = 0
		if (part[i] ~ tree "/src/")
			ours = 1
	}
	if (ours)
	{
		mine++
		print block
	}
	else
	{
		others++
		sub(/0x[0-9A-F]+: /, "", part[2])
		seen[part[1] " | " part[2]]++
	}
	block = ""
}
/BEGIN-ERROR/ { inside = 1; looking = 1; next }
/END-ERROR/ { finish(); inside = 0; next }
inside { sub(/^==[0-9]+== ?/, ""); block = block $0 "\n" }
END {
	for (i in seen)
		printf "PostgreSQL alone, %d times: %s\n", seen[i], i
	printf "%d errors of ours, %d of PostgreSQL alone\n", mine, others
}
'

trap 'clean_up' EXIT
trap 'exit 130' HUP INT TERM

install_postgresql
# shellcheck disable=SC2086
install_packages $build_packages valgrind libc6-dbg
make_work_directory
tree_make -j"$(nproc)" >"$work/build.log" 2>&1 && install_extension >>"$work/build.log" 2>&1 ||
	{ cat "$work/build.log"; exit 1; }
start_server
(cd "$work" && as_user "$bindir/pg_ctl" -D "$work/data" -m fast stop >/dev/null)
mkdir "$work/valgrind"
cat >"$work/postgres" <<SH
#!/bin/sh
exec valgrind --quiet --trace-children=yes --leak-check=no --track-origins=yes --num-callers=30 \\
	--error-limit=no --error-markers=BEGIN-ERROR,END-ERROR --fullpath-after= --suppressions=$tree/test/valgrind.supp \\
	--log-file=$work/valgrind/%p.log $bindir/postgres "\$@"
SH
chmod +x "$work/postgres"
[ "$(id -u)" != 0 ] || chown postgres: "$work/valgrind" "$work/postgres"
as_user sh -c "printf '%s\n' 'jit = off' 'autovacuum = off' >>'$work/data/postgresql.conf'"
(cd "$work" && as_user env PGCTLTIMEOUT=600 "$bindir/pg_ctl" -p "$work/postgres" -D "$work/data" -l "$work/server.log" -w start >/dev/null) ||
	{ cat "$work/server.log"; exit 1; }

tree_make installcheck ISOLATION= TAP_TESTS= ${1:+REGRESS="$*"} >"$work/regress.log" 2>&1
status=$?
grep -E '^(test| ) ' "$work/regress.log"
[ $status = 0 ] || cat "$tree/regression.diffs"
(cd "$work" && as_user "$bindir/pg_ctl" -D "$work/data" -m fast -t 600 stop >/dev/null)
server_runs=
cat "$work"/valgrind/*.log | awk -v tree="$tree" "$innermost" >"$work/errors"
cat "$work/errors"
[ $status = 0 ] && grep -q '^0 errors of ours' "$work/errors"
