/*
 * card.c: model_card(), an HTML page about one version, for people.
 *
 * The page is a list of sections, each of them a query on the views, run as the
 * caller: it shows what the caller may see. It stands alone: no script, nothing
 * loaded. All text is escaped, and isolated where it may run from right to left.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "core/text/text.h"
#include "glue/memory.h"
#include "sql/metrics.h"
#include "sql/picture.h"
#include "store/lookup.h"
#include "store/roles.h"

/* How the rows of a query are shown. */
typedef enum SectionKind
{
	PAIRS,						/* one row: a line for each column that is not null */
	ROWS,						/* a table */
	PICTURES,					/* a wide and a narrow one */
	TEXT						/* one value, lines as they are */
} SectionKind;

/* $1: model, $2: version, $3: reference. Columns are texts, whose names are headings. */
typedef struct Section
{
	const char *title;
	SectionKind kind;
	const char *sql;
} Section;

static const Section sections[] = {
	{NULL, TEXT, "SELECT description FROM model_predict.versions WHERE model = $1 AND version = $2"},
	{NULL, PAIRS,
		"SELECT (SELECT string_agg(alias, ', ' ORDER BY alias) FROM model_predict.aliases a WHERE a.model = $1 AND a.version = $2) AS \"Aliases\","
		" v.objective AS \"Objective\", array_to_string(v.classes, ', ') AS \"Classes\","
		" CASE WHEN v.classes IS NOT NULL AND cardinality(v.classes) = 2 THEN v.threshold::text END AS \"Threshold\","
		" format('%s, %s of %s rounds used, %s trees', v.booster, v.rounds_used, v.rounds, v.trees) AS \"Trees\","
		" concat_ws(' ', COALESCE(j->>'library', 'xgboost'), COALESCE(j->>'library_version', j->>'xgboost_version'), v.format) AS \"Saved by\","
		" format('%s feature%s, %s output%s, %s', v.features, CASE WHEN v.features <> 1 THEN 's' END, v.outputs, CASE WHEN v.outputs <> 1 THEN 's' END, pg_size_pretty(v.bytes::bigint)) AS \"Size\","
		" v.missing::text AS \"Also missing\","
		" format('absent features: %s, unseen categories: %s, infinity: %s', v.absent_feature, v.unseen_category, v.infinity) AS \"Rows\","
		" format('%s by %s', to_char(v.created, 'YYYY-MM-DD HH24:MI TZ'), v.created_by) AS \"Registered\","
		" nullif(v.examples, 0)::text AS \"Examples kept\", v.tags::text AS \"Tags\", v.sha256 AS \"SHA-256\""
		" FROM model_predict.versions v, to_jsonb(v) j WHERE v.model = $1 AND v.version = $2"},
	{"How to call it", TEXT,
		"SELECT concat_ws(E'\\n',"
		" format('SELECT predict(%L, t.*) FROM some_table t;', $3),"
		" CASE WHEN v.classes IS NOT NULL OR v.objective ~ '^(binary:logistic|multi:)' THEN format('SELECT predict_class(%L, t.*) FROM some_table t;', $3) END,"
		" format('SELECT predict_reasons(%L, 3, t.*) FROM some_table t;', $3),"
		" format('SELECT predict(%L, %L::jsonb);', $3, (SELECT '{' || string_agg(to_json(f.name)::text || ': ...', ', ' ORDER BY f.position)"
		"  || CASE WHEN v.features > 3 THEN ', ...' ELSE '' END || '}' FROM model_predict.features f"
		"  WHERE f.model = $1 AND f.version = $2 AND f.position <= 3)),"
		" format('SELECT model_predict.input_query(%L, %L);   -- drafts the query for a table', $3, 'some_table'))"
		" FROM model_predict.versions v WHERE v.model = $1 AND v.version = $2"},
	{"What matters to it", PICTURES,
		"SELECT model_predict.importance_svg($3, kind, 12, 760), model_predict.importance_svg($3, kind, 12, 340)"
		" FROM (SELECT CASE WHEN count(f.gain) > 0 THEN 'gain' ELSE 'weight' END AS kind, sum(abs(COALESCE(f.gain, f.weight))) AS amount"
		"  FROM model_predict.features f WHERE f.model = $1 AND f.version = $2) k WHERE amount > 0"},
	{"Metrics", ROWS,
		"SELECT e.key AS \"Metric\", concat_ws(' ', e.value #>> '{}', '(' || m.name || ')') AS \"Value\","
		" to_char(m.recorded, 'YYYY-MM-DD') AS \"Recorded\", m.recorded_by AS \"By\""
		" FROM model_predict.metrics m, jsonb_each(CASE jsonb_typeof(m.metrics) WHEN 'object' THEN m.metrics ELSE '{}' END) e"
		" WHERE m.model = $1 AND m.version = $2"},
	{"Inputs", ROWS,
		"WITH f AS MATERIALIZED (SELECT name, position, total_gain / nullif(sum(total_gain) OVER (), 0) AS share"
		"  FROM model_predict.features WHERE model = $1 AND version = $2)"
		" SELECT i.position::text AS \"#\", COALESCE(i.name, 'f' || (i.position - 1)) AS \"Name\","
		" CASE WHEN i.labels IS NULL THEN i.type ELSE format('%s of %s: %s%s', i.type, cardinality(i.labels),"
		"  array_to_string(i.labels[1:8], ', ', 'NULL'), CASE WHEN cardinality(i.labels) > 8 THEN ', ...' ELSE '' END) END AS \"Type\","
		" (SELECT round(100 * sum(f.share)::numeric, 1) || '%' FROM f WHERE f.name = ANY (i.features) OR i.features IS NULL AND f.position = i.position)"
		"  AS \"Share of gain\""
		" FROM model_predict.inputs i WHERE i.model = $1 AND i.version = $2 ORDER BY i.position"},
	{"Baseline", PAIRS, NULL},
	{"Use", PAIRS,
		"SELECT u.statements::text AS \"Statements\", u.rows::text AS \"Rows\", to_char(u.last_use, 'YYYY-MM-DD HH24:MI TZ') AS \"Last use\","
		" to_char(u.since, 'YYYY-MM-DD HH24:MI TZ') AS \"Since\" FROM model_predict.usage u WHERE u.model = $1 AND u.version = $2"},
	{"History of the model", ROWS,
		"SELECT to_char(h.at, 'YYYY-MM-DD HH24:MI') AS \"When\", concat_ws(' ', h.action, h.alias) AS \"What\","
		" concat_ws(' to ', h.old_version, h.new_version) AS \"Version\", h.who AS \"Who\", h.comment AS \"Comment\""
		" FROM (SELECT * FROM model_predict.history h WHERE h.model = $1 ORDER BY h.at DESC LIMIT 20) h ORDER BY h.at DESC"},
};

