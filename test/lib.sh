# lib.sh: what run.sh and demo.sh share: packages, building, a private server.
#
# Sourced, not run. Nothing is built in the source tree: it is copied to a
# directory of its own, owned by the user who runs the server. A PG_CONFIG in
# the environment chooses another PostgreSQL than Debian's.

# to build the extension and to run a server
build_packages="gcc make libc6-dev"
# what the tests need beside that
test_packages="libipc-run-perl libtap-parser-sourcehandler-pgtap-perl perl
	pgbouncer python3-psycopg2 python3-psycopg
	python3-sklearn python3-xgboost python3-pandas python3-imblearn
	libpostgresql-jdbc-java default-jdk-headless libxgboost0"

# whatever the caller's language
export LC_ALL=C.UTF-8

top=$(cd "$(dirname "$0")/.." && pwd)

say()
{
	printf '%s\n' "$*"
}

die()
{
	printf '%s\n' "$*" >&2
	exit 1
}

as_root()
{
	if [ "$(id -u)" = 0 ]
	then
		"$@"
	elif command -v sudo >/dev/null
	then
		sudo "$@"
	else
		die "needs root: run it as root, or install sudo"
	fi
}

# runs a command as the user of the server, who is never root
as_user()
{
	if [ "$(id -u)" = 0 ]
	then
		runuser -u postgres -- env HOME="$work" USER=postgres "$@"
	else
		"$@"
	fi
}

# the ones of the given packages that the machine lacks
missing_packages()
{
	for package
	do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null |
			grep -q 'ok installed' || printf '%s ' "$package"
	done
}

# Debian's node and its driver; where node is of other origin, which Debian's
# driver does not go with, the test of it fetches the driver with npm
node_packages()
{
	if ! command -v node >/dev/null || apt-get -s install node-pg >/dev/null 2>&1
	then
		echo nodejs node-pg
	fi
}

install_packages()
{
	missing=$(missing_packages "$@")
	[ -n "$missing" ] || return 0
	say "installing $missing"
	# services among them are not started
	as_root env DEBIAN_FRONTEND=noninteractive sh -c '
		policy=/usr/sbin/policy-rc.d
		log=$(mktemp)
		if [ -e $policy ]
		then
			policy=
		else
			printf "#!/bin/sh\nexit 101\n" >$policy && chmod 755 $policy
		fi
		{ apt-get update && apt-get install -y --no-install-recommends "$@"; } >"$log" 2>&1
		status=$?
		[ $status = 0 ] || cat "$log" >&2
		rm -f "$log" $policy
		exit $status' sh $missing || die "could not install $missing"
}

# PostgreSQL's packages; the cluster that Debian would make and start by
# itself is not wanted, unless the machine had PostgreSQL already
install_postgresql()
{
	if [ -z "${PG_CONFIG:-}" ]
	then
		command -v apt-get >/dev/null ||
			die "no apt-get here: install PostgreSQL yourself and set PG_CONFIG"
		major=$(apt-cache depends postgresql 2>/dev/null |
			sed -n 's/.*Depends: postgresql-\([0-9]*\)$/\1/p')
		if [ -z "$major" ]
		then
			as_root apt-get update -qq
			major=$(apt-cache depends postgresql |
				sed -n 's/.*Depends: postgresql-\([0-9]*\)$/\1/p')
		fi
		[ -n "$major" ] || die "apt-cache knows no package postgresql"
		quiet=/etc/postgresql-common/createcluster.d/model_predict_test.conf
		if [ -n "$(missing_packages "postgresql-$major")" ] && [ ! -e "$quiet" ]
		then
			as_root mkdir -p "${quiet%/*}"
			echo 'create_main_cluster = false' | as_root tee "$quiet" >/dev/null
		else
			quiet=
		fi
		install_packages "postgresql-$major" "postgresql-server-dev-$major" "$@"
		[ -z "$quiet" ] || as_root rm -f "$quiet"
		PG_CONFIG=/usr/lib/postgresql/$major/bin/pg_config
	fi
	export PG_CONFIG
	"$PG_CONFIG" --version >/dev/null || die "PG_CONFIG=$PG_CONFIG does not work"
	bindir=$("$PG_CONFIG" --bindir)
}

