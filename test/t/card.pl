# model_card(): a page that stands alone, of any model, whatever its names, for
# those who may see it.

use strict;
use warnings;
use utf8;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('card');
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$node->append_conf('postgresql.conf', "fsync = off\n");
$node->start;
my $demo = "$ENV{TESTDIR}/test/data/demo";
chdir $demo or die $!;
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', 'schema.sql', $node->connstr('postgres') ], 'the table is loaded');

my $evil = '</title><script>alert(1)</script>';
my $arabic = 'نموذج التنبؤ';
utf8::encode(my $arabic_bytes = $arabic);
$node->safe_psql('postgres', <<SQL);
CREATE EXTENSION model_predict;
CREATE ROLE analyst;
CREATE ROLE stranger;
CREATE FUNCTION numbers(n int, prefix text) RETURNS bytea LANGUAGE sql AS \$\$
SELECT convert_to(format('{"learner":{"attributes":{},"feature_names":[%s],"feature_types":[%s],'
	'"gradient_booster":{"model":{"gbtree_model_param":{"num_parallel_tree":"1","num_trees":"0"},"iteration_indptr":[0],"tree_info":[],"trees":[]},"name":"gbtree"},'
	'"learner_model_param":{"base_score":"5E-1","boost_from_average":"0","num_class":"0","num_feature":"%s","num_target":"1"},'
	'"objective":{"name":"reg:squarederror","reg_loss_param":{"scale_pos_weight":"1"}}},"version":[2,1,4]}',
	string_agg(to_json(prefix || i)::text, ','), string_agg('"float"', ','), n), 'UTF8') FROM generate_series(1, n) i \$\$;
SELECT model_predict.register('churn', pg_read_binary_file('$demo/churn.ubj'), classes => '{No,Yes}', trees => 'best', description => E'Who leaves?\\nAsked every month.');
SELECT model_predict.set_baseline('churn', model_predict.profile('churn', c.*)) FROM customers c;
SELECT model_predict.grant_predict('churn', 'analyst');
SELECT model_predict.record_metrics('churn', '{"roc_auc": 0.897}', 'March');
SELECT model_predict.register('$evil', numbers(2, '<img src=x onerror=alert(1)>"'''), description => '<b>&amp;</b>', tags => '{"a": "</style>"}');
SELECT model_predict.register('$arabic_bytes', numbers(3, '$arabic_bytes'));
SELECT model_predict.register('wide', numbers(400, 'a_rather_long_name_of_a_feature_'));
SQL

# tags that are opened and closed in order, and none that runs or loads anything
my $checker = <<'PY';
import sys
from html.parser import HTMLParser
class Checker(HTMLParser):
    open, seen, text = [], set(), []
    def handle_starttag(self, tag, attributes):
        self.seen.add(tag)
        for name, value in attributes:
            assert not name.startswith("on") and name not in ("src", "href", "xlink:href", "action"), (tag, name)
            assert "url(" not in (value or "") and "javascript:" not in (value or ""), value
        if tag not in ("meta", "br"):
            self.open.append(tag)
    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag
    def handle_data(self, data):
        self.text.append(data)
page = sys.stdin.buffer.read().decode()
checker = Checker()
checker.feed(page)
checker.close()
assert not checker.open, checker.open
allowed = set("html head meta title style body h1 h2 p pre dl dt dd bdi table thead tbody tr th td div svg g path rect line text tspan polyline polygon circle".split())
assert checker.seen <= allowed, checker.seen - allowed
assert "@import" not in page and "url(" not in page
sys.stdout.buffer.write("".join(checker.text).encode())
PY

# the text of a card that is well-formed
sub text_of
{
	my ($card, $name) = @_;
	my ($text, $err) = ('', '');
	ok(IPC::Run::run([ '/usr/bin/python3', '-c', $checker ], '<', \$card, '>', \$text, '2>', \$err), "$name: a sound page that stands alone") or diag($err);
	return $text;
}

my $text = text_of($node->safe_psql('postgres', "SELECT model_predict.model_card('churn')"), 'the demo');
for my $part ("Who leaves?\nAsked every month.", 'binary:logistic', 'No, Yes', "SELECT predict_class('churn', t.*)", 'importance of features',
	'Month-to-month, One year, Two year', 'total_charges 0.2%', 'register default', 'set_baseline', 'analyst', '0.897 (March)', '39.5%')
{
	like($text, qr/\Q$part\E/, "it tells: $part");
}
$text = text_of($node->safe_psql('postgres', "SELECT model_predict.model_card('$evil')"), "a stranger's names");
like($text, qr/\Q$_\E/, "as text: $_") for $evil, '<img src=x onerror=alert(1)>"\'1', '<b>&amp;</b>', '</style>';
$text = text_of($node->safe_psql('postgres', "SELECT model_predict.model_card('$arabic_bytes')"), 'Arabic names');
like($text, qr/\Q${arabic_bytes}3\E/, 'as they are');
like(text_of($node->safe_psql('postgres', "SELECT model_predict.model_card('wide')"), '400 features'), qr/a_rather_long_name_of_a_feature_400/, 'all of them');

# who may see it, and what
$text = $node->safe_psql('postgres', "SET ROLE analyst; SELECT model_predict.model_card('churn\@1')");
like($text, qr/Month-to-month/, 'who may score sees a card');
unlike($text, qr/Granted to/, 'but not who else may');
for my $sql ("SET ROLE stranger; SELECT model_predict.model_card('churn')", "SELECT model_predict.model_card('absent')")
{
	my ($status, undef, $err) = $node->psql('postgres', $sql, on_error_stop => 1);
	isnt($status, 0, "refused: $sql");
	like($err, qr/does not exist, or role "\w+" may not use it|does not exist/, 'as any model that is not there');
}
is($node->safe_psql('postgres', "CREATE SCHEMA trap; CREATE FUNCTION trap.array_to_string(text[], text) RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION \$\$trapped\$\$; END';
	SET search_path = trap, pg_catalog, public; SELECT length(model_predict.model_card('churn')) > 1000; SHOW search_path"), "t\ntrap, pg_catalog, public", 'no search_path misleads it');

# in another encoding
$node->safe_psql('postgres', "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
my $latin = "CREATE EXTENSION model_predict; SET client_encoding = 'UTF8'; SELECT model_predict.register('Käse', pg_read_binary_file('$demo/churn.ubj'), classes => '{Nö,Jä}', trees => 'best')";
utf8::encode($latin);
$node->safe_psql('latin', $latin);
like($node->safe_psql('latin', "SELECT model_predict.model_card(name) FROM model_predict.visible_models()"), qr/K&#228;se.*N&#246;, J&#228;/s, 'LATIN1');

$node->stop;
done_testing();
