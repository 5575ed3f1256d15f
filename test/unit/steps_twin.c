/*
 * steps_twin.c: see steps_twin.h.
 */
#include "steps_twin.h"
#include "core/text/doc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A value of a JSON document. */
typedef struct Node
{
	MpDocKind	kind;
	MpString	key;
	MpString	text;
	double		number;			/* of a boolean, 1 or 0; of null, NaN */
	struct Node *child;
	struct Node *next;
} Node;

struct MpTwin
{
	Node	   *root;
};

static MpString
copy(MpString text)
{
	char	   *data = malloc(text.length + 1);

	if (text.length > 0)
		memcpy(data, text.data, text.length);
	return (MpString) {data, text.length};
}

static Node *
read_node(MpDoc *doc)
{
	Node	   *node = calloc(1, sizeof(Node));
	Node	  **last = &node->child;
	MpString	text;
	MpString	key;
	bool		truth;

	node->kind = mp_doc_kind(doc);
	node->number = NAN;
	switch (node->kind)
	{
		case MP_DOC_OBJECT:
			mp_doc_enter_object(doc);
			while (mp_doc_next_key(doc, &key))
			{
				MpString	own = copy(key);

				*last = read_node(doc);
				(*last)->key = own;
				last = &(*last)->next;
			}
			break;
		case MP_DOC_ARRAY:
			mp_doc_enter_array(doc);
			while (mp_doc_next(doc))
			{
				*last = read_node(doc);
				last = &(*last)->next;
			}
			break;
		case MP_DOC_STRING:
			mp_doc_string(doc, &text);
			node->text = copy(text);
			break;
		case MP_DOC_NUMBER:
			mp_doc_double(doc, &node->number);
			break;
		case MP_DOC_BOOLEAN:
			mp_doc_boolean(doc, &truth);
			node->number = truth;
			break;
		case MP_DOC_NULL:
		case MP_DOC_NOTHING:
			mp_doc_skip(doc);
			break;
	}
	return node;
}

static void
free_node(Node *node)
{
	while (node != NULL)
	{
		Node	   *next = node->next;

		free_node(node->child);
		free((char *) node->key.data);
		free((char *) node->text.data);
		free(node);
		node = next;
	}
}

static Node *
get(const Node *object, const char *key)
{
	for (Node *node = object->child; node != NULL; node = node->next)
	{
		if (mp_string_is(node->key, key))
			return node;
	}
	return NULL;
}

static Node *
at(const Node *list, int i)
{
	Node	   *node = list->child;

	while (i-- > 0)
		node = node->next;
	return node;
}

static int
count(const Node *list)
{
	int			n = 0;

	for (Node *node = list->child; node != NULL; node = node->next)
		n++;
	return n;
}

static bool
says(const Node *object, const char *key, const char *text)
{
	const Node *node = get(object, key);

	return node != NULL && node->kind == MP_DOC_STRING && mp_string_is(node->text, text);
}

MpTwin *
mp_twin_read(const char *document, size_t size)
{
	MpTwin	   *twin = malloc(sizeof(MpTwin));
	MpError		error;
	MpDoc		doc;

	mp_doc_open(&doc, &mp_doc_json, &mp_alloc_malloc, document, size, &error);
	twin->root = read_node(&doc);
	mp_doc_close(&doc);
	return twin;
}

void
mp_twin_free(MpTwin *twin)
{
	free_node(twin->root);
	free(twin);
}

int
mp_twin_n_inputs(const MpTwin *twin)
{
	return count(get(twin->root, "inputs"));
}

int
mp_twin_n_features(const MpTwin *twin)
{
	return count(get(twin->root, "features"));
}

char
mp_twin_input_type(const MpTwin *twin, int input)
{
	return get(at(get(twin->root, "inputs"), input), "type")->text.data[0];
}

/* The k-th scalar under a node, counted down in *k. */
static const Node *
scalar(const Node *node, int *k)
{
	if (node->kind != MP_DOC_ARRAY)
		return (*k)-- == 0 ? node : NULL;
	for (const Node *child = node->child; child != NULL; child = child->next)
	{
		const Node *found = scalar(child, k);

		if (found != NULL)
			return found;
	}
	return NULL;
}

