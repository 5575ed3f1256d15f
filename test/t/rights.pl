# What each role may not do, as a real login without any further right, and
# that names do not leak by it.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use ModelPredict;
use PostgreSQL::Test::Cluster;
use Test::More;

my $node = new_server('rights');
install_extension($node);
$node->safe_psql('postgres', q{
	CREATE ROLE owner LOGIN;
	CREATE ROLE member LOGIN IN ROLE owner;
	CREATE ROLE noinherit LOGIN NOINHERIT IN ROLE owner;
	CREATE ROLE team;
	CREATE ROLE analyst LOGIN IN ROLE team;      -- may score
	CREATE ROLE deployer LOGIN IN ROLE team;     -- may score, may call the functions
	CREATE ROLE stranger LOGIN;                  -- may nothing
	CREATE ROLE intruder LOGIN CREATEROLE CREATEDB;  -- may call the functions
	CREATE ROLE reader LOGIN IN ROLE pg_read_all_data;
	GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA model_predict TO owner, deployer, intruder;
	GRANT CREATE ON SCHEMA public TO intruder;
});
my $as_owner = sub { $node->safe_psql('postgres', $_[0], extra_params => [ '-U', 'owner' ]) };
$as_owner->(q{
	SELECT model_predict.register('m', constant_model(v)) FROM generate_series(1, 2) v;
	SELECT model_predict.grant_predict('m', 'team');
	SELECT model_predict.set_alias('m', 'champion', 2);
});

my @scoring = map { "SELECT $_" } (
	"predict('%s', 1.0)", "predict_json('%s', '{}')", "predict_class('%s', 1.0)",
	"predict_proba('%s', 1.0)", "predict_proba_of('%s', 'a', 1.0)", "predict_all('%s', 1.0)",
	"predict_margin('%s', 1.0)", "predict_leaf('%s', 1.0)");
my @managing = map { "SELECT model_predict.$_" } (
	"deploy('%s', 2)", "rollback('%s')", "set_alias('%s', 'a', 1)", "drop_alias('%s', 'champion')",
	"drop_version('%s', 1)", "recompile('%s')", "drop_model('%s')", "grant_predict('%s', 'stranger')",
	"revoke_predict('%s', 'team')", "set_owner('%s', 'stranger')");
my $register = "SELECT model_predict.register('m', constant_model(9))";
my @tables = map { "stored_$_" } qw(model version alias permission feature event forest baseline);

sub absent
{
	my ($model, $role) = @_;
	return qr/ERROR:  model "$model" does not exist, or role "$role" may not use it\n/;
}

# scoring without a right, by name, alias and number; absent looks the same
for my $call (@scoring, "SELECT model_predict.export('%s')")
{
	fails($node, 'stranger', sprintf($call, 'm'), absent('m', 'stranger'));
}
fails($node, 'stranger', "SELECT predict('$_', 1.0)", absent('m', 'stranger'))
  for 'm@champion', 'm@1', 'm@7', 'm@nonesuch';
fails($node, 'stranger', "SELECT predict('nonesuch', 1.0)", absent('nonesuch', 'stranger'));
fails($node, 'noinherit', "SELECT predict('m', 1.0)", absent('m', 'noinherit'));
fails($node, 'reader', "SELECT predict('m', 1.0)", absent('m', 'reader'));
{
	my @seen = map {
		my (undef, undef, $err) = $node->psql('postgres',
			"\\set VERBOSITY verbose\nEXPLAIN SELECT predict('$_', 1.0);\nSELECT predict('$_', 1.0)",
			extra_params => [ '-U', 'stranger' ]);
		$err =~ s/psql:\S+ //gr =~ s/\b$_\b/MODEL/gr
	} 'm', 'nonesuch';
	is($seen[0], $seen[1], 'forbidden and absent give the same message in every field');
	isnt($seen[0], '', 'and there is one');
}

