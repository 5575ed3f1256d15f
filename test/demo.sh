#!/bin/sh
#
# demo.sh: shows in a minute what model_predict is for.
#
#   sh test/demo.sh           installs what it needs, shows, and cleans up
#   sh test/demo.sh --keep    leaves the server running, to go on by hand
#
# Runs as root or as a user who may sudo; the server runs as an unprivileged
# user in a temporary directory, on a socket.

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

say "building"
if ! { tree_make -j"$(nproc)" && install_extension; } >"$work/build.log" 2>&1
then
	cat "$work/build.log" >&2
	keep=
	die "the build failed"
fi
start_server

if ! (cd "$tree/test/data/demo" &&
	as_user "$bindir/psql" -X -v "head=$head" -v "tail=$tail" -f demo.sql)
then
	keep=
	die "the demo failed"
fi

say ""
if [ -n "$keep" ]
then
	[ "$(id -u)" != 0 ] || sudo="runuser -u postgres -- "
	cat <<-END
	The server goes on running. To look around:

	    ${sudo:-}$bindir/psql -h $PGHOST -U postgres

	Try:

	    \\df predict*                          the scoring functions
	    \\dv model_predict.*                   models, versions, features, history
	    SELECT * FROM model_predict.features;
	    SELECT * FROM predict_explain('churn', (SELECT c FROM customers c WHERE id = 6));

	To stop it and leave nothing:

	    ${sudo:-}$bindir/pg_ctl -D $work/data stop && rm -rf $work
	END
else
	say "That was it; nothing is left running. 'sh test/demo.sh --keep' leaves the server up to go on"
	say "by hand. README.md starts from here."
fi
