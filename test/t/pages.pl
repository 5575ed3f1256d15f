# The SQL of README.md and of each page in docs, run in order, each page in one
# psql session on a database of its own. Pages in docs begin where README.md's
# quick start ends: with the demo's table and model. Where a ```text block
# follows, it is what psql must show at its end. Links must lead somewhere.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = $ENV{TESTDIR};
my $quick_start = <<'SQL';
CREATE EXTENSION model_predict;
\i schema.sql
\lo_import churn.ubj
\set file :LASTOID
SELECT model_predict.register('churn', lo_get(:file), classes => '{No,Yes}', trees => 'best');
SQL

# the SQL blocks of a page: their line, their text, and what must be shown
sub blocks_of
{
	my ($page) = @_;
	my (@blocks, $kind, $line, $text);
	for (split /^/m, slurp_file("$top/$page"))
	{
		$line++;
		if (!defined $kind && /^```(\w*)$/) { ($kind, $text) = ($1, { line => $line, sql => '' }) }
		elsif (defined $kind && /^```$/)
		{
			push @blocks, $text if $kind eq 'sql';
			$blocks[-1]{shown} = $text->{sql} if $kind eq 'text' && @blocks;
			undef $kind;
		}
		elsif (defined $kind) { $text->{sql} .= $_ }
	}
	return @blocks;
}

my $node = PostgreSQL::Test::Cluster->new('pages');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\n");
$node->start;

sub run_page
{
	my ($page, $before) = @_;
	my @blocks = blocks_of($page);
	return 0 if !@blocks;

	# what psql shows is compared, so blocks are told apart by a line of their own
	my $script = "\\cd '$top/test/data/demo'\n\\set QUIET on\nSET client_min_messages = warning;\n$before";
	$script .= "\\echo block $_->{line}\n$_->{sql}\n" for @blocks;
	$node->safe_psql('postgres', 'CREATE DATABASE page');
	my ($out, $err) = ('', '');
	my $done = IPC::Run::run(
		[ 'psql', '-X', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('page'), '-f', '-' ],
		'<', \$script, '>', \$out, '2>', \$err);
	$node->safe_psql('postgres', 'DROP DATABASE page');
	# roles are the cluster's
	$node->safe_psql('postgres', $_) for split /\n/, $node->safe_psql('postgres',
		"SELECT format('DROP ROLE %I', rolname) FROM pg_roles WHERE NOT rolsuper AND rolname !~ '^pg_'");

	my %shown = $out =~ /^block (\d+)\n(.*?)(?=^block \d+\n|\z)/msg;
	for my $block (@blocks)
	{
		my $place = "$page, SQL at line $block->{line}";
		if (!exists $shown{ $block->{line} })
		{
			fail("$place: not reached");
			next;
		}
		pass("$place runs");
		next if !defined $block->{shown};
		my ($got, $want) = map { s/[ \t]+$//gmr =~ s/\n+\z//r } $shown{ $block->{line} }, $block->{shown};
		# of a block of several statements the last one's
		is(substr($got, -length($want)), $want, "$place shows what follows it");
	}
	ok($done, "$page: no error") or diag($err);
	return scalar @blocks;
}

# what a heading is called in a link, as GitHub does it
sub anchor
{
	my ($heading) = @_;
	$heading = lc $heading;
	$heading =~ s/[^\w\- ]//g;
	$heading =~ s/ /-/g;
	return $heading;
}

sub check_links
{
	my ($page) = @_;
	my $folder = $page =~ m{^(.*/)} ? $1 : '';
	my @broken = grep { !leads_somewhere($page, $folder, $_) } slurp_file("$top/$page") =~ /\]\(([^)\s]+)\)/g;
	is("@broken", '', "$page: links lead somewhere");
}

sub leads_somewhere
{
	my ($page, $folder, $link) = @_;
	return 1 if $link =~ /^https?:/;
	my ($file, $part) = split /#/, $link;
	my $path = $file eq '' ? "$top/$page" : "$top/$folder$file";
	return 0 if !-e $path;
	return 1 if !defined $part;
	return scalar grep { $part eq anchor($_) } slurp_file($path) =~ /^#+ (.*)$/mg;
}

cmp_ok(run_page('README.md', ''), '>', 5, 'README.md has SQL');
my @pages = map { "docs/$_" } grep { /\.md$/ } sort(slurp_dir("$top/docs"));
run_page($_, $quick_start) for @pages;
check_links($_) for 'README.md', 'test/README.md', @pages;

my $demo = "$top/test/data/demo";
ok(slurp_file("$demo/churn-1.ubj") eq slurp_file("$demo/churn.ubj"),
	'what was exported is the file that was registered');

my $lines = () = slurp_file("$top/README.md") =~ /\n/g;
cmp_ok($lines, '<=', 250, 'the front page stays one');

$node->stop;
done_testing();
