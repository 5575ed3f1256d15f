# What the TAP tests share: servers with the extension, and tiny models.

package ModelPredict;

use strict;
use warnings;

use Exporter 'import';
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(new_server install_extension register_versions ask fails oracle session);

# a server that is started, with further lines for its configuration
sub new_server
{
	my ($name, @conf) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(allows_streaming => scalar(grep { /^wal_level/ } @conf));
	$node->append_conf('postgresql.conf', join('', map { "$_\n" } 'fsync = off', @conf));
	$node->start;
	return $node;
}

# the extension, a function that makes a model without trees, which predicts its
# base score, and one that makes a large model: a tree many times over, with
# leaves of so many tenths and more
sub install_extension
{
	my ($node, $database) = @_;

	$node->safe_psql($database // 'postgres', q{
		CREATE EXTENSION model_predict;
		CREATE FUNCTION public.constant_model(score int) RETURNS bytea LANGUAGE sql AS $$
		SELECT pg_catalog.convert_to(pg_catalog.format(
			'{"learner":{"attributes":{},"feature_names":["x"],"feature_types":["float"],'
			'"gradient_booster":{"model":{"gbtree_model_param":'
			'{"num_parallel_tree":"1","num_trees":"0"},'
			'"iteration_indptr":[0],"tree_info":[],"trees":[]},"name":"gbtree"},'
			'"learner_model_param":{"base_score":"%sE0","boost_from_average":"0",'
			'"num_class":"0","num_feature":"1","num_target":"1"},'
			'"objective":{"name":"reg:squarederror",'
			'"reg_loss_param":{"scale_pos_weight":"1"}}},"version":[2,1,4]}', score), 'UTF8') $$;
		CREATE FUNCTION public.large_model(trees int, tenths int) RETURNS bytea LANGUAGE sql AS $$
		SELECT pg_catalog.convert_to(pg_catalog.format('{"learner":{"attributes":{},"feature_names":[],"feature_types":[],'
			'"gradient_booster":{"model":{"gbtree_model_param":{"num_parallel_tree":"1","num_trees":"%s"},'
			'"tree_info":[%s],"trees":[%s]},"name":"gbtree"},"learner_model_param":{"base_score":"5E-1",'
			'"boost_from_average":"1","num_class":"0","num_feature":"2","num_target":"1"},'
			'"objective":{"name":"reg:squarederror","reg_loss_param":{"scale_pos_weight":"1"}}},"version":[1,7,4]}',
			trees, pg_catalog.string_agg('0', ','), pg_catalog.string_agg(pg_catalog.format(
			'{"base_weights":[0.1,0.2,0.3,0.4,0.5,0.6,0.7],"categories":[],"categories_nodes":[],"categories_segments":[],'
			'"categories_sizes":[],"default_left":[1,0,1,0,0,0,0],"id":%s,"left_children":[1,3,5,-1,-1,-1,-1],'
			'"loss_changes":[1E0,1E0,1E0,0E0,0E0,0E0,0E0],"parents":[2147483647,0,0,1,1,2,2],'
			'"right_children":[2,4,6,-1,-1,-1,-1],"split_conditions":[0.5,0.25,0.75,%sE-1,%2$s.2E-1,%2$s.3E-1,%2$s.4E-1],'
			'"split_indices":[0,1,1,0,0,0,0],"split_type":[0,0,0,0,0,0,0],"sum_hessian":[4E0,2E0,2E0,1E0,1E0,1E0,1E0],'
			'"tree_param":{"num_deleted":"0","num_feature":"2","num_nodes":"7","size_leaf_vector":"1"}}',
			i, tenths), ',' ORDER BY i)), 'UTF8') FROM pg_catalog.generate_series(0, trees - 1) i $$;
	});
	return;
}

# versions 1 .. n of a model, of which version v predicts v
sub register_versions
{
	my ($node, $model, $n, $database) = @_;

	$node->safe_psql($database // 'postgres',
		"SELECT model_predict.register('$model', constant_model(v)) FROM generate_series(1, $n) v");
	return;
}

sub ask
{
	my ($node, $model, $database) = @_;

	return $node->safe_psql($database // 'postgres', "SELECT predict('$model', 1.0)");
}

# the statement fails for the role with this message
sub fails
{
	my ($node, $role, $sql, $like, $name, $database) = @_;
	my ($status, $out, $err) = $node->psql($database // 'postgres', $sql,
		extra_params => [ '-U', $role ], on_error_stop => 1);

	subtest $name // "$role: $sql" => sub {
		isnt($status, 0, 'is refused');
		like($err, $like, 'message');
		is($out, '', 'nothing is shown');
	};
	return;
}

# a Python script of test/oracles, which asks this server and prints "ok WHAT" or
# "not ok WHAT", at least so often
sub oracle
{
	my ($node, $script, $at_least) = @_;
	my ($out, $err, $n) = ('', '', 0);

	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	local $ENV{PGDATABASE} = 'postgres';
	local $ENV{PYTHONDONTWRITEBYTECODE} = 1;
	# Debian's Python: it has the packages, whatever other is first in the path
	my $done = IPC::Run::run([ '/usr/bin/python3', "$ENV{TESTDIR}/test/oracles/$script" ], '<', \undef, '>', \$out, '2>', \$err);
	for (split /\n/, $out)
	{
		diag($_), next if !/^(ok|not ok) (.*)/;
		ok($1 eq 'ok', $2);
		$n++;
	}
	ok($done && $n >= $at_least, "$script came to its end, after $n checks") or diag($err);
	return;
}

# a session that stays: $session->('SELECT 1') gives its rows, or the SQLSTATE of
# the last statement if that failed; undef ends it
sub session
{
	my ($node, $database) = @_;
	my ($in, $out, $err) = ('', '', '');
	my $timer = IPC::Run::timer($PostgreSQL::Test::Utils::timeout_default);
	my $psql = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr($database // 'postgres'), '-f', '-' ],
		'<', \$in, '>', \$out, '2>', \$err, $timer);

	return sub {
		my ($sql) = @_;
		return $psql->kill_kill if !defined $sql;
		($out, $err) = ('', '');
		$in .= "$sql;\n\\echo done :SQLSTATE\n";
		$timer->start;
		eval { $psql->pump until $out =~ /^done \w+$/m; 1 } or return "no answer: $@$err";
		$out =~ s/^done (\w+)\n//m;
		chomp $out;
		return $1 eq '00000' ? $out : $1;
	};
}

1;
