# What the TAP tests share: servers with the extension, and tiny models.

package ModelPredict;

use strict;
use warnings;

use Exporter 'import';
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(new_server install_extension register_versions ask fails session);

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

# the extension, and a function that makes a model without trees: it predicts
# its base score
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
