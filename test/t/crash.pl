# Backends and servers that are killed at bad moments leave nothing half done.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use ModelPredict;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $node = new_server('crash', 'restart_after_crash = on');
install_extension($node);
register_versions($node, 'm', 2);

# what must hold of the tables at any time, whoever died
sub consistent
{
	my ($name) = @_;
	is($node->safe_psql('postgres', q{
		SELECT 'version without model', v.model FROM model_predict.stored_version v
		WHERE v.model NOT IN (SELECT id FROM model_predict.stored_model)
		UNION ALL SELECT 'alias without version', a.model FROM model_predict.stored_alias a
		WHERE (a.model, a.version) NOT IN (SELECT model, version FROM model_predict.stored_version)
		UNION ALL SELECT 'version without features', v.model FROM model_predict.stored_version v
		WHERE (v.model, v.version) NOT IN (SELECT model, version FROM model_predict.stored_feature)
		UNION ALL SELECT 'model without default', m.id FROM model_predict.stored_model m
		WHERE m.id NOT IN (SELECT model FROM model_predict.stored_alias WHERE alias = 'default')
		UNION ALL SELECT 'version without history', v.model FROM model_predict.stored_version v
		WHERE (v.model, v.version) NOT IN (SELECT model_id, new_version FROM model_predict.stored_event WHERE action = 'register')
		UNION ALL SELECT 'last version', m.id FROM model_predict.stored_model m
		WHERE last_version <> (SELECT max(new_version) FROM model_predict.stored_event e WHERE e.model_id = m.id)}),
		'', $name);
	return;
}

sub kill_backend
{
	my ($pid) = @_;
	kill 'KILL', $pid;
	$node->poll_query_until('postgres', "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $pid)")
	  or die 'the server did not come back';
	return;
}

# in a transaction that has registered and deployed
my $one = session($node);
$one->('BEGIN');
is($one->("SELECT model_predict.register('m', constant_model(30))"), 3, 'registered');
$one->("SELECT model_predict.deploy('m', 3); SELECT model_predict.register('new', constant_model(1))");
is($one->("SELECT predict('m', 1.0)"), 30, 'and deployed, not committed');
kill_backend($one->('SELECT pg_backend_pid()'));
$one->(undef);
is(ask($node, 'm'), 1, 'what was not committed is gone');
consistent('after a backend was killed');
is($node->safe_psql('postgres', "SELECT model_predict.register('m', constant_model(3))"), 3, 'its number is free');
is(ask($node, 'm@3'), 3, 'for other bytes');

# in the midst of reading and loading models
$node->safe_psql('postgres', q{
	CREATE FUNCTION big_model(trees int) RETURNS bytea LANGUAGE sql AS $$
	SELECT convert_to(format('{"learner":{"attributes":{},"feature_names":["x"],"feature_types":["float"],'
		'"gradient_booster":{"model":{"gbtree_model_param":{"num_parallel_tree":"1","num_trees":"%s"},'
		'"iteration_indptr":[%s],"tree_info":[%s],"trees":[%s]},"name":"gbtree"},'
		'"learner_model_param":{"base_score":"0E0","boost_from_average":"0","num_class":"0",'
		'"num_feature":"1","num_target":"1"},"objective":{"name":"reg:squarederror",'
		'"reg_loss_param":{"scale_pos_weight":"1"}}},"version":[2,1,4]}', trees,
		(SELECT string_agg(i::text, ',') FROM generate_series(0, trees) i),
		(SELECT string_agg('0', ',') FROM generate_series(1, trees)),
		(SELECT string_agg(format('{"base_weights":[1E0],"categories":[],"categories_nodes":[],'
			'"categories_segments":[],"categories_sizes":[],"default_left":[0],"id":%s,"left_children":[-1],'
			'"loss_changes":[0E0],"parents":[2147483647],"right_children":[-1],"split_conditions":[1E0],'
			'"split_indices":[0],"split_type":[0],"sum_hessian":[1E0],"tree_param":{"num_deleted":"0",'
			'"num_feature":"1","num_nodes":"1","size_leaf_vector":"1"}}', i), ',')
			FROM generate_series(0, trees - 1) i)), 'UTF8') $$;
	CREATE TABLE bytes AS SELECT big_model(20000) AS model;
});
is($node->safe_psql('postgres', "SELECT model_predict.register('big', model) FROM bytes; SELECT predict('big', 1.0)"),
	"1\n20000", 'a model of 20000 trees');
for my $what ("SELECT model_predict.register('big', model) FROM bytes",
	"DELETE FROM model_predict.stored_forest; SELECT predict('big', 1.0)")
{
	for my $delay (5, 40, 120)
	{
		my $psql = IPC::Run::start([ 'psql', '-Xqd', $node->connstr('postgres'), '-c', 'SELECT pg_backend_pid()',
			'-c', $what ], '>', \my $out, '2>', \my $err);
		$psql->pump until $out =~ /(\d+)/ || !$psql->pumpable;
		my ($at_work) = $out =~ /^\s*(\d+)/m;
		usleep($delay * 1000);
		kill_backend($at_work) if $node->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE pid = $at_work");
		$psql->finish;
		consistent("after a kill at work, $delay ms");
		is(ask($node, 'big@1'), 20000, 'and the model scores');
	}
}

# the whole server, with a registration and a drop under way
$one = session($node);
my $two = session($node);
$one->("BEGIN; SELECT model_predict.register('m', constant_model(40)); SELECT model_predict.deploy('m', 3)");
$two->("BEGIN; SELECT model_predict.drop_model('big')");
$node->stop('immediate');
$_->(undef) for $one, $two;
$node->start;
is(ask($node, 'm'), 1, 'version 1 still serves');
is(ask($node, 'big'), 20000, 'the model is still there');
consistent('after a crash of the server');

$one = session($node);
$one->("BEGIN; SELECT model_predict.register('m', constant_model(40))");
my ($postmaster) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
my $backend = $one->('SELECT pg_backend_pid()');
$node->kill9;
$one->(undef);
# the shared memory is in use until the last orphan has noticed
usleep(100_000) while kill(0, $postmaster) || kill(0, $backend);
for (1 .. 100)
{
	last if $node->start(fail_ok => 1);
	usleep(100_000);
}
is(ask($node, 'm'), 1, 'scores after kill -9 of the postmaster');
consistent('after kill -9 of the postmaster');
is($node->safe_psql('postgres', "SET client_min_messages = error; SELECT model_predict.deploy('m', 2); SELECT predict('m', 1.0)"),
	"\n2", 'and goes on');

$node->stop;
done_testing();
