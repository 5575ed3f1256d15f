"""psycopg 3 against a server: parameters bound there, as text and binary, prepared and not."""
import json

import psycopg
from psycopg.types.json import Jsonb

from checks import ARRAY, CHURN, CHURN_SCORE, EXAMPLES, JSON, NUMERIC, NUMERIC_SCORE, check, close

connection = psycopg.connect("", autocommit=True)


def one(sql, *parameters, **options):
    return connection.execute(sql, parameters, **options).fetchone()[0]


check("registers from a bytea parameter", one(
    "SELECT model_predict.register(%s, %s, classes => %s, trees => 'best', examples => %s)",
    "psycopg3", CHURN, ["No", "Yes"], Jsonb(EXAMPLES)) == 1)
check("registers from a binary parameter", one(
    "SELECT model_predict.register('psycopg3 numeric', %b)", NUMERIC) == 1)

values = ", ".join("%s::text" if isinstance(v, str) else "%s" for v in JSON.values())
calls = {
    "a row": ("SELECT predict(%s, c.*) FROM customers c WHERE id = 1", ("psycopg3",), CHURN_SCORE),
    "a Jsonb object": ("SELECT predict(%s, %s)", ("psycopg3", Jsonb(JSON)), CHURN_SCORE),
    "cast jsonb text": ("SELECT predict(%s, %s::jsonb)", ("psycopg3", json.dumps(JSON)), CHURN_SCORE),
    "predict_json without a cast": ("SELECT predict_json(%s, %s)", ("psycopg3", json.dumps(JSON)), CHURN_SCORE),
    "an array": ("SELECT predict(%s, %s::real[])", ("psycopg3 numeric", ARRAY), NUMERIC_SCORE),
    "a list without a cast": ("SELECT predict(%s, %s)", ("psycopg3 numeric", ARRAY), NUMERIC_SCORE),
    "numbers without casts": ("SELECT predict(%s, " + ", ".join(["%s"] * len(ARRAY)) + ")",
                              ("psycopg3 numeric", *ARRAY), NUMERIC_SCORE),
    "values, text cast": (f"SELECT predict(%s, {values})", ("psycopg3", *JSON.values()), CHURN_SCORE),
}
for what, (sql, parameters, score) in calls.items():
    for prepare in (False, True):
        for binary in (False, True):
            check(f"scores {what}, {'prepared' if prepare else 'unprepared'}, {'binary' if binary else 'text'}",
                  close(one(sql, *parameters, prepare=prepare, binary=binary), score))

for binary in (False, True):
    row = connection.execute("SELECT predict_class('psycopg3', c.*), predict_proba('psycopg3', c.*) "
                             "FROM customers c WHERE id = 1", binary=binary).fetchone()
    check(f"gets a class and an array, {'binary' if binary else 'text'}", row[0] == "Yes" and close(row[1][1], CHURN_SCORE))

for _ in range(8):
    scored = close(one("SELECT predict_json('psycopg3', %s)", json.dumps(JSON)), CHURN_SCORE)
check("scores when the driver prepares by itself", scored)

try:
    one(f"SELECT predict(%s, {', '.join(['%s'] * len(JSON))})", "psycopg3", *JSON.values())
    check("text without a cast is PostgreSQL's own error", False)
except psycopg.errors.IndeterminateDatatype:
    check("text without a cast is PostgreSQL's own error", True)
try:
    one("SELECT predict('absent', 1)")
except psycopg.Error as e:
    check("an error has its SQLSTATE", e.sqlstate == "42704")