bool
mp_twin_label(const MpTwin *twin, int k, MpTwinValue *value)
{
	static const char *const keys[] = {"labels", "zero", "missing_value", "values", "edges", "threshold"};

	for (const Node *step = get(twin->root, "steps")->child; step != NULL; step = step->next)
	{
		for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		{
			const Node *list = get(step, keys[i]);
			const Node *found = list != NULL ? scalar(list, &k) : NULL;

			if (found != NULL)
			{
				value->is_text = found->kind == MP_DOC_STRING;
				value->text = found->text;
				value->number = found->number;
				return true;
			}
		}
	}
	return false;
}

/* --- running --- */

/* What a name stands for. */
typedef struct Named
{
	MpString	name;
	MpTwinValue value;
	bool		is_time;
} Named;

typedef struct Run
{
	Named	   *named;
	int			n;
	const Node *step;
	bool		single;
} Run;

static Named *
find(Run *run, MpString name)
{
	for (int i = 0; i < run->n; i++)
	{
		if (mp_string_equal(run->named[i].name, name))
			return &run->named[i];
	}
	abort();
}

static MpTwinValue
in(Run *run, int i)
{
	MpTwinValue value = find(run, at(get(run->step, "in"), i)->text)->value;

	if (run->single && !value.is_label)
		value.number = (float) value.number;
	return value;
}

static double
round_to(const Run *run, double x)
{
	return run->single ? (float) x : x;
}

static bool
is_missing(const Named *named)
{
	return named->is_time ? named->value.time == INT64_MIN :
		!named->value.is_text && isnan(named->value.number);
}

/* Whether a value is what the document writes; null is missing. */
static bool
same(MpTwinValue value, const Node *node)
{
	if (value.is_text || node->kind == MP_DOC_STRING)
		return value.is_text && node->kind == MP_DOC_STRING &&
			mp_string_equal(value.text, node->text);
	return value.number == node->number || (isnan(value.number) && isnan(node->number));
}

static bool
is_among(MpTwinValue value, const Node *list)
{
	for (const Node *node = list != NULL ? list->child : NULL; node != NULL; node = node->next)
	{
		if (same(value, node))
			return true;
	}
	return false;
}

/* "error", "missing" or a number; false: an error */
static bool
by_rule(const Run *run, const char *key, double *result)
{
	const Node *rule = get(run->step, key);

	if (rule == NULL || says(run->step, key, "error"))
		return false;
	*result = rule->kind == MP_DOC_STRING ? NAN : round_to(run, rule->number);
	return true;
}

static double
number_at(const Run *run, const char *key, int i)
{
	const Node *node = get(run->step, key);

	return node->kind == MP_DOC_ARRAY ? at(node, i)->number : node->number;
}

static double
scaled(const Run *run, int i, double x)
{
	if (get(run->step, "subtract"))
		x = round_to(run, x - number_at(run, "subtract", i));
	if (get(run->step, "divide"))
		x = round_to(run, x / number_at(run, "divide", i));
	if (get(run->step, "multiply"))
		x = round_to(run, x * number_at(run, "multiply", i));
	if (get(run->step, "add"))
		x = round_to(run, x + number_at(run, "add", i));
	if (get(run->step, "clip"))
	{
		double		low = round_to(run, number_at(run, "clip", 0));
		double		high = round_to(run, number_at(run, "clip", 1));

		x = x < low ? low : x > high ? high : x;
	}
	return x;
}

static bool
one_hot(Run *run, double *out, int n)
{
	MpTwinValue value = in(run, 0);
	const Node *unknown = get(run->step, "unknown");

	for (int i = 0; i < n; i++)
		out[i] = is_among(value, at(get(run->step, "labels"), i));
	for (int i = 0; i < n; i++)
	{
		if (out[i] == 1)
			return true;
	}
	if (is_among(value, get(run->step, "zero")))
		return true;
	if (unknown == NULL || says(run->step, "unknown", "error"))
		return false;
	if (unknown->kind == MP_DOC_NUMBER)
		out[(int) unknown->number] = 1;
	return true;
}

static bool
map(Run *run, double *out)
{
	MpTwinValue value = in(run, 0);
	int			i = 0;

	for (const Node *label = get(run->step, "labels")->child; label != NULL; label = label->next, i++)
	{
		if (same(value, label))
		{
			*out = round_to(run, at(get(run->step, "values"), i)->number);
			return true;
		}
	}
	return by_rule(run, !value.is_text && isnan(value.number) ? "missing" : "unknown", out);
}