static const char *const style =
	":root{color-scheme:light dark;--ink:#1a1e26;--soft:#5b6270;--rule:#dfe2e8;--page:#fff;--box:#f5f6f8}"
	"@media(prefers-color-scheme:dark){:root{--ink:#e8eaf0;--soft:#a0a6b4;--rule:#343944;--page:#14171d;--box:#1d2129}}"
	"*{box-sizing:border-box}"
	"body{margin:0 auto;max-width:50rem;padding:1rem;background:var(--page);color:var(--ink);"
	"font:15px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif;overflow-wrap:anywhere}"
	"h1{font-size:1.6rem;line-height:1.2;margin:.5rem 0}h2{font-size:1.1rem;margin:2rem 0 .5rem}"
	".soft,dt,th{color:var(--soft);font-weight:normal}"
	"dl{display:grid;grid-template-columns:minmax(7rem,max-content) 1fr;gap:.25rem 1rem;margin:0}dd{margin:0}"
	"pre{background:var(--box);padding:.75rem;white-space:pre-wrap;font:13px/1.5 ui-monospace,monospace;margin:0}"
	"table{border-collapse:collapse;width:100%}th{text-align:start}"
	"th,td{padding:.3rem .75rem .3rem 0;border-bottom:1px solid var(--rule);vertical-align:top}"
	"td:first-child,th{white-space:nowrap;overflow-wrap:normal}td:nth-child(2){min-width:11rem}p{white-space:pre-line}"
	"svg{display:block;max-width:100%;height:auto}.narrow{display:none}"
	"@media(max-width:600px){.wide{display:none}.narrow{display:block}dl{display:block}dd{margin-bottom:.4rem}"
	"thead{display:none}tr{display:block;border-bottom:1px solid var(--rule);padding:.3rem 0}td{display:block;border:0;padding:0}"
	"td:nth-child(-n+2){display:inline}td:first-child{color:var(--soft);padding-inline-end:.4rem}"
	"td:nth-child(n+3):not(:empty)::before{content:attr(data-of) ' ';color:var(--soft)}}"
	"@media print{body{max-width:none;font-size:11px}.wide{display:block}.narrow{display:none}h2,tr,svg{break-inside:avoid}h2{break-after:avoid}}";

