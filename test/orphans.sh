#!/bin/sh
#
# orphans.sh: every file of the tests is one that something runs.
#
# A test that nothing runs looks like one that passes. Prints "ok WHAT" or
# "not ok WHAT: FILES"; run from the top of the sources.

failed=0

# $1 is what is checked, the rest are the files that break it
report()
{
	what=$1
	shift
	if [ $# = 0 ]
	then
		echo "ok $what"
	else
		echo "not ok $what: $*"
		failed=1
	fi
}

# files of $1 named *.$2 without a file of the same name in $3 named *.$4
unpaired()
{
	for file in "$1"/*."$2"
	do
		name=$(basename "$file" ".$2")
		name=${name%_[0-9]}
		[ ! -e "$file" ] || [ -e "$3/$name.$4" ] || echo "$file"
	done
}

# files in the directory $1 that do not match the pattern $2
strangers()
{
	[ ! -d "$1" ] || find "$1" -mindepth 1 -maxdepth 1 | grep -Ev "/($2)\$"
}

# files named *.c in $1 that none of the targets there compiles
uncompiled()
{
	[ -e "$1/Makefile" ] || return 0
	# shellcheck disable=SC2046
	plan=$(make -n -B -C "$1" $(sed -n 's/^\.PHONY: //p' "$1/Makefile") 2>/dev/null)
	for file in "$1"/*.c
	do
		name=$(basename "$file" .c)
		case $plan in
			*"$name"[!a-z0-9_]*) ;;
			*) [ ! -e "$file" ] || echo "$file";;
		esac
	done
}

# shellcheck disable=SC2046
{
	report 'each test/sql has its output' $(unpaired test/sql sql expected out)
	report 'each expected has its test/sql' $(unpaired expected out test/sql sql)
	report 'each isolation spec has its output' \
		$(unpaired test/isolation/specs spec test/isolation/expected out)
	report 'each isolation output has its spec' \
		$(unpaired test/isolation/expected out test/isolation/specs spec)
	report 'test/sql holds regression tests only' $(strangers test/sql '[a-z0-9_]+\.sql')
	report 'test/isolation holds specs and outputs only' $(strangers test/isolation 'specs|expected')
	report 'test/pgtap holds pgTAP files and what they include only' $(strangers test/pgtap '[a-z0-9_]+\.sql|include')
	report 'test/t holds TAP tests and modules only' \
		$(strangers test/t '[a-z0-9_]+\.pl|[A-Za-z]+\.pm')
	report 'each file of test/unit is compiled' $(uncompiled test/unit)
	report 'each file of test/fuzz is compiled' $(uncompiled test/fuzz)
	report 'each directory of test is known' \
		$(strangers test 'sql|pgtap|isolation|t|unit|fuzz|bench|data|clients|oracles|README\.md|core\.mk|includes\.pl|[a-z]+\.sh|valgrind\.supp')
}
exit $failed
