// A BI tool's pages in headless Chromium: SQLPad shows the view scored_customers as a table, a bar
// chart and a scatter plot. Checks what is drawn, and leaves PNGs to look at. Run by sqlpad.sh.
'use strict';
const puppeteer = require('puppeteer-core');

const base = `http://127.0.0.1:${process.env.SQLPAD_PORT}`;
const scores = JSON.parse(process.env.MP_SCORES);      // by contract, in its order
const cookies = new Map();
let failed = false;

function check(what, ok) {
  console.log(ok ? 'ok' : 'not ok', what);
  failed = failed || !ok;
}

async function post(path, body) {
  const response = await fetch(base + path, {
    method: 'POST', body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', cookie: [...cookies].map((c) => c.join('=')).join('; ') },
  });
  for (const cookie of response.headers.getSetCookie()) {
    const [, name, value] = cookie.match(/^([^=]*)=([^;]*)/);
    cookies.set(name, value);
  }
  const answer = await response.json();
  if (answer.error) throw new Error(`${path}: ${answer.error}`);
  return answer;
}

// The page of a query, when `drawn` finds in it what it looks for and it has come to rest.
async function look(browser, name, kind, queryText, chartConfiguration, drawn, wanted) {
  const { query } = await post('/api/queries',
    { name, tags: [], connectionId: look.connection, queryText, chartConfiguration });
  const page = await browser.newPage();
  await page.setViewport({ width: 1100, height: 700 });
  await page.setCookie(...[...cookies].map(([key, value]) => ({ name: key, value, url: base })));
  await page.goto(`${base}/query-${kind}/${query._id}`);
  const found = await page.waitForFunction(drawn, { timeout: 30000 }, wanted)
    .then(() => true, () => false);
  await new Promise((rest) => setTimeout(rest, 2000)); // charts grow
  await page.screenshot({ path: `${process.env.SQLPAD_PICTURES}/sqlpad-${name}.png` });
  check(`SQLPad draws the ${name}`, found);
  return page;
}

async function main() {
  const user = { email: 'bi@example.com', password: 'bi', passwordConfirmation: 'bi' };
  await post('/api/signup', user);
  const { connection } = await post('/api/connections', {
    name: 'customers', driver: 'postgres', host: process.env.PGHOST, port: process.env.PGPORT,
    database: process.env.PGDATABASE, username: 'bi', password: '',
  });
  look.connection = connection._id;

  const browser = await puppeteer.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  await look(browser, 'table', 'table',
    'SELECT * FROM scored_customers ORDER BY churn_score DESC, id LIMIT 20', undefined,
    (score) => ['churn_score', score].every((text) => document.body.innerText.includes(text)),
    process.env.MP_TOP_SCORE);

  const bars = await look(browser, 'bars', 'chart',
    'SELECT contract, avg(churn_score) AS score FROM scored_customers GROUP BY 1 ORDER BY 1',
    { chartType: 'verticalbar', fields: { barlabel: 'contract', barvalue: 'score' } },
    (n) => document.querySelectorAll('#chart rect.bar').length === n, scores.length);
  const drawn = await bars.$$eval('#chart rect.bar',
    (found) => found.map((bar) => [bar.getAttribute('x'), bar.getAttribute('height')].map(Number)));
  const heights = drawn.sort((a, b) => a[0] - b[0]).map((bar) => bar[1]);
  check('the bars are as high as the scores', heights.length === scores.length &&
    heights.every((height, i) => Math.abs(height / heights[0] - scores[i] / scores[0]) < 0.01));

  await look(browser, 'scatter', 'chart',
    'SELECT tenure, churn_score, contract FROM scored_customers ORDER BY id LIMIT 1000',
    { chartType: 'bubble', fields: { x: 'tenure', y: 'churn_score', color: 'contract' } },
    (n) => document.querySelectorAll('#chart .tau-chart__dot').length === n, 1000);
  await browser.close();
  process.exit(failed ? 1 : 0);
}

main().catch((e) => { console.log('not ok', e.message); process.exit(1); });
