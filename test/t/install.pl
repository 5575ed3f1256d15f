# Installing: over what others have made beforehand, into schemas, by upgrades;
# and what the script must not contain.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use ModelPredict;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('install');
my $superuser = getpwuid($<);

sub create_database
{
	my ($name, $sql) = @_;
	$node->safe_psql('postgres', "DROP DATABASE IF EXISTS $name");
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->safe_psql($name, $sql) if $sql;
	return $name;
}

# what is in the way stops the installation, and is not taken over
$node->safe_psql('postgres', 'CREATE ROLE attacker LOGIN');
for my $made (
	[ 'CREATE SCHEMA model_predict', qr/schema "model_predict" already exists/ ],
	[ 'CREATE FUNCTION predict_json(text, jsonb) RETURNS float8 LANGUAGE sql AS \'SELECT 0.0::float8\'',
		qr/function "predict_json" already exists with same argument types/ ],
	[ 'CREATE SCHEMA model_predict; CREATE TABLE model_predict.stored_model (id int)', qr/schema "model_predict" already exists/ ])
{
	create_database('attacked', "GRANT CREATE ON SCHEMA public TO attacker; GRANT CREATE ON DATABASE attacked TO attacker;
		SET ROLE attacker; $made->[0]");
	fails($node, $superuser, 'CREATE EXTENSION model_predict', $made->[1], "over: $made->[0]", 'attacked');
	is($node->safe_psql('attacked', "SELECT count(*) FROM pg_depend WHERE deptype = 'e' AND refobjid IN
		(SELECT oid FROM pg_extension WHERE extname = 'model_predict')"), 0, 'nothing is left of it');
}
create_database('attacked', q{
	CREATE FUNCTION public.count(bigint) RETURNS bigint LANGUAGE plpgsql AS $$BEGIN RAISE 'trap'; END$$;
	CREATE FUNCTION public.trap(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE 'trap'; END$$;
	CREATE FUNCTION public.trap(text, text) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE 'trap'; END$$;
	CREATE OPERATOR public.= (FUNCTION = public.trap, LEFTARG = bigint, RIGHTARG = bigint);
	CREATE OPERATOR public.= (FUNCTION = public.trap, LEFTARG = text, RIGHTARG = text);
	CREATE TYPE public.role AS ENUM ('x');
	CREATE EXTENSION model_predict});
is($node->safe_psql('attacked', "SELECT refclassid::regclass, refobjid FROM pg_depend d
	WHERE classid = 'pg_rewrite'::regclass AND refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
	AND objid IN (SELECT oid FROM pg_rewrite WHERE ev_class IN
		(SELECT oid FROM pg_class WHERE relnamespace = 'model_predict'::regnamespace))
	AND (refobjid IN (SELECT oid FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND probin IS NULL)
		OR refobjid IN (SELECT oid FROM pg_operator WHERE oprnamespace = 'public'::regnamespace))"),
	'', 'no view refers to what lay in wait');

# schemas
create_database('elsewhere', 'CREATE SCHEMA "My Scores"; CREATE EXTENSION model_predict SCHEMA "My Scores"');
is($node->safe_psql('elsewhere', q{SELECT count(*) > 0 FROM pg_proc WHERE pronamespace = '"My Scores"'::regnamespace}), 't',
	'scoring functions go where they are told');
fails($node, $superuser, 'CREATE EXTENSION model_predict SCHEMA model_predict', qr/schema "model_predict" does not exist/,
	'but not into our own schema', create_database('ours'));
fails($node, $superuser, 'ALTER EXTENSION model_predict SET SCHEMA public', qr/does not support SET SCHEMA/, 'nor elsewhere later', 'elsewhere');
fails($node, 'attacker', 'CREATE EXTENSION model_predict', qr/permission denied to create extension/, 'not trusted', 'ours');

# encodings: what cannot be told right is refused
for my $encoding (qw(UTF8 LATIN1 EUC_JP SQL_ASCII))
{
	$node->safe_psql('postgres', 'DROP DATABASE IF EXISTS encoded');
	$node->safe_psql('postgres', "CREATE DATABASE encoded ENCODING $encoding LOCALE 'C' TEMPLATE template0");
	install_extension($node, 'encoded');
	my $registers = sub {
		my ($feature) = @_;
		return qq{SELECT model_predict.register('m', convert_to(replace(convert_from(constant_model(1), 'SQL_ASCII'), '"x"', '"$feature"'), 'SQL_ASCII'))};
	};
	is($node->safe_psql('encoded', $registers->('x')), 1, "ASCII in $encoding");
	my $sql = $registers->('gr\\u00f6\\u00dfe');
	if ($encoding =~ /UTF8|SQL_ASCII/)
	{
		$node->safe_psql('encoded', $sql);
		is($node->safe_psql('encoded', "SELECT encode(name::bytea, 'hex') FROM model_predict.features WHERE version = 2"),
			'6772c3b6c39f65', "other letters in $encoding");
	}
	else
	{
		fails($node, $superuser, $sql, qr/the name of feature 1 of model "m" is not ASCII\nDETAIL:.* $encoding\./,
			"other letters in $encoding", 'encoded');
	}

	# pictures: a letter, and an ellipsis of the picture's own
	my $name = q{convert_from('\xc3a9', 'UTF8') || repeat('W', 60)};
	$node->safe_psql('encoded', "SELECT model_predict.register($name, constant_model(1))");
	like($node->safe_psql('encoded', "SELECT predict_explain_svg_styled($name, 1, 280, 'light', 1)"),
		$encoding eq 'UTF8' ? qr/>\xc3\xa9W+<.*W\xe2\x80\xa6/ : qr/\A[\0-\x7f]*>&#233;W+<.*W&#8230;[\0-\x7f]*\z/, "a picture in $encoding");
}

# every object as a fresh installation has it, whichever version one came from
my $objects = q{
	SELECT pg_describe_object(classid, objid, 0), obj_description(objid, classid::regclass::name),
		p.provolatile, p.proisstrict, p.proparallel, p.procost, p.proacl, p.prosrc, p.prosupport,
		pg_get_function_result(p.oid), pg_get_function_arguments(p.oid),
		c.relacl, c.reloptions, c.relkind, pg_get_viewdef(c.oid),
		(SELECT string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod), attnotnull, attstorage,
			attcollation::regcollation, pg_get_expr(adbin, adrelid)), ', ' ORDER BY attnum)
			FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
			WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped),
		(SELECT string_agg(pg_get_indexdef(indexrelid), ', ' ORDER BY indexrelid::regclass::text) FROM pg_index WHERE indrelid = c.oid),
		(SELECT string_agg(pg_get_constraintdef(oid), ', ' ORDER BY conname) FROM pg_constraint WHERE conrelid = c.oid),
		n.nspacl
	FROM pg_depend d LEFT JOIN pg_proc p ON classid = 'pg_proc'::regclass AND p.oid = objid
		LEFT JOIN pg_class c ON classid = 'pg_class'::regclass AND c.oid = objid
		LEFT JOIN pg_namespace n ON classid = 'pg_namespace'::regclass AND n.oid = objid
	WHERE refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
		AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'model_predict')
	ORDER BY 1;
	SELECT array_agg(unnest::regclass::text ORDER BY unnest::regclass::text) FROM pg_extension, unnest(extconfig)
	WHERE extname = 'model_predict'};
create_database('fresh', 'CREATE EXTENSION model_predict');
my $fresh = $node->safe_psql('fresh', $objects);
my $current = $node->safe_psql('fresh', "SELECT default_version FROM pg_available_extensions WHERE name = 'model_predict'");
my @versions = split /\n/, $node->safe_psql('fresh', "SELECT version FROM pg_available_extension_versions
	WHERE name = 'model_predict' ORDER BY version");
ok((grep { $_ eq $current } @versions), "version $current can be installed");
for my $version (@versions)
{
	create_database('upgraded', "CREATE EXTENSION model_predict VERSION '$version'; ALTER EXTENSION model_predict UPDATE");
	is($node->safe_psql('upgraded', $objects), $fresh, "upgraded from $version: as a fresh installation");
}

# who may call what: PUBLIC nothing that changes anything
is($node->safe_psql('fresh', q{
	SELECT string_agg(proname, ' ' ORDER BY proname) FROM pg_proc
	WHERE pronamespace = 'model_predict'::regnamespace AND has_function_privilege('public', oid, 'EXECUTE')
	AND provolatile = 'v' AND prorettype <> 'trigger'::regtype}), 'cached verify visible_usage', 'volatile functions that PUBLIC may call change nothing');
is($node->safe_psql('fresh', q{
	SELECT string_agg(oid::regclass::text, ' ') FROM pg_class WHERE relnamespace = 'model_predict'::regnamespace
	AND relkind IN ('r', 'S') AND (has_table_privilege('public', oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER'))}),
	'', 'PUBLIC has no right on a table');
is($node->safe_psql('fresh', q{
	SELECT string_agg(oid::regclass::text, ' ') FROM pg_class WHERE relnamespace = 'model_predict'::regnamespace
	AND relkind = 'v' AND has_table_privilege('public', oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')}),
	'', 'PUBLIC may only read views');
is($node->safe_psql('fresh', q{
	SELECT string_agg(p.oid::regprocedure::text, ' ') FROM pg_proc p
	JOIN pg_depend d ON objid = p.oid AND deptype = 'e' JOIN pg_extension e ON e.oid = refobjid
	WHERE extname = 'model_predict' AND (prosecdef OR provolatile = 'i' AND prokind = 'f' AND proargnames && '{model,reference,name}'
		OR obj_description(p.oid, 'pg_proc') IS NULL AND proname NOT LIKE 'role%')}), '', 'no SECURITY DEFINER, nothing immutable that asks a model, each function commented');
is($node->safe_psql('fresh', q{
	SELECT string_agg(DISTINCT v.oid::regclass::text, ' ') FROM pg_class v JOIN pg_rewrite w ON ev_class = v.oid
	JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass
	JOIN pg_class t ON t.oid = d.refobjid AND t.relkind = 'r' AND t.relnamespace = v.relnamespace
	WHERE v.relnamespace = 'model_predict'::regnamespace AND v.relkind = 'v'}),
	'', 'views ask functions that know the rights, not the tables');
is($node->safe_psql('fresh', q{
	SELECT string_agg(c.oid::regclass::text, ' ') FROM pg_class c WHERE relnamespace = 'model_predict'::regnamespace
	AND relkind IN ('r', 'v') AND obj_description(c.oid, 'pg_class') IS NULL}), '', 'tables and views are commented');
is($node->safe_psql('fresh', q{
	SELECT count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid WHERE relnamespace = 'model_predict'::regnamespace}),
	0, 'no triggers on the tables');

# the script's text: what names it leaves to the search_path
for my $file (glob "$ENV{TESTDIR}/sql/*.sql")
{
	my $script = slurp_file($file);
	my $name = $file =~ s{.*/}{}r;
	$script =~ s{/\*.*?\*/}{}gs;
	$script =~ s{--.*}{}g;
	like($script, qr/^\\echo Use .* \\quit\n/, "$name: cannot be fed to psql");
	$script =~ s{^\\.*}{}gm;
	$script =~ s{'(?:[^']|'')*'}{''}g;
	unlike($script, qr/\bOR\s+REPLACE\b/i, "$name: no OR REPLACE");
	unlike($script, qr/\bIF\s+NOT\s+EXISTS\b/i, "$name: no IF NOT EXISTS");
	unlike($script, qr/\bSECURITY\s+DEFINER\b/i, "$name: no SECURITY DEFINER");
	unlike($script, qr/\bEXECUTE\s+(?!FUNCTION|ON)\S/i, "$name: no dynamic SQL");
	my @bodies = $script =~ /(?:\bAS\s+SELECT|^SELECT|\bDEFAULT|\bRETURN)\b(.*?);/gims;
	cmp_ok(scalar(@bodies), '>', 5, "$name: expressions are found");
	my (@operators, @functions);
	for my $body (@bodies)
	{
		$body =~ s/OPERATOR\(pg_catalog\.[^)]+\)//g;
		$body =~ s/\w+\s+::\s*//g;
		$body =~ s/\bAS\s+\w+\s*\(/(/gi;
		push @operators, $body =~ /([^\s\w.,()"'\[\]]+)/g;
		push @functions, grep { !/^(?:key|unique|coalesce|case|when|and|or|in|exists|values|not|on|join|where|select|as|from|numeric|varchar)$/i }
		  $body =~ /(?<![.\w"])(\w+)\s*\(/g;
	}
	# :: and * are syntax in these bodies
	is(join(' ', grep { !/^(?:::|\*)$/ } @operators), '', "$name: operators are qualified");
	is(join(' ', @functions), '', "$name: functions are qualified");
	my @created = $script =~ /\bCREATE\s+(?:FUNCTION|TABLE|VIEW|TYPE|SEQUENCE|AGGREGATE|PROCEDURE)\s+([^\s(;]+)/gi;
	is(join(' ', grep { !/^(?:model_predict|\@extschema\@)\./ } @created), '', "$name: objects are qualified");
}

# loaded by the postmaster, which needs nothing of it: neither libxgboost nor its threads
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'model_predict'");
$node->restart;
install_extension($node, create_database('preloaded'));
register_versions($node, 'm', 1, 'preloaded');
is(ask($node, 'm', 'preloaded'), 1, 'scores where the postmaster has loaded the library');
my ($postmaster) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
SKIP: {
	skip 'no /proc here', 2 unless -r "/proc/$postmaster/maps";
	my $maps = slurp_file("/proc/$postmaster/maps");
	like($maps, qr/model_predict\.so/, 'it has');
	unlike($maps, qr/xgboost|gomp/, 'and nothing else');
}

$node->stop;
done_testing();