/* The page while it is written. */
typedef struct Card
{
	MpVec		html;
	bool		complete;
	const MpFound *found;
	Oid			types[3];
	Datum		values[3];
} Card;

static void
put(Card *card, const char *html)
{
	card->complete = card->complete && mp_text_add(&card->html, html);
}

static void
put_escaped(Card *card, const char *text)
{
	card->complete = card->complete &&
		mp_text_escaped(&card->html, mp_picture_string(text), MP_ESCAPE_XML);
}

static void
put_isolated(Card *card, const char *text)
{
	put(card, "<bdi>");
	put_escaped(card, text);
	put(card, "</bdi>");
}

/* Line by line: a line's end would be escaped as any control character. */
static void
put_lines(Card *card, const char *text)
{
	char	   *copy = pstrdup(text);
	char	   *rest = copy;
	char	   *line;

	while ((line = strsep(&rest, "\n")) != NULL)
	{
		put_escaped(card, line);
		if (rest != NULL)
			put(card, "\n");
	}
}

static void
put_title(Card *card, const char *title)
{
	if (title == NULL)
		return;
	put(card, "\n<h2>");
	put_escaped(card, title);
	put(card, "</h2>\n");
}

/* A value of the last query, or NULL. */
static char *
value_at(uint64 row, int column)
{
	return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);
}

static void
put_pairs(Card *card)
{
	put(card, "<dl>");
	for (int i = 1; i <= SPI_tuptable->tupdesc->natts; i++)
	{
		char	   *value = value_at(0, i);

		if (value == NULL || value[0] == '\0')
			continue;
		put(card, "<dt>");
		put_escaped(card, SPI_fname(SPI_tuptable->tupdesc, i));
		put(card, "</dt><dd>");
		put_isolated(card, value);
		put(card, "</dd>\n");
	}
	put(card, "</dl>\n");
}

static void
put_rows(Card *card)
{
	TupleDesc	desc = SPI_tuptable->tupdesc;

	put(card, "<table><thead><tr>");
	for (int i = 1; i <= desc->natts; i++)
	{
		put(card, "<th>");
		put_escaped(card, SPI_fname(desc, i));
		put(card, "</th>");
	}
	put(card, "</tr></thead><tbody>\n");
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		CHECK_FOR_INTERRUPTS();
		put(card, "<tr>");
		for (int i = 1; i <= desc->natts; i++)
		{
			char	   *value = value_at(row, i);

			put(card, "<td data-of=\"");
			put_escaped(card, SPI_fname(desc, i));
			put(card, "\">");
			if (value != NULL && value[0] != '\0')
				put_isolated(card, value);
			put(card, "</td>");
		}
		put(card, "</tr>\n");
	}
	put(card, "</tbody></table>\n");
}

/* They are of the house: SVG, in the database's encoding. */
static void
put_pictures(Card *card)
{
	for (int i = 1; i <= 2; i++)
	{
		MpString	svg = mp_picture_string(value_at(0, i));

		put(card, i == 1 ? "<div class=\"wide\">" : "<div class=\"narrow\">");
		card->complete = card->complete && mp_metrics_write(&card->html, svg.data, svg.length);
		put(card, "</div>\n");
	}
}

static void
put_text(Card *card, const char *title)
{
	char	   *text = value_at(0, 1);

	if (text == NULL)
		return;
	put_title(card, title);
	put(card, title != NULL ? "<pre>" : "<p>");
	put_lines(card, text);
	put(card, title != NULL ? "</pre>\n" : "</p>\n");
}

static void
put_result(Card *card, const Section *section)
{
	if (SPI_processed == 0)
		return;
	if (section->kind == TEXT)
	{
		put_text(card, section->title);
		return;
	}
	put_title(card, section->title);
	switch (section->kind)
	{
		case PAIRS:
			put_pairs(card);
			break;
		case ROWS:
			put_rows(card);
			break;
		case PICTURES:
			put_pictures(card);
			break;
		case TEXT:
			break;
	}
}

