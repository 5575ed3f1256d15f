# Every model of test/data/models against what XGBoost answered: predictions,
# margins and leaves the same float32, contributions within 1e-4 of the row's
# largest. A model is registered from each file that its folder holds, and
# scored from a table by column name.

use strict;
use warnings;

use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my %calls = (
	pred => 'predict_all',
	margin => 'predict_margin',
	leaf => 'predict_leaf',
	contrib => 'predict_contribs');

my $models = "$ENV{TESTDIR}/test/data/models";
my @cases = sort map { s{/meta\.json$}{}r } glob("$models/*/*/meta.json");

sub read_csv
{
	my ($path) = @_;
	my @lines = split /\r?\n/, slurp_file($path);
	my @head = parse_line(shift @lines);
	return (\@head, [ map { [ parse_line($_) ] } @lines ]);
}

sub parse_line
{
	my ($line) = @_;
	my @fields;
	while ($line =~ /\G(?:"((?:[^"]|"")*)"|([^,]*))(?:,|$)/gc)
	{
		push @fields, defined $1 ? $1 =~ s/""/"/gr : $2;
		last if pos($line) >= length($line) && substr($line, -1) ne ',';
		if (pos($line) >= length($line)) { push @fields, ''; last }
	}
	return @fields;
}

sub ident { my ($name) = @_; $name =~ s/"/""/g; return qq{"$name"} }

sub literal { my ($text) = @_; $text =~ s/'/''/g; return "'$text'" }

# the float32's bits; all NaNs alike
sub bits
{
	my ($x) = @_;
	$x = 'NaN' if $x eq '' || $x eq 'NULL';
	return 'nan' if $x =~ /^[+-]?nan$/i;
	$x = $x =~ /^-/ ? -9**9**9 : 9**9**9 if $x =~ /^[+-]?inf/i;
	return unpack('H8', pack('f>', $x));
}

sub register_options
{
	my ($meta, $head, $format) = @_;
	my ($major, $minor) = $meta->{xgboost} =~ /^(\d+)\.(\d+)/;
	my $version = $major * 100 + $minor;
	my @options;

	push @options, 'categories => ' . literal(encode_json($meta->{categories}))
	  if $meta->{categories} && $version < 301;
	# the old binary format keeps no names, nor did JSON before 1.4
	push @options, 'feature_names => array[' . join(', ', map { literal($_) } @$head) . ']'
	  if $format eq 'deprecated' || $version < 104 || !$meta->{feature_names};
	if ($meta->{iteration_range}) { push @options, "trees => 'best'" }
	elsif (exists $meta->{attributes}{best_iteration}) { push @options, "trees => 'all'" }
	return join '', map { ", $_" } @options;
}

sub same
{
	my ($kind, $got, $want) = @_;
	return 0 if @$got != @$want;
	if ($kind eq 'contrib')
	{
		my ($largest) = sort { $b <=> $a } map { abs } @$want;
		return !grep { !(abs($got->[$_] - $want->[$_]) <= 1e-4 * $largest + 1e-5) } 0 .. $#$got;
	}
	return !grep { $got->[$_] != $want->[$_] } 0 .. $#$got if $kind eq 'leaf';
	return !grep { bits($got->[$_]) ne bits($want->[$_]) } 0 .. $#$got;
}

my $node = PostgreSQL::Test::Cluster->new('golden');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION model_predict');

cmp_ok(scalar(@cases), '>=', 20, 'there are models to test');

for my $case (@cases)
{
	my $meta = decode_json(slurp_file("$case/meta.json"));
	my ($head, undef) = read_csv("$case/X.csv");
	my ($columns, $expected) = read_csv("$case/expected.csv");
	my %text = map { $_ => 1 }
	  grep { grep { !/^\d+$/ } @{ $meta->{categories}{$_} } } keys %{ $meta->{categories} // {} };
	my $table = join ', ', map { ident($_) . ($text{$_} ? ' text' : ' real') } @$head;
	my $names = join ', ', map { ident($_) } @$head;
	my $label = $case =~ s{^\Q$models\E/}{}r;

	for my $format (grep { -e "$case/model.$_" } qw(ubj json deprecated))
	{
		my $options = register_options($meta, $head, $format);
		my $sql = "BEGIN;
			CREATE TEMP TABLE t (_row serial, $table);
			COPY t ($names) FROM " . literal("$case/X.csv")
			. " WITH (FORMAT csv, HEADER, FORCE_NULL ($names));
			SELECT model_predict.register('golden', pg_read_binary_file("
			. literal("$case/model.$format") . ")$options);\n";
		my @kinds = grep { my $kind = $_; grep { /^${kind}_\d+$/ } @$columns } sort keys %calls;
		$sql .= "SELECT '$_', $calls{$_}('golden', t) FROM t ORDER BY _row;\n" for @kinds;

		my ($status, $out, $err) = $node->psql('postgres', "$sql ROLLBACK;");
		if ($status)
		{
			fail("$label/model.$format");
			diag($err);
			next;
		}
		my %got;
		for (split /\n/, $out)
		{
			push @{ $got{$1} }, [ split /,/, $2 =~ tr/{}//dr ] if /^([a-z]+)\|(.*)$/;
		}
		my @wrong;
		for my $kind (@kinds)
		{
			my @want = grep { $columns->[$_] =~ /^${kind}_\d+$/ } 0 .. $#$columns;
			push @wrong, "$kind: " . @{ $got{$kind} // [] } . ' rows, not ' . @$expected
			  if @{ $got{$kind} // [] } != @$expected;
			for my $row (0 .. $#$expected)
			{
				my @values = @{ $expected->[$row] }[@want];
				next if same($kind, $got{$kind}[$row] // [], \@values);
				push @wrong,
				  "$kind, row " . ($row + 1) . ": got @{ $got{$kind}[$row] // [] }, not @values";
			}
		}
		ok(!@wrong, "$label/model.$format: " . join ', ', @kinds);
		diag(join "\n", @wrong[0 .. ($#wrong < 3 ? $#wrong : 3)]) if @wrong;
	}
}

$node->stop;
done_testing();
