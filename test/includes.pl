#!/usr/bin/perl
#
# includes.pl: the shape of the sources, read from their includes.
#
# Prints "ok WHAT" or "not ok WHAT: WHERE" for each of: includes point downwards
# (docs/architecture.md), no circle of files (a .c and its .h are one), no large header
# that many include, and what a .c exports is declared in a header of its own.
# Run from the top of the sources.

use strict;
use warnings;

# what each folder may include beside itself, and whatever those may
my %below = (
	'core/base' => [],
	'core/text' => ['core/base'],
	'core/forest' => ['core/text'],
	'core/metrics' => ['core/text'],
	'core/steps' => ['core/forest'],
	'core/draft' => ['core/forest'],
	'core/kernel' => ['core/forest'],
	'core/shap' => ['core/forest'],
	'core/batch' => ['core/kernel'],
	'core/xgboost' => ['core/draft'],
	'core/lightgbm' => ['core/draft'],
	'core/sklearn' => ['core/draft'],
	'core/load' => [ 'core/xgboost', 'core/lightgbm', 'core/sklearn' ],
	'glue' => [ map { "core/$_" } qw(load batch shap steps metrics) ],
	'store' => ['glue'],
	'model' => ['store'],
	'row' => ['model'],
	'score' => ['row'],
	'libxgboost' => ['score'],
	'plan' => ['score'],
	'sql' => [ 'score', 'plan', 'libxgboost' ],
	'' => ['sql']);

# headers that few include may be long
my $long = 250;
my $many = 5;

# one interface, one file per processor: their functions stand in the header of the interface
my $per_processor = qr/_(?:portable|x86|avx2|avx512)$/;

my %reaches;

sub reaches
{
	my ($folder) = @_;
	return $reaches{$folder} //= { $folder => 1, map { %{ reaches($_) } } @{ $below{$folder} } };
}

my %text;
for my $file (map { glob "src/$_" } '*.[ch]', '*/*.[ch]', 'core/*/*.[ch]')
{
	open my $in, '<', $file or die "$file: $!";
	local $/;
	($text{ $file =~ s{^src/}{}r }) = <$in>;
}
die "no sources here\n" if !%text;

sub folder_of { return $_[0] =~ m{^(.*)/} ? $1 : '' }
sub unit_of { return $_[0] =~ s/\.[ch]$//r }

my (@upwards, @unknown, %includes, %includers);
for my $file (sort keys %text)
{
	push @unknown, $file if !exists $below{ folder_of($file) };
	for my $header (grep { exists $text{$_} } $text{$file} =~ /^\s*#\s*include "([^"]+)"/mg)
	{
		push @upwards, "$file includes $header" if !reaches(folder_of($file))->{ folder_of($header) };
		$includes{ unit_of($file) }{ unit_of($header) } = 1 if unit_of($file) ne unit_of($header);
		$includers{$header}{$file} = 1;
	}
}

# circles, each from its first file in the alphabet
my (%state, @path, @circles);

sub walk
{
	my ($unit) = @_;
	return if ($state{$unit} // '') eq 'done';
	if (($state{$unit} // '') eq 'open')
	{
		my ($from) = grep { $path[$_] eq $unit } 0 .. $#path;
		push @circles, join(' > ', @path[ $from .. $#path ], $unit);
		return;
	}
	$state{$unit} = 'open';
	push @path, $unit;
	walk($_) for sort keys %{ $includes{$unit} };
	pop @path;
	$state{$unit} = 'done';
}
walk($_) for sort keys %includes;

my @long;
for my $header (sort keys %includers)
{
	my $lines = () = $text{$header} =~ /\n/g;
	my $n = keys %{ $includers{$header} };
	push @long, "$header has $lines lines and $n includers" if $lines > $long && $n > $many;
}

# what a file exports, by the layout that all have: type, then name( in the first column
my @undeclared;
for my $file (grep { /\.c$/ && unit_of($_) !~ $per_processor } sort keys %text)
{
	my $own = unit_of($file) . '.h';
	while ($text{$file} =~ /^([^\n]*)\n(mp_\w+)\(([^;{]*)\)\n\{/mg)
	{
		my ($type, $name, $arguments) = ($1, $2, $3);
		next if $type =~ /\bstatic\b/ || $arguments =~ /PG_FUNCTION_ARGS/;
		push @undeclared, "$name of $file" if ($text{$own} // '') !~ /\b$name\(/;
	}
}

my $failed = 0;

sub report
{
	my ($what, @where) = @_;
	print @where ? "not ok $what: " . join("\n    ", '', @where) . "\n" : "ok $what\n";
	$failed ||= @where;
	return;
}

report('each folder of src has its place', @unknown);
report('includes point downwards', @upwards);
report('no circle of files', @circles);
report('no header that knows everything', @long);
report('what a file exports stands in its own header', @undeclared);
exit($failed ? 1 : 0);
