# Many sessions that register, deploy, take back and drop at random, and score
# all the while: what the tables and the history say afterwards fits together,
# and nobody met an error that is not one of his own making.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use ModelPredict;
use PostgreSQL::Test::Cluster;
use Test::More;

my $node = new_server('stress', 'max_connections = 30', 'autovacuum_naptime = 1s');
install_extension($node);
$node->safe_psql('postgres', q{
	CREATE TABLE fault (state text, message text);
	CREATE FUNCTION act() RETURNS void LANGUAGE plpgsql AS $$
	DECLARE
		m text := 'm' || 1 + floor(random() * 3);
		v int := 1 + floor(random() * 12);
		a text := 'a' || 1 + floor(random() * 2);
	BEGIN
		CASE floor(random() * 10)
			WHEN 0, 1, 2 THEN PERFORM model_predict.register(m, constant_model(floor(random() * 1000)::int));
			WHEN 3, 4 THEN PERFORM model_predict.deploy(m, v);
			WHEN 5 THEN PERFORM model_predict.rollback(m);
			WHEN 6 THEN PERFORM model_predict.set_alias(m, a, v);
			WHEN 7 THEN PERFORM model_predict.drop_alias(m, a);
			WHEN 8 THEN PERFORM model_predict.drop_version(m, v);
			ELSE
				IF random() < 0.1 THEN
					PERFORM model_predict.drop_model(m);
				END IF;
		END CASE;
	EXCEPTION WHEN OTHERS THEN
		INSERT INTO fault VALUES (sqlstate, sqlerrm);
	END $$;
	CREATE FUNCTION score() RETURNS void LANGUAGE plpgsql AS $$
	DECLARE
		m text := 'm' || 1 + floor(random() * 3);
		x float8;
		serving int;
	BEGIN
		-- what is scored is what the tables say, in one statement
		SELECT predict(m, 1.0), substring(data FROM 'base_score":"([0-9]+)E0')::int
		INTO x, serving FROM (SELECT convert_from(model_predict.export(m), 'UTF8') AS data) t;
		IF x IS DISTINCT FROM serving THEN
			RAISE EXCEPTION USING errcode = 'XX001', message = format('stale: %s for %s', x, serving);
		END IF;
	EXCEPTION WHEN OTHERS THEN
		INSERT INTO fault VALUES (sqlstate, sqlerrm);
	END $$});

my $script = $node->basedir . '/act.sql';
PostgreSQL::Test::Utils::append_to_file($script, "SET client_min_messages = error;\nSELECT act();\nSELECT score();\n");
$node->command_ok([ 'pgbench', '-n', '-c', '8', '-j', '2', '-t', '250', '-f', $script, 'postgres' ], '2000 random acts of 8 sessions');

# absent model, version or alias; nothing to go back to; an alias still names the version
is($node->safe_psql('postgres', "SELECT DISTINCT state, message FROM fault WHERE state NOT IN ('42704', '55000', '2BP01')"),
	'', 'no error but those of asking for what is not there');
is($node->safe_psql('postgres', "SELECT count(DISTINCT action) FROM model_predict.history"), 7, 'and every act succeeded at times');
is($node->safe_psql('postgres', q{
	SELECT 'gap', model, alias, old_version, before FROM (
		SELECT *, lag(new_version) OVER (PARTITION BY model_id, alias ORDER BY id) AS before
		FROM model_predict.stored_event WHERE alias IS NOT NULL) t
	WHERE old_version IS DISTINCT FROM before}), '', 'each move starts where the one before it ended');
is($node->safe_psql('postgres', q{
	SELECT 'twice', model, new_version FROM model_predict.stored_event WHERE action = 'register'
	GROUP BY model, new_version HAVING count(*) > 1}), '', 'no number was given twice');
is($node->safe_psql('postgres', q{
	SELECT 'order', model FROM (SELECT model, new_version - lag(new_version) OVER (PARTITION BY model ORDER BY id) AS step
		FROM model_predict.stored_event WHERE action = 'register') t WHERE step <> 1}), '', 'and none was left out');
is($node->safe_psql('postgres', q{
	SELECT m.name, a.alias FROM model_predict.stored_alias a FULL JOIN model_predict.stored_model m ON m.id = a.model
	LEFT JOIN model_predict.stored_version v ON v.model = a.model AND v.version = a.version
	WHERE v.model IS NULL OR m.id IS NULL
	UNION ALL SELECT model, alias FROM (SELECT DISTINCT ON (model_id, alias) * FROM model_predict.stored_event
		WHERE alias IS NOT NULL ORDER BY model_id, alias, id DESC) e
	JOIN model_predict.aliases USING (model, alias) JOIN model_predict.stored_model m ON m.id = e.model_id
	WHERE version <> new_version}), '', 'aliases name versions that are there, as the history says');
is($node->safe_psql('postgres', q{
	SELECT 'left over', model, version FROM (SELECT model, version FROM model_predict.stored_feature
		UNION SELECT model, version FROM model_predict.stored_forest) t
	WHERE (model, version) NOT IN (SELECT model, version FROM model_predict.stored_version)
	UNION ALL SELECT 'orphan', model, version FROM model_predict.stored_version
	WHERE model NOT IN (SELECT id FROM model_predict.stored_model)}), '', 'nothing is left of what was dropped');

$node->stop;
done_testing();