static bool
cut(Run *run, int i, double *out)
{
	double		x = in(run, i).number;

	if (isnan(x))
		return by_rule(run, "missing", out);
	if (says(run->step, "op", "threshold"))
	{
		*out = x > round_to(run, number_at(run, "threshold", i));
		return true;
	}
	*out = 0;
	for (const Node *edge = at(get(run->step, "edges"), i)->child; edge != NULL; edge = edge->next)
		*out += says(run->step, "closed", "right") ? edge->number < x : edge->number <= x;
	return true;
}

static double
function(Run *run, double x)
{
	static const struct
	{
		const char *name;
		double		(*function) (double x);
	}			functions[] = {
		{"abs", fabs}, {"sqrt", sqrt}, {"floor", floor}, {"ceil", ceil}, {"round", rint},
		{"cbrt", cbrt}, {"log", log}, {"log2", log2}, {"log10", log10}, {"log1p", log1p},
		{"exp", exp}, {"expm1", expm1}
	};

	if (says(run->step, "function", "square"))
		return round_to(run, x * x);
	if (says(run->step, "function", "reciprocal"))
		return round_to(run, 1 / x);
	if (says(run->step, "function", "sign"))
		return x > 0 ? 1 : x < 0 ? -1 : x == 0 ? 0 : x;
	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++)
	{
		if (says(run->step, "function", functions[i].name))
			return round_to(run, functions[i].function(x));
	}
	abort();
}

static bool
power(Run *run, int i, double *out)
{
	double		x = in(run, i).number;
	double		l = number_at(run, "lambdas", i);
	double		tiny = 2.220446049250313e-16;

	if (says(run->step, "method", "box-cox"))
	{
		if (x <= 0)
			return false;
		*out = fabs(l) < 1e-19 ? log(x) : expm1(l * log(x)) / l;
	}
	else if (isnan(x))
		*out = x;
	else if (x >= 0)
		*out = fabs(l) < tiny ? log1p(x) : (pow(x + 1, l) - 1) / l;
	else
		*out = fabs(l - 2) > tiny ? -(pow(1 - x, 2 - l) - 1) / (2 - l) : -log1p(-x);
	*out = round_to(run, *out);
	return true;
}

static bool
has_missing(Run *run)
{
	for (int i = 0; i < count(get(run->step, "in")); i++)
	{
		if (isnan(in(run, i).number))
			return true;
	}
	return false;
}

static double
product(Run *run, int i)
{
	const Node *factor = at(get(run->step, "factors"), i)->child;
	double		x;

	if (factor == NULL)
		return 1;
	x = in(run, (int) factor->number).number;
	for (factor = factor->next; factor != NULL; factor = factor->next)
		x = round_to(run, x * in(run, (int) factor->number).number);
	return x;
}

static double
linear(Run *run, int i)
{
	double		sum = 0;
	int			k = 0;

	for (const Node *m = at(get(run->step, "matrix"), i)->child; m != NULL; m = m->next, k++)
		sum = round_to(run, sum + round_to(run, in(run, k).number * m->number));
	return get(run->step, "offset") ? round_to(run, sum + number_at(run, "offset", i)) : sum;
}

/* Day by day from 2000-01-01: the least that can be wrong. */
static double
date_part(Run *run, int64_t time)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64_t		seconds = time / 1000000 - (time % 1000000 < 0);
	int64_t		days = seconds / 86400 - (seconds % 86400 < 0);
	int64_t		of_day = seconds - days * 86400;
	int			weekday = (int) (((days + 5) % 7 + 7) % 7);
	int			year = 2000;
	int			month = 0;
	int			day_of_year;

	for (;;)
	{
		int			length = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 366 : 365;

		if (days >= length)
		{
			days -= length;
			year++;
		}
		else if (days < 0)
		{
			year--;
			days += year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 366 : 365;
		}
		else
			break;
	}
	day_of_year = (int) days + 1;
	for (;; month++)
	{
		int			leap = month == 1 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

		if (days < lengths[month] + leap)
			break;
		days -= lengths[month] + leap;
	}
	if (says(run->step, "part", "year"))
		return year;
	if (says(run->step, "part", "quarter"))
		return month / 3 + 1;
	if (says(run->step, "part", "month"))
		return month + 1;
	if (says(run->step, "part", "day"))
		return (double) days + 1;
	if (says(run->step, "part", "hour"))
		return (double) (of_day / 3600);
	if (says(run->step, "part", "minute"))
		return (double) (of_day % 3600 / 60);
	if (says(run->step, "part", "second"))
		return (double) (of_day % 60);
	if (says(run->step, "part", "dayofweek"))
		return weekday;
	if (says(run->step, "part", "dayofyear"))
		return day_of_year;
	return ((double) time + 946684800000000.0) / 1e6;
}

