# The SQL of README.md, run in order in one psql session on the demo's table
# and model. Where a ```text block follows, it is what psql must show at its end.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my @blocks;
my ($kind, $line, $text);
open my $readme, '<', "$ENV{TESTDIR}/README.md" or die "README.md: $!";
while (<$readme>)
{
	if (!defined $kind && /^```(\w*)$/) { ($kind, $line, $text) = ($1, $., '') }
	elsif (defined $kind && /^```$/)
	{
		push @blocks, { line => $line, sql => $text } if $kind eq 'sql';
		$blocks[-1]{shown} = $text if $kind eq 'text' && @blocks;
		undef $kind;
	}
	elsif (defined $kind) { $text .= $_ }
}
close $readme;

my $node = PostgreSQL::Test::Cluster->new('readme');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\n");
$node->start;

# what psql shows is compared, so blocks are told apart by a line of their own
my $script = "\\set QUIET on\n\\ir schema.sql\n";
$script .= "\\echo block $_->{line}\n$_->{sql}\n" for @blocks;
chdir "$ENV{TESTDIR}/test/data/demo" or die $!;
my ($out, $err) = ('', '');
my $done = IPC::Run::run(
	[ 'psql', '-X', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-f', '-' ],
	'<', \"\\cd '$ENV{TESTDIR}/test/data/demo'\n$script",
	'>', \$out, '2>', \$err);

my %shown = $out =~ /^block (\d+)\n(.*?)(?=^block \d+\n|\z)/msg;

cmp_ok(scalar(@blocks), '>', 5, 'README.md has SQL');
for my $block (@blocks)
{
	my $place = "README.md, SQL at line $block->{line}";
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
ok($done, 'no error') or diag($err);
ok(slurp_file('churn-1.ubj') eq slurp_file('churn.ubj'), 'what was exported is the file that was registered');

$node->stop;
done_testing();