# managing: not without EXECUTE, not without owning; who may score is told why
fails($node, 'stranger', sprintf($_, 'm'), qr/permission denied for function/) for @managing, $register;
fails($node, 'analyst', sprintf($_, 'm'), qr/permission denied for function/) for @managing, $register;
fails($node, 'intruder', sprintf($_, 'm'), absent('m', 'intruder')) for @managing;
fails($node, 'intruder', sprintf($_, 'nonesuch'), absent('nonesuch', 'intruder')) for @managing;
fails($node, 'deployer', sprintf($_, 'm'), qr/must be owner of model "m"/) for @managing;
fails($node, $_, $register, qr/must be owner of model "m"/) for 'intruder', 'deployer';
fails($node, $_, "SELECT model_predict.export('m\@1')", qr/permission denied for the bytes of model "m"/)
  for 'analyst', 'deployer';
fails($node, 'owner', "SELECT model_predict.set_owner('m', 'stranger')", qr/must be (member of role|able to SET ROLE) "stranger"/);
fails($node, 'owner', "SELECT model_predict.set_owner('m', 'public')", qr/a model cannot belong to public/);

# the tables, directly, behind views, by DDL
for my $role ('stranger', 'analyst', 'owner')
{
	fails($node, $role, "SELECT * FROM model_predict.$_", qr/permission denied for table $_/) for @tables;
}
fails($node, 'owner', "INSERT INTO model_predict.stored_alias VALUES (1, 'a', 1)", qr/permission denied for table/);
fails($node, 'owner', 'UPDATE model_predict.stored_alias SET version = 2', qr/permission denied for table/);
fails($node, 'owner', 'DELETE FROM model_predict.stored_version', qr/permission denied for table/);
fails($node, 'owner', 'TRUNCATE model_predict.stored_event', qr/permission denied for table/);
fails($node, 'owner', 'BEGIN; LOCK model_predict.stored_model', qr/permission denied for table/);
fails($node, 'owner', "SELECT nextval('model_predict.stored_model_id_seq')", qr/permission denied for sequence/);
fails($node, 'owner', "UPDATE model_predict.aliases SET version = 2", qr/permission denied|cannot update view/);
fails($node, 'owner', "DELETE FROM model_predict.history", qr/permission denied|cannot delete/);
fails($node, 'intruder', 'CREATE TABLE model_predict.t (i int)', qr/permission denied for schema model_predict/);
fails($node, 'intruder', 'CREATE FUNCTION model_predict.f() RETURNS int LANGUAGE sql RETURN 1',
	qr/permission denied for schema model_predict/);
fails($node, 'intruder', 'CREATE TRIGGER t BEFORE INSERT ON model_predict.stored_model FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
	qr/permission denied for table stored_model/);
fails($node, 'intruder', 'DROP EXTENSION model_predict', qr/must be owner of extension/);
fails($node, 'intruder', 'CREATE EXTENSION model_predict', qr/permission denied|already exists/);
my $load = 'DO $$BEGIN PERFORM * FROM model_predict.models; END$$';
fails($node, 'intruder', "$load; SET model_predict.max_model_size = 1", qr/permission denied to set parameter/);
fails($node, 'intruder', "$load; SET model_predict.nonesuch = 1", qr/invalid configuration parameter name/)
  if $node->safe_psql('postgres', 'SHOW server_version_num') >= 150000;
is($node->safe_psql('postgres', "SET model_predict.max_model_size = 1; $load; SHOW model_predict.max_model_size",
	extra_params => [ '-U', 'intruder' ]), '256MB', 'nor before the library is loaded');

# views show a role its own, and functions in a query cannot look behind
is($node->safe_psql('postgres', join('; ', map { "SELECT count(*) FROM model_predict.$_" }
	  qw(models versions aliases features history)), extra_params => [ '-U', $_ ]),
	join("\n", (0) x 5), "$_ sees no model") for 'stranger', 'intruder', 'noinherit';
is($node->safe_psql('postgres', join('; ', map { "SELECT count(*) > 0 FROM model_predict.$_" }
	  qw(models versions aliases features history)), extra_params => [ '-U', $_ ]),
	join("\n", ('t') x 5), "$_ sees the model") for 'analyst', 'member', 'owner', 'reader', scalar getpwuid($<);
