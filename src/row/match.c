/*
 * match.c: which column holds which input.
 *
 * An input takes the column of exactly its name; else the one of its name cut
 * to 63 bytes, as PostgreSQL cuts identifiers; else the only one that differs
 * just in case, since PostgreSQL folds names and pandas does not. A column
 * that some input names exactly is no candidate for another.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "glue/compat.h"
#include "glue/similar.h"
#include "row/match.h"

typedef struct NamedColumn
{
	const char *name;
	int			length;
	char	   *folded;
	int			column;
	int			input;			/* that names it; -1: none yet */
} NamedColumn;

typedef struct Matcher
{
	const MpModel *model;
	NamedColumn *columns;		/* by exact name */
	NamedColumn **folded;		/* by folded name; made when first needed */
	int			n;
	int		   *column_of;
	bool		guess;			/* no column where several might do */
} Matcher;

static int
compare_bytes(const char *a, int a_length, const char *b, int b_length)
{
	int			c = memcmp(a, b, Min(a_length, b_length));

	return c != 0 ? c : (a_length > b_length) - (a_length < b_length);
}

static int
compare_exact(const void *a, const void *b)
{
	const NamedColumn *x = a;
	const NamedColumn *y = b;

	return compare_bytes(x->name, x->length, y->name, y->length);
}

static int
compare_folded(const void *a, const void *b)
{
	const NamedColumn *x = *(NamedColumn *const *) a;
	const NamedColumn *y = *(NamedColumn *const *) b;

	return compare_bytes(x->folded, x->length, y->folded, y->length);
}

/*
 * ASCII only, as identifiers are folded in a multibyte encoding. LightGBM stores
 * blanks as underscores, so its models match either.
 */
static char *
fold(const Matcher *m, const char *name, int length)
{
	bool		fold_blanks = m->model->forest->library == MP_LIBRARY_LIGHTGBM;
	char	   *folded = pnstrdup(name, length);

	for (char *p = folded; *p; p++)
	{
		if (*p >= 'A' && *p <= 'Z')
			*p += 'a' - 'A';
		else if (*p == ' ' && fold_blanks)
			*p = '_';
	}
	return folded;
}

static MpString
input_name(const Matcher *m, int input)
{
	return mp_input_name(&m->model->inputs[input]);
}

pg_noreturn static void
ambiguous(const Matcher *m, int input, const char *what)
{
	MpString	name = input_name(m, input);

	ereport(ERROR,
			errcode(ERRCODE_AMBIGUOUS_COLUMN),
			errmsg("feature \"%.*s\" of model \"%s\" version %d is ambiguous",
				   (int) name.length, name.data, m->model->name, m->model->version),
			errdetail("%s", what),
			errhint("Pass a row whose columns are named exactly as the model's features."));
}

/* The column of exactly this name, or NULL. */
static NamedColumn *
find_exact(const Matcher *m, int input, const char *name, int length)
{
	NamedColumn key = {name, length};
	NamedColumn *found = bsearch(&key, m->columns, m->n, sizeof(NamedColumn), compare_exact);

	if (found == NULL)
		return NULL;
	if ((found > m->columns && compare_exact(found - 1, found) == 0) ||
		(found + 1 < m->columns + m->n && compare_exact(found, found + 1) == 0))
	{
		if (m->guess)
			return NULL;
		ambiguous(m, input, psprintf("Several columns of the row are named \"%.*s\".", length, name));
	}
	return found;
}

static void
fold_columns(Matcher *m)
{
	m->folded = palloc(sizeof(NamedColumn *) * Max(m->n, 1));
	for (int i = 0; i < m->n; i++)
	{
		m->columns[i].folded = fold(m, m->columns[i].name, m->columns[i].length);
		m->folded[i] = &m->columns[i];
	}
	qsort(m->folded, m->n, sizeof(NamedColumn *), compare_folded);
}

