# What packagers rely on: DESTDIR, one version everywhere, valid metadata.

use strict;
use warnings;

use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = $ENV{TESTDIR};
chdir $top or die $!;

# make install touches nothing outside of DESTDIR
my $root = PostgreSQL::Test::Utils::tempdir();
command_ok([ 'make', '-s', 'install', "DESTDIR=$root" ], 'make install with DESTDIR');
my @installed = map { s/^\Q$root\E//r } split /\n/, `find $root -type f`;
my ($library, $share) = map { chomp; $_ } map { scalar `pg_config --$_` } 'pkglibdir', 'sharedir';
is(scalar(grep { !m{^(\Q$library\E|\Q$share\E/extension|\Q$library\E/bitcode)/} } @installed), 0,
	'files go where pg_config says');
for my $file ("$library/model_predict.so", "$share/extension/model_predict.control")
{
	is(scalar(grep { $_ eq $file } @installed), 1, "$file is installed");
}
my @scripts = glob('sql/*.sql');
is(scalar(grep { m{/extension/model_predict--.*\.sql$} } @installed), scalar(@scripts), 'so is every script');

# the library exports nothing that could collide with another one's, and links to no XGBoost
my @symbols = map { (split)[2] } grep { / [TDBR] / } split /\n/, `nm -D --defined-only $root$library/model_predict.so`;
is_deeply([ grep { !/^(mp_|pg_finfo_mp_|_PG_init|Pg_magic_func|_init|_fini)/ } @symbols ], [], 'exported names are ours');
unlike(`ldd $root$library/model_predict.so`, qr/xgboost|gomp/, 'no XGBoost is linked');

# one version
my ($version) = slurp_file('model_predict.control') =~ /^default_version = '(.*)'/m;
like($version, qr/^\d+\.\d+\.\d+$/, 'the control file has a version');
ok(-e "sql/model_predict--$version.sql", 'and there is a script of it');
my $meta = decode_json(slurp_file('META.json'));
is($meta->{version}, $version, 'META.json has the same');
is($meta->{provides}{model_predict}{version}, $version, 'and for the extension');
like(slurp_file('src/client/pyproject.toml'), qr/^version = "\Q$version\E"/m, 'the Python client has the same');
like(slurp_file('src/client/model_predict.py'), qr/^__version__ = "\Q$version\E"/m, 'and says so');
like(slurp_file('debian/changelog'), qr/^model-predict \(\Q$version\E\)/, 'debian/changelog has the same');
like(slurp_file('CHANGELOG.md'), qr/^## \[(Unreleased|\Q$version\E)\]/m, 'CHANGELOG.md tells of it');

# PGXN Meta Spec 1.0.0: what is required, and what is named exists
for my $key (qw(name version abstract maintainer license provides meta-spec))
{
	ok(defined $meta->{$key}, "META.json has $key");
}
is($meta->{'meta-spec'}{version}, '1.0.0', 'of this version of the specification');
is($meta->{license}, 'postgresql', 'the licence is one that PGXN knows');
like($meta->{release_status}, qr/^(stable|testing|unstable)$/, 'so is the status');
like($meta->{name}, qr/^[^\s\/\\]{2,}$/, 'the name is a PGXN term');
for my $extension (values %{ $meta->{provides} })
{
	ok(-e $extension->{$_}, "$_ $extension->{$_} exists") for grep { $extension->{$_} } qw(file docfile);
	ok(defined $extension->{version}, 'what is provided has a version');
}
for my $phase (values %{ $meta->{prereqs} })
{
	like($_, qr/^(requires|recommends|suggests|conflicts)$/, "prereqs: $_") for keys %$phase;
}

# Debian's control file is what its template says
is(slurp_file('debian/control'), slurp_file('debian/control.in') =~ s/PGVERSION/15/gr, 'debian/control is up to date');

done_testing();