static void
put_section(Card *card, const Section *section)
{
	if (SPI_execute_with_args(section->sql, 3, card->types, card->values, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "a query of a model card failed");
	put_result(card, section);
	SPI_freetuptable(SPI_tuptable);
}

/* Rows, and when it was set; no role has a right on the table. */
static void
put_baseline(Card *card, Snapshot snapshot)
{
	MpScan		scan;
	HeapTuple	tuple;

	mp_scan_begin(&scan, "stored_baseline", snapshot);
	mp_scan_key_int8(&scan, "model", card->found->model);
	mp_scan_key_int4(&scan, "version", card->found->version);
	tuple = mp_scan_next(&scan);
	if (tuple != NULL)
	{
		Oid			types[2] = {JSONBOID, TIMESTAMPTZOID};
		Datum		values[2] = {mp_scan_value_not_null(&scan, tuple, "profile"),
		mp_scan_value_not_null(&scan, tuple, "created")};

		if (SPI_execute_with_args("SELECT $1->>'rows' AS \"Rows\", to_char($2, 'YYYY-MM-DD HH24:MI TZ') AS \"Set\","
								  " (SELECT string_agg(format('%s %s%%', i->>'name', round(100 * (i->>'missing')::numeric / ($1->>'rows')::numeric, 1)), ', ')"
								  "  FROM jsonb_array_elements($1->'inputs') i WHERE (i->>'missing')::numeric > 0 AND ($1->>'rows')::numeric > 0) AS \"Missing\"",
								  2, types, values, NULL, true, 0) != SPI_OK_SELECT)
			elog(ERROR, "a query of a model card failed");
		put_result(card, &(Section) {"Baseline", PAIRS, NULL});
		SPI_freetuptable(SPI_tuptable);
	}
	mp_scan_end(&scan);
}

/* The owner, and for those who manage it the roles that were granted it. */
static void
put_roles(Card *card, Snapshot snapshot)
{
	MpModelRow	model;
	MpScan		scan;
	HeapTuple	tuple;

	mp_lookup_model(card->found->name, snapshot, &model);
	put_title(card, "Who may score");
	put(card, "<dl><dt>Owner</dt><dd>");
	put_isolated(card, mp_role_name(model.owner));
	put(card, "</dd>\n");
	if (mp_lookup_may_manage(&model, GetUserId()))
	{
		const char *before = "<dt>Granted to</dt><dd>";
		bool		any = false;

		mp_scan_begin(&scan, "stored_permission", snapshot);
		mp_scan_key_int8(&scan, "model", model.id);
		while ((tuple = mp_scan_next(&scan)) != NULL)
		{
			put(card, any ? ", " : before);
			put_isolated(card, mp_role_name(DatumGetObjectId(mp_scan_value_not_null(&scan, tuple, "grantee"))));
			any = true;
		}
		mp_scan_end(&scan);
		put(card, any ? "</dd>\n" : "");
	}
	put(card, "</dl>\n");
}

static void
put_head(Card *card)
{
	const char *title = psprintf("%s, version %d", card->found->name, card->found->version);

	put(card, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>");
	put_escaped(card, title);
	put(card, "</title>\n<style>");
	put(card, style);
	put(card, "</style>\n</head>\n<body>\n<h1>");
	put_isolated(card, card->found->name);
	put(card, psprintf("</h1>\n<p class=\"soft\">Version %d</p>\n", card->found->version));
}

static void
put_sections(Card *card, Snapshot snapshot)
{
	for (int i = 0; i < lengthof(sections); i++)
	{
		if (sections[i].sql != NULL)
			put_section(card, &sections[i]);
		else
			put_baseline(card, snapshot);
	}
	put_roles(card, snapshot);
}

PG_FUNCTION_INFO_V1(mp_model_card);
Datum
mp_model_card(PG_FUNCTION_ARGS)
{
	Snapshot	snapshot = mp_catalog_snapshot();
	MpFound		found = mp_lookup(text_to_cstring(PG_GETARG_TEXT_PP(0)), MP_RIGHT_SEE, GetUserId(),
								  snapshot);
	Card		card = {
		.html = {mp_alloc_context(CurrentMemoryContext)},
		.complete = true,
		.found = &found,
		.types = {TEXTOID, INT4OID, TEXTOID}
	};
	int			nest_level = NewGUCNestLevel();

	card.values[0] = CStringGetTextDatum(found.name);
	card.values[1] = Int32GetDatum(found.version);
	card.values[2] = PG_GETARG_DATUM(0);
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	put_head(&card);
	put_sections(&card, snapshot);
	put(&card, "</body>\n</html>\n");
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	AtEOXact_GUC(true, nest_level);
	PG_RETURN_TEXT_P(mp_picture_finish(card.complete, &card.html));
}