is($node->safe_psql('postgres', "SELECT count(*) FROM model_predict.history WHERE role IS NOT NULL",
	extra_params => [ '-U', $_->[0] ]), $_->[1], "$_->[0] and grants in the history")
  for [ 'analyst', 0 ], [ 'owner', 1 ], [ 'reader', 1 ];
{
	my (undef, undef, $err) = $node->psql('postgres', q{
		CREATE FUNCTION pg_temp.peep(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS
		$$BEGIN RAISE NOTICE 'leak %', $1; RETURN true; END$$;
		SELECT count(*) FROM model_predict.models WHERE pg_temp.peep(model);
		SELECT count(*) FROM model_predict.versions WHERE pg_temp.peep(model);
		SELECT count(*) FROM model_predict.aliases WHERE pg_temp.peep(alias);
		SELECT count(*) FROM model_predict.features WHERE pg_temp.peep(name);
		SELECT count(*) FROM model_predict.history WHERE pg_temp.peep(model)},
		extra_params => [ '-U', 'intruder' ]);
	is($err, '', 'a cheap function in WHERE sees no row of others');
}
is($node->safe_psql('postgres', "SELECT string_agg(attrelid::regclass || '.' || attname, ', ')
	FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
	WHERE relnamespace = 'model_predict'::regnamespace AND relkind = 'v' AND atttypid = 'bytea'::regtype"),
	'', 'no view shows bytes');

is($node->safe_psql('postgres', "SELECT predict('m', 1.0); SET ROLE analyst; SELECT model FROM model_predict.cache;
	SET ROLE stranger; SELECT model FROM model_predict.cache"), "1\nm", 'a session\'s models, to who may use them');
{
	my @plans = map { my ($status, $out) = $node->psql('postgres', "EXPLAIN SELECT * FROM generate_series(1, 9) x
		WHERE predict('$_', x::float8) > 0 AND x > 5; EXPLAIN SELECT predict('$_', 1.0)", extra_params => [ '-U', 'stranger' ]);
		$out =~ s/'$_'/'MODEL'/gr } 'm', 'nonesuch';
	is($plans[0], $plans[1], 'EXPLAIN does not tell forbidden from absent');
	like($plans[0], qr/rows=/, 'and shows plans');
}

# what the rights do give
is(ask($node, 'm'), 1, 'the owner\'s model still serves version 1');
is($node->safe_psql('postgres', "SELECT predict('m', 1.0)", extra_params => [ '-U', $_ ]), 1, "$_ scores")
  for 'owner', 'member', 'analyst', 'deployer';
is($node->safe_psql('postgres', "SELECT length(model_predict.export('m')) > 100", extra_params => [ '-U', $_ ]),
	't', "$_ exports") for 'owner', 'member', 'reader';
$node->safe_psql('postgres', "SELECT model_predict.deploy('m', 2), model_predict.rollback('m')",
	extra_params => [ '-U', 'member' ]);
$as_owner->("SELECT model_predict.grant_predict('m', 'public')");
is($node->safe_psql('postgres', "SELECT predict('m', 1.0)", extra_params => [ '-U', 'stranger' ]), 1, 'public scores');
$as_owner->("SELECT model_predict.revoke_predict('m', 'public')");
fails($node, 'stranger', "SELECT predict('m', 1.0)", absent('m', 'stranger'), 'public no more');
is($node->safe_psql('postgres', "SELECT who, login FROM model_predict.history ORDER BY at DESC LIMIT 1"),
	'owner|owner', 'who did it');
$node->safe_psql('postgres', "SET ROLE owner; SELECT model_predict.grant_predict('m', 'reader')",
	extra_params => [ '-U', 'member' ]);
is($node->safe_psql('postgres', "SELECT who, login FROM model_predict.history ORDER BY at DESC LIMIT 1"),
	'owner|member', 'who did it, and behind which role');

# a role's rights end with it
# roles whose names must be quoted are shown as other views show them
$node->safe_psql('postgres', q{CREATE ROLE "Data Team"; SET quote_all_identifiers = on;
	SELECT model_predict.register('quoted', constant_model(1)); SELECT model_predict.set_owner('quoted', 'Data Team');
	SELECT model_predict.grant_predict('quoted', 'Data Team'); SELECT model_predict.grant_predict('quoted', 'public')});
is($node->safe_psql('postgres', q{SET quote_all_identifiers = on;
	SELECT owner FROM model_predict.models JOIN pg_roles ON rolname = owner WHERE model = 'quoted' UNION ALL
	SELECT role FROM model_predict.history WHERE model = 'quoted' AND role IS NOT NULL}),
	"Data Team\nData Team\nData Team\npublic", 'names of roles are not quoted');
$node->safe_psql('postgres', q{SELECT model_predict.drop_model('quoted'); DROP ROLE "Data Team"});

$node->safe_psql('postgres', 'ALTER ROLE team RENAME TO squad; ALTER ROLE owner RENAME TO boss');
is($node->safe_psql('postgres', "SELECT predict('m', 1.0)", extra_params => [ '-U', 'analyst' ]), 1,
	'a grant survives a rename');
is($node->safe_psql('postgres', "SELECT owner FROM model_predict.models"), 'boss', 'so does ownership');
fails($node, 'boss', "SELECT predict('m2', 1.0)", absent('m2', 'boss'));
$node->safe_psql('postgres', "DROP ROLE squad; CREATE ROLE team; CREATE ROLE squad; GRANT team, squad TO analyst");
fails($node, 'analyst', "SELECT predict('m', 1.0)", absent('m', 'analyst'), 'a grant is not inherited by a name');
$node->safe_psql('postgres', "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA model_predict FROM boss; DROP ROLE boss;
	CREATE ROLE boss LOGIN; CREATE ROLE owner LOGIN; GRANT owner, boss TO member;
	GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA model_predict TO boss, owner");
for my $role ('boss', 'owner', 'member')
{
	fails($node, $role, "SELECT predict('m', 1.0)", absent('m', $role), "$role is not the owner that was");
	fails($node, $role, "SELECT model_predict.drop_model('m')", absent('m', $role));
}
fails($node, 'owner', $register, qr/must be owner of model "m"/);
is($node->safe_psql('postgres', "SELECT owner FROM model_predict.models"), '-', 'nobody owns it');
is(ask($node, 'm'), 1, 'a superuser scores with it');
$node->safe_psql('postgres', "SELECT model_predict.set_owner('m', 'owner'); SELECT model_predict.grant_predict('m', 'team')");
is($node->safe_psql('postgres', "SELECT predict('m', 1.0)", extra_params => [ '-U', $_ ]), 1, "$_ scores again")
  for 'owner', 'analyst';
is($node->safe_psql('postgres', "SELECT string_agg(grantee::text, ', ' ORDER BY grantee::text) FROM model_predict.stored_permission"),
	'reader, team', 'grants of dropped roles are gone');

# a role whose name reads like something else
$node->safe_psql('postgres', q{CREATE ROLE "-" LOGIN; CREATE ROLE "Public" LOGIN; CREATE ROLE "a, b" LOGIN;
	SELECT model_predict.grant_predict('m', r) FROM unnest('{-,Public,"a, b"}'::name[]) r;
	SELECT model_predict.revoke_predict('m', 'team')});
is($node->safe_psql('postgres', q{SELECT string_agg(grantee::text::model_predict.role::text, ';' ORDER BY number)
	FROM model_predict.stored_permission}), 'reader;"-";"Public";"a, b"', 'odd names come back');
fails($node, 'stranger', "SELECT predict('m', 1.0)", absent('m', 'stranger'), 'a role "Public" is not public');

# nothing of the caller's session means anything to what runs as the tables' owner
$node->safe_psql('postgres', q{
	CREATE SCHEMA evil;
	CREATE TABLE evil.log (what text);
	GRANT ALL ON SCHEMA evil TO PUBLIC; GRANT ALL ON evil.log TO PUBLIC;
	CREATE FUNCTION evil.trap(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS
	$$BEGIN INSERT INTO evil.log VALUES (current_user); RETURN $1 OPERATOR(pg_catalog.=) $2; END$$;
	CREATE FUNCTION evil.trap(text, text) RETURNS boolean LANGUAGE plpgsql AS
	$$BEGIN INSERT INTO evil.log VALUES (current_user); RETURN $1 OPERATOR(pg_catalog.=) $2; END$$;
	CREATE OPERATOR evil.= (FUNCTION = evil.trap, LEFTARG = bigint, RIGHTARG = bigint);
	CREATE OPERATOR evil.= (FUNCTION = evil.trap, LEFTARG = text, RIGHTARG = text);
	CREATE FUNCTION evil.max(integer) RETURNS integer LANGUAGE plpgsql AS
	$$BEGIN INSERT INTO evil.log VALUES (current_user); RETURN $1; END$$;
	CREATE FUNCTION evil.quote_ident(text) RETURNS text LANGUAGE plpgsql AS
	$$BEGIN INSERT INTO evil.log VALUES (current_user); RETURN $1; END$$;
	CREATE FUNCTION evil.format(text, text) RETURNS text LANGUAGE plpgsql AS
	$$BEGIN INSERT INTO evil.log VALUES (current_user); RETURN $1; END$$;
});
$node->safe_psql('postgres', q{
	SET search_path = evil, pg_catalog, public;
	CREATE TEMP TABLE model (id int); CREATE TEMP TABLE alias (id int);
	SELECT model_predict.deploy('m', 2); SELECT model_predict.rollback('m');
	SELECT model_predict.set_alias('m', 'a', 1); SELECT model_predict.drop_alias('m', 'a');
	SELECT model_predict.grant_predict('m', 'team'); SELECT model_predict.revoke_predict('m', 'team');
	SELECT model_predict.register('m', constant_model(3)); SELECT model_predict.drop_version('m', 3);
	SELECT predict('m', 1.0), predict('m@champion', 1.0); SELECT model_predict.export('m') IS NULL;
	SELECT count(*) FROM model_predict.models; SELECT count(*) FROM model_predict.versions;
	SELECT count(*) FROM model_predict.features; SELECT count(*) FROM model_predict.history;
	SELECT model_predict.register('m2', constant_model(3)); SELECT model_predict.drop_model('m2');},
	extra_params => [ '-U', 'owner' ]);
is($node->safe_psql('postgres', 'SELECT DISTINCT what FROM evil.log'), '', 'no operator or function of the search_path ran');
is($node->safe_psql('postgres', "SELECT current_user || current_setting('search_path')
	FROM (SELECT model_predict.deploy('m', 2)) d", extra_params => [ '-U', 'owner' ]),
	'owner"$user", public', 'user and search_path are as before');
is($node->safe_psql('postgres', q{DO $$BEGIN PERFORM model_predict.deploy('m', 99); EXCEPTION WHEN undefined_object THEN NULL; END$$;
	SELECT current_user || current_setting('search_path')}, extra_params => [ '-U', 'owner' ]),
	'owner"$user", public', 'also after an error');

# a definer's rights are those of the definer, and what the definer may not see stays hidden
$node->safe_psql('postgres', q{
	CREATE FUNCTION score_for_me(x float8) RETURNS float8 LANGUAGE sql SECURITY DEFINER AS $$SELECT predict('m', x)$$;
	CREATE FUNCTION peep_for_me() RETURNS float8 LANGUAGE sql SECURITY DEFINER AS $$SELECT predict('m', 1.0)$$;
	ALTER FUNCTION score_for_me OWNER TO owner; ALTER FUNCTION peep_for_me OWNER TO intruder;
	CREATE VIEW scores AS SELECT predict('m', 1.0); GRANT SELECT ON scores TO stranger;
});
is($node->safe_psql('postgres', 'SELECT score_for_me(1)', extra_params => [ '-U', 'stranger' ]), 2,
	'a SECURITY DEFINER function lends its owner\'s right');
fails($node, 'owner', 'SELECT peep_for_me()', absent('m', 'intruder'));
fails($node, 'stranger', 'SELECT * FROM scores', absent('m', 'stranger'), 'a view does not lend its owner\'s right');

$node->stop;
done_testing();