# a directory that the user of the server owns, with a copy of the sources
make_work_directory()
{
	[ "$(id -u)" != 0 ] || id postgres >/dev/null 2>&1 ||
		die "there is no user postgres to run the server as"
	work=$(mktemp -d "${TMPDIR:-/tmp}/model_predict.XXXXXX")
	tree=$work/tree
	mkdir "$tree" "$work/sock"
	(cd "$top" && tar -cf - --exclude=./.git --exclude='*.o' --exclude='*.bc' --exclude='*.so' \
		--exclude='*.a' --exclude=./results --exclude=./tmp_check --exclude=./log .) |
		(cd "$tree" && tar --no-same-owner -xf -)
	[ "$(id -u)" != 0 ] || chown -R postgres: "$work"
}

# A copy of PostgreSQL within the work directory, so that nothing is installed into the
# system's; PG_CONFIG and bindir lead there from now on. PostgreSQL finds its files from
# where its program lies.
copy_postgresql()
{
	root=$work/root
	for dir in bindir pkglibdir sharedir
	do
		path=$("$PG_CONFIG" --$dir)
		mkdir -p "$root$path"
		cp -a "$path/." "$root$path/" || die "could not copy PostgreSQL"
	done
	# headers, and pg_config's libraries, are read only
	for dir in includedir pkgincludedir includedir-server
	do
		path=$("$PG_CONFIG" --$dir)
		[ -e "$root$path" ] || { mkdir -p "$(dirname "$root$path")" && ln -s "$path" "$root$path"; }
	done
	PG_CONFIG=$root$("$PG_CONFIG" --bindir)/pg_config
	export PG_CONFIG
	"$PG_CONFIG" --version >/dev/null || die "the copy of PostgreSQL does not work"
	bindir=$("$PG_CONFIG" --bindir)
	[ "$(id -u)" != 0 ] || chown -R postgres: "$root"
}

# make in the copy; $@ are its arguments
tree_make()
{
	(cd "$tree" && as_user make -s --no-print-directory PG_CONFIG="$PG_CONFIG" "$@")
}

# $@ are arguments of make
install_extension()
{
	if [ -w "$("$PG_CONFIG" --pkglibdir)" ]
	then
		(cd "$tree" && make -s PG_CONFIG="$PG_CONFIG" "$@" install)
	else
		(cd "$tree" && as_root make -s PG_CONFIG="$PG_CONFIG" "$@" install)
	fi
}

# a server that only its own socket leads to; PG* variables point there
start_server()
{
	(cd "$work" &&
		as_user "$bindir/initdb" -D "$work/data" -U postgres -A trust --no-sync \
			--encoding=UTF8 --locale=C.UTF-8 >"$work/initdb.log" 2>&1) ||
		{ cat "$work/initdb.log" >&2; die "initdb failed"; }
	as_user sh -c "cat >>'$work/data/postgresql.conf'" <<-CONF
		listen_addresses = ''
		unix_socket_directories = '$work/sock'
		fsync = off
		max_connections = 50
		log_line_prefix = '%m [%p] %q%a '
	CONF
	(cd "$work" &&
		as_user "$bindir/pg_ctl" -D "$work/data" -l "$work/server.log" -w start >/dev/null) ||
		{ cat "$work/server.log" >&2; die "the server did not start"; }
	server_runs=1
	export PGHOST="$work/sock" PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
	unset PGSERVICE PGOPTIONS PGPASSWORD
}

stop_server()
{
	[ -z "${server_runs:-}" ] ||
		(cd "$work" && as_user "$bindir/pg_ctl" -D "$work/data" -m immediate stop >/dev/null 2>&1)
	server_runs=
}

# for a trap: leaves nothing behind
clean_up()
{
	[ -n "${work:-}" ] || return 0
	stop_server
	cd / && rm -rf "$work"
}
