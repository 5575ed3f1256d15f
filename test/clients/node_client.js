// node-pg against a server: every parameter is untyped; prepared and not. Results are text: its
// option `binary` decodes bytes as UTF-8 first and loses numbers of every query, ours or not.
'use strict';
const fs = require('fs');
const { Client } = require('pg');

const examples = JSON.parse(fs.readFileSync(process.env.MP_EXAMPLES));
const row = examples[0].row;
const churnScore = examples[0].predict_all[0];
const array = process.env.MP_ARRAY.split(',').map(Number);
const numericScore = Number(process.env.MP_NUMERIC_SCORE);

const check = (what, ok) => console.log(ok ? 'ok' : 'not ok', what);
const close = (got, want) => Math.fround(got) === Math.fround(want);

async function main() {
  const client = new Client();
  await client.connect();
  const one = async (text, values, options) =>
    (await client.query({ text, values, rowMode: 'array', ...options })).rows[0][0];

  check('registers from a bytea parameter', await one(
    "SELECT model_predict.register($1, $2, classes => $3, trees => 'best', examples => $4)",
    ['node', fs.readFileSync(process.env.MP_CHURN), ['No', 'Yes'], JSON.stringify(examples)]) === 1);
  await one("SELECT model_predict.register('node numeric', $1)", [fs.readFileSync(process.env.MP_NUMERIC)]);

  const cast = Object.values(row).map((v, i) => `$${i + 2}::${typeof v === 'string' ? 'text' : 'float8'}`);
  const calls = {
    'a row': ['SELECT predict($1, c.*) FROM customers c WHERE id = 1', ['node'], churnScore],
    'cast jsonb': ['SELECT predict($1, $2::jsonb)', ['node', row], churnScore],
    'predict_json without a cast': ['SELECT predict_json($1, $2)', ['node', row], churnScore],
    'a cast array': ['SELECT predict($1, $2::real[])', ['node numeric', array], numericScore],
    'cast values': [`SELECT predict($1, ${cast.join(', ')})`, ['node', ...Object.values(row)], churnScore],
  };
  for (const [what, [text, values, score]] of Object.entries(calls)) {
    for (const name of [undefined, what]) {
      check(`scores ${what}, ${name ? 'prepared' : 'unprepared'}`, close(await one(text, values, { name }), score));
    }
  }
  check('gets a class', await one("SELECT predict_class('node', c.*) FROM customers c WHERE id = 1", []) === 'Yes');
  const proba = await one("SELECT predict_proba('node', c.*) FROM customers c WHERE id = 1", []);
  check('gets an array', close(proba[1], churnScore));

  const failure = async (text, values) => client.query(text, values).then(() => undefined, (e) => e.code);
  check("a value without a cast is PostgreSQL's own error",
    await failure('SELECT predict($1, $2)', ['node numeric', 1]) === '42P18');
  check('an error has its SQLSTATE',
    await failure("SELECT predict('absent', 1)", []) === '42704');
  await client.end();
}

main().catch((e) => { console.log('not ok', e.message); process.exit(1); });
