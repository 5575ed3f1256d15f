"""psycopg 2 against a server: it binds parameters on the client, as text."""
import json

import psycopg2
import psycopg2.extras

from checks import ARRAY, CHURN, CHURN_SCORE, EXAMPLES, JSON, NUMERIC, NUMERIC_SCORE, check, close

connection = psycopg2.connect("")
connection.autocommit = True
cursor = connection.cursor()


def one(sql, *parameters):
    cursor.execute(sql, parameters)
    return cursor.fetchone()[0]


check("registers from a bytea parameter", one(
    "SELECT model_predict.register(%s, %s, classes => %s, trees => 'best', examples => %s)",
    "psycopg2", psycopg2.Binary(CHURN), ["No", "Yes"], psycopg2.extras.Json(EXAMPLES)) == 1)
one("SELECT model_predict.register('psycopg2 numeric', %s)", NUMERIC)

check("scores a row", close(one("SELECT predict(%s, c.*) FROM customers c WHERE id = %s", "psycopg2", 1), CHURN_SCORE))
check("scores jsonb", close(one("SELECT predict(%s, %s::jsonb)", "psycopg2", json.dumps(JSON)), CHURN_SCORE))
check("predict_json needs no cast", close(one("SELECT predict_json(%s, %s)", "psycopg2", json.dumps(JSON)), CHURN_SCORE))
check("scores an array", close(one("SELECT predict(%s, %s::real[])", "psycopg2 numeric", ARRAY), NUMERIC_SCORE))
check("scores values without casts", close(one(
    "SELECT predict(%s, " + ", ".join(["%s"] * len(JSON)) + ")", "psycopg2", *JSON.values()), CHURN_SCORE))
check("gets a class", one("SELECT predict_class(%s, c.*) FROM customers c WHERE id = 1", "psycopg2") == "Yes")
check("gets an array", close(one("SELECT predict_proba(%s, c.*) FROM customers c WHERE id = 1", "psycopg2")[1], CHURN_SCORE))
cursor.execute("PREPARE p (jsonb) AS SELECT predict('psycopg2', $1)")
check("scores a prepared statement", close(one("EXECUTE p (%s)", json.dumps(JSON)), CHURN_SCORE))
try:
    one("SELECT predict('absent', 1)")
except psycopg2.Error as e:
    check("an error has its SQLSTATE", e.pgcode == "42704")
