#!/bin/sh
#
# demo.sh: shows in two minutes what model_predict is for.
#
#   sh test/demo.sh           installs what it needs, shows, and cleans up
#   sh test/demo.sh --keep    leaves the server running, to go on by hand
#
# Runs as root or as a user who may sudo (only to install packages that are missing); the
# server runs as an unprivileged user in a temporary directory, on a socket, with a copy of
# PostgreSQL: nothing is installed into the system's.

set -eu
. "$(dirname "$0")/lib.sh"

keep=
case ${1:-} in
	'') ;;
	--keep) keep=1;;
	*) die "usage: demo.sh [--keep]";;
esac

if [ -t 1 ]
then
	head=$(printf '\n\033[1m')
	tail=$(printf '\033[0m\n')
else
	head=$(printf '\n==')
	tail=
fi

trap '[ -n "$keep" ] || clean_up' EXIT
trap 'keep=; exit 130' HUP INT TERM

install_postgresql
# shellcheck disable=SC2086,SC2154
install_packages $build_packages
make_work_directory
copy_postgresql

# a line that tells how far the build is
build()
{
	total=$(find "$tree/src" -name '*.c' | wc -l)
	tree_make -j"$(nproc)" with_llvm=no CC="${CC:-gcc}" >"$work/build.log" 2>&1 &
	make=$!
	while kill -0 $make 2>/dev/null
	do
		done=$(find "$tree/src" -name '*.o' | wc -l)
		[ ! -t 1 ] || printf '\rbuilding: %d of %d files ' "$done" "$total"
		sleep 1
	done
	[ ! -t 1 ] || printf '\r\033[K'
	wait $make
}

say "building the extension, about a minute"
if ! build || ! install_extension with_llvm=no >>"$work/build.log" 2>&1
then
	cat "$work/build.log" >&2
	keep=
	die "the build failed"
fi
say "starting a server of its own"
start_server

if ! (cd "$tree/test/data/demo" &&
	as_user "$bindir/psql" -X -v "head=$head" -v "tail=$tail" -v "picture=$work/churn-reasons.svg" -f demo.sql)
then
	keep=
	die "the demo failed"
fi

say ""
if [ -n "$keep" ]
then
	chmod 755 "$work"
	# the server's user is the caller, but for root
	[ "$(id -u)" != 0 ] || stop="runuser -u postgres -- "
	cat <<-END
	The server goes on running, and its picture is $work/churn-reasons.svg. To look around:

	    $bindir/psql -h $PGHOST -U postgres

	To stop it and leave nothing:

	    ${stop:-}$bindir/pg_ctl -D $work/data stop && rm -rf $work
	END
else
	say "That was it; nothing is left running. 'sh test/demo.sh --keep' leaves the server and the picture."
	say "README.md starts from here."
fi