/* The only column, not named exactly by an input, that differs just in case; or NULL. */
static NamedColumn *
find_folded(Matcher *m, int input, const char *name, int length)
{
	NamedColumn key = {name, length, fold(m, name, length)};
	NamedColumn *found = NULL;
	int			low = 0;
	int			high = m->n;

	if (m->folded == NULL)
		fold_columns(m);
	while (low < high)
	{
		int			middle = low + (high - low) / 2;
		NamedColumn *c = m->folded[middle];

		if (compare_bytes(c->folded, c->length, key.folded, length) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < m->n; low++)
	{
		NamedColumn *c = m->folded[low];

		if (compare_bytes(c->folded, c->length, key.folded, length) != 0)
			break;
		if (c->input >= 0 && m->column_of[c->input] == c->column &&
			input_name(m, c->input).length == c->length &&
			memcmp(input_name(m, c->input).data, c->name, c->length) == 0)
			continue;			/* another input's own name */
		if (found != NULL && m->guess)
			return NULL;
		if (found != NULL)
			ambiguous(m, input, psprintf("Columns \"%.*s\" and \"%.*s\" differ from it only in case%s.",
										   found->length, found->name, c->length, c->name,
										   m->model->forest->library == MP_LIBRARY_LIGHTGBM ? " or blanks" : ""));
		found = c;
	}
	return found;
}

static bool
claim(Matcher *m, int input, NamedColumn *column)
{
	if (column == NULL)
		return false;
	if (column->input >= 0 && m->guess)
		return false;
	if (column->input >= 0)
		ambiguous(m, input, psprintf("Column \"%.*s\" would hold %s as well.", column->length,
									   column->name, mp_input_label(m->model, column->input)));
	column->input = input;
	m->column_of[input] = column->column;
	return true;
}

/* Of the columns that hold nothing else. */
static const char *
similar_column(const Matcher *m, MpString name)
{
	MpSimilar	similar = mp_similar_to(pnstrdup(name.data, name.length));

	for (int i = 0; i < m->n; i++)
		if (m->columns[i].input < 0)
			mp_similar_offer(&similar, m->columns[i].name, m->columns[i].length);
	return mp_similar_hint(&similar);
}

static void
report_absent(const Matcher *m)
{
	StringInfoData list;
	const char *similar = "";
	int			count = 0;

	initStringInfo(&list);
	for (int i = 0; i < m->model->n_inputs; i++)
	{
		MpString	name = input_name(m, i);

		if (m->column_of[i] >= 0)
			continue;
		appendStringInfo(&list, "%s\"%.*s\"", count++ ? ", " : "", (int) name.length, name.data);
		if (count == 1)
			similar = similar_column(m, name);
	}
	if (count == 0)
		return;
	ereport(ERROR,
			errcode(ERRCODE_UNDEFINED_COLUMN),
			errmsg_plural("the row lacks %d feature of model \"%s\" version %d: %s",
						  "the row lacks %d features of model \"%s\" version %d: %s", count,
						  count, m->model->name, m->model->version, list.data),
			errhint("%sName the columns as the model does, or register the model with absent_feature => 'missing'.",
					similar));
}

static void
match(Matcher *m, const char *const *names, int n)
{
	int			n_inputs = m->model->n_inputs;

	m->columns = palloc(sizeof(NamedColumn) * Max(n, 1));
	for (int i = 0; i < n; i++)
		if (names[i] != NULL)
			m->columns[m->n++] = (NamedColumn) {names[i], strlen(names[i]), NULL, i, -1};
	qsort(m->columns, m->n, sizeof(NamedColumn), compare_exact);
	for (int i = 0; i < n_inputs; i++)
	{
		MpString	name = input_name(m, i);

		m->column_of[i] = -1;
		claim(m, i, find_exact(m, i, name.data, name.length));
	}
	for (int i = 0; i < n_inputs; i++)
	{
		MpString	name = input_name(m, i);
		int			length = name.length;

		if (m->column_of[i] >= 0)
			continue;
		if (length >= NAMEDATALEN)
		{
			length = pg_mbcliplen(name.data, length, NAMEDATALEN - 1);
			if (claim(m, i, find_exact(m, i, name.data, length)))
				continue;
		}
		claim(m, i, find_folded(m, i, name.data, length));
	}
}

void
mp_match_columns(const MpModel *model, const char *const *names, int n, int *column_of)
{
	Matcher		m = {.model = model, .column_of = column_of};

	if (!model->has_names)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("model \"%s\" version %d has no feature names, so a row cannot be read by name",
					   model->name, model->version),
				errhint("Register the model with feature_names => array[...], or pass the values one by one in the model's order."));
	match(&m, names, n);
	if (model->options.absent_feature == MP_ABSENT_ERROR)
		report_absent(&m);
}

void
mp_match_guess(const MpModel *model, const char *const *names, int n, int *column_of)
{
	Matcher		m = {.model = model, .column_of = column_of, .guess = true};

	match(&m, names, n);
}