/* One output of a step that has one per input, or of product and linear. */
static bool
output(Run *run, int i, double *out)
{
	const Node *step = run->step;

	if (says(step, "op", "is_missing"))
	{
		const Node *sentinel = get(step, "missing_value");
		const Named *named = find(run, at(get(step, "in"), i)->text);
		MpTwinValue value = in(run, i);
		Node		rounded;

		if (sentinel != NULL && sentinel->kind == MP_DOC_NUMBER && !value.is_label)
		{
			rounded = *sentinel;
			rounded.number = round_to(run, rounded.number);
			sentinel = &rounded;
		}
		*out = is_missing(named) || (sentinel != NULL && same(value, sentinel));
	}
	else if (says(step, "op", "scale"))
		*out = scaled(run, i, in(run, i).number);
	else if (says(step, "op", "map"))
		return map(run, out);
	else if (says(step, "op", "bin") || says(step, "op", "threshold"))
		return cut(run, i, out);
	else if (says(step, "op", "function"))
		*out = function(run, in(run, i).number);
	else if (says(step, "op", "power"))
		return power(run, i, out);
	else if (says(step, "op", "date_part"))
	{
		int64_t		time = in(run, i).time;

		*out = time == INT64_MIN ? NAN : date_part(run, time);
	}
	else
	{
		if (!says(step, "missing", "missing") && has_missing(run))
			return false;
		*out = says(step, "op", "product") ? product(run, i) : linear(run, i);
	}
	return true;
}

static MpTwinValue
imputed(Run *run, int i)
{
	MpTwinValue value = in(run, i);
	const Node *sentinel = get(run->step, "missing_value");
	const Node *to = at(get(run->step, "values"), i);
	bool		replace = !value.is_text && isnan(value.number);

	if (sentinel != NULL && value.is_label)
		replace |= same(value, sentinel);
	else if (sentinel != NULL && sentinel->kind != MP_DOC_STRING)
		replace |= value.number == round_to(run, sentinel->number);
	if (replace)
	{
		value.is_text = to->kind == MP_DOC_STRING;
		value.text = to->text;
		value.number = value.is_label ? to->number : round_to(run, to->number);
	}
	return value;
}

static bool
run_step(Run *run)
{
	int			n = count(get(run->step, "out"));
	double	   *out = calloc(n, sizeof(double));
	bool		impute = says(run->step, "op", "impute");
	bool		fine = true;

	run->single = says(run->step, "precision", "single");
	if (says(run->step, "op", "one_hot"))
		fine = one_hot(run, out, n);
	for (int i = 0; fine && i < n; i++)
	{
		Named	   *named = &run->named[run->n];

		memset(&named->value, 0, sizeof(named->value));
		named->is_time = false;
		if (impute)
			named->value = imputed(run, i);
		else
		{
			if (!says(run->step, "op", "one_hot"))
				fine = output(run, i, &out[i]);
			named->value.number = out[i];
		}
		named->name = at(get(run->step, "out"), i)->text;
		run->n++;
	}
	free(out);
	return fine;
}

bool
mp_twin_run(const MpTwin *twin, const MpTwinValue *row, double *features)
{
	int			n = mp_twin_n_inputs(twin);
	const Node *feature = get(twin->root, "features")->child;
	const Node *sparse = get(twin->root, "sparse");
	Run			run = {0};
	bool		fine = true;

	for (const Node *step = get(twin->root, "steps")->child; step != NULL; step = step->next)
		n += count(get(step, "out"));
	run.named = calloc(n, sizeof(Named));
	for (; run.n < mp_twin_n_inputs(twin); run.n++)
	{
		run.named[run.n].name = get(at(get(twin->root, "inputs"), run.n), "name")->text;
		run.named[run.n].value = row[run.n];
		run.named[run.n].is_time = mp_twin_input_type(twin, run.n) == 't';
	}
	for (run.step = get(twin->root, "steps")->child; fine && run.step != NULL; run.step = run.step->next)
		fine = run_step(&run);
	for (int i = 0; fine && feature != NULL; i++, feature = feature->next)
	{
		double		x = find(&run, feature->text)->value.number;

		features[i] = sparse != NULL && sparse->number == 1 && x == 0 ? NAN : x;
	}
	free(run.named);
	return fine;
}
