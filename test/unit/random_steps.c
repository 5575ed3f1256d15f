/*
 * random_steps.c: see random_steps.h. Values are named v0, v1, ... in the order
 * of the program's slots; labels are a to p, sometimes with letters that JSON
 * escapes, and small numbers.
 */
#include "random_steps.h"
#include "core/text/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_VALUES 400

typedef struct Maker
{
	MpRandom   *random;
	MpVec		text;
	char		kind[MAX_VALUES];	/* 'n', 'c' or 't' */
	int			n;
	int			in[8];
	int			n_in;
	bool		single;			/* the step at hand is */
} Maker;

static const char *const labels[] = {
	"\"a\"", "\"b\"", "\"c\"", "\"d d\"", "\"\\u00e9\"", "\"f\\\"\"", "\"g,\"", "\"[h\"", "\"i\"",
	"\"jjjjjjjjjjjjjjjjj\"", "\"\"", "\"1\"", "1", "2", "3.5", "0"
};

#define N_LABELS 16

static int
below(Maker *maker, int n)
{
	return (int) mp_random_below(maker->random, n);
}

static bool
chance(Maker *maker, double p)
{
	return mp_random_chance(maker->random, p);
}

static void
add(Maker *maker, const char *literal)
{
	mp_text_add(&maker->text, literal);
}

/* Numbers that come up again: rounded to few digits; now and then any. */
static void
add_number(Maker *maker)
{
	double		x = (below(maker, 81) - 40) / 8.0;

	if (chance(maker, 0.1))
		x = ((int32_t) mp_random(maker->random)) / 1e7;
	mp_text_format(&maker->text, "%.17g", x);
}

static void
add_numbers(Maker *maker, const char *field, int n)
{
	mp_text_format(&maker->text, ",\"%s\":[", field);
	for (int i = 0; i < n; i++)
	{
		add(maker, i > 0 ? "," : "");
		add_number(maker);
	}
	add(maker, "]");
}

/* Takes up to `most` values of the kind as the step's inputs; false: there is none. */
static bool
choose(Maker *maker, char kind, int most)
{
	int			wanted = 1 + below(maker, most);

	maker->n_in = 0;
	for (int tries = 0; tries < 200 && maker->n_in < wanted; tries++)
	{
		int			i = below(maker, maker->n);

		if (maker->kind[i] == kind)
			maker->in[maker->n_in++] = i;
	}
	return maker->n_in > 0;
}

/* The step up to its outputs, which are defined. */
static void
begin(Maker *maker, const char *op, int n_out, char kind)
{
	mp_text_format(&maker->text, "%s{\"op\":\"%s\",\"in\":[",
				   ((char *) maker->text.data)[maker->text.size - 1] == '[' ? "" : ",", op);
	for (int i = 0; i < maker->n_in; i++)
		mp_text_format(&maker->text, "%s\"v%d\"", i > 0 ? "," : "", maker->in[i]);
	add(maker, "],\"out\":[");
	for (int i = 0; i < n_out; i++)
	{
		mp_text_format(&maker->text, "%s\"v%d\"", i > 0 ? "," : "", maker->n);
		maker->kind[maker->n++] = kind;
	}
	add(maker, "]");
	maker->single = strcmp(op, "date_part") != 0 && chance(maker, 0.3);
	if (maker->single)
		add(maker, ",\"precision\":\"single\"");
	else if (strcmp(op, "date_part") != 0 && chance(maker, 0.3))
		add(maker, ",\"precision\":\"double\"");
}

static void
add_missing(Maker *maker, bool number_allowed)
{
	switch (below(maker, number_allowed ? 4 : 3))
	{
		case 0:
			add(maker, ",\"missing\":\"error\"");
			break;
		case 1:
			add(maker, ",\"missing\":\"missing\"");
			break;
		case 2:
			break;
		case 3:
			add(maker, ",\"missing\":-7.25");
			break;
	}
}

static void
make_impute(Maker *maker, bool of_labels)
{
	if (!choose(maker, of_labels ? 'c' : 'n', 4))
		return;
	begin(maker, "impute", maker->n_in, of_labels ? 'c' : 'n');
	add(maker, ",\"values\":[");
	for (int i = 0; i < maker->n_in; i++)
	{
		add(maker, i > 0 ? "," : "");
		if (chance(maker, 0.1))
			add(maker, "null");
		else if (of_labels)
			add(maker, labels[below(maker, N_LABELS)]);
		else
			add_number(maker);
	}
	add(maker, "]");
	if (chance(maker, 0.3))
	{
		add(maker, ",\"missing_value\":");
		if (of_labels)
			add(maker, labels[below(maker, N_LABELS)]);
		else
			add_number(maker);
	}
}

static void
make_is_missing(Maker *maker)
{
	char		kind = "nct"[below(maker, 3)];

	if (!choose(maker, kind, 3))
		return;
	begin(maker, "is_missing", maker->n_in, 'n');
	if (kind != 't' && chance(maker, 0.3))
		mp_text_format(&maker->text, ",\"missing_value\":%s",
					   kind == 'c' ? labels[below(maker, N_LABELS)] : "2.5");
}

static void
make_scale(Maker *maker)
{
	if (!choose(maker, 'n', 5))
		return;
	begin(maker, "scale", maker->n_in, 'n');
	if (chance(maker, 0.5))
		add_numbers(maker, "subtract", maker->n_in);
	if (chance(maker, 0.5))
	{
		add(maker, ",\"divide\":[");
		for (int i = 0; i < maker->n_in; i++)
			mp_text_format(&maker->text, "%s%.17g", i > 0 ? "," : "", 0.1 + below(maker, 30));
		add(maker, "]");
	}
	if (chance(maker, 0.3))
		add_numbers(maker, "multiply", maker->n_in);
	if (chance(maker, 0.3))
		add_numbers(maker, "add", maker->n_in);
	if (chance(maker, 0.2))
		add(maker, ",\"clip\":[-1.1,2.3]");
}

/* one_hot and map: each label or number at most once. */
static void
make_table(Maker *maker, bool of_labels)
{
	int			n_out = 1 + below(maker, 5);
	bool		one_hot = chance(maker, 0.5);
	bool		null_used = false;
	int			order = below(maker, N_LABELS);
	int			used = 0;

	if (!choose(maker, of_labels ? 'c' : 'n', 1))
		return;
	begin(maker, one_hot ? "one_hot" : "map", one_hot ? n_out : 1, 'n');
	add(maker, ",\"labels\":[");
	for (int list = 0; list < (one_hot ? n_out : 1); list++)
	{
		int			n = below(maker, one_hot ? 4 : 9);
		bool		first = true;

		mp_text_format(&maker->text, one_hot ? "%s[" : "", list > 0 ? "," : "");
		for (int k = 0; k < n && used < N_LABELS; k++, used++)
		{
			add(maker, first ? "" : ",");
			first = false;
			if (!null_used && chance(maker, 0.1))
			{
				add(maker, "null");
				null_used = true;
			}
			else if (of_labels)
				add(maker, labels[(order + used) % N_LABELS]);
			else
				mp_text_format(&maker->text, "%.17g", (order + used) / 8.0 - 1);
		}
		add(maker, one_hot ? "]" : "");
	}
	add(maker, "]");
	if (!one_hot)
	{
		add_numbers(maker, "values", used);
		if (chance(maker, 0.5))
			mp_text_format(&maker->text, ",\"unknown\":%s",
						   chance(maker, 0.5) ? "\"missing\"" : "-1");
		if (!null_used)
			add_missing(maker, true);
		return;
	}
	if (used < N_LABELS && chance(maker, 0.3))
		mp_text_format(&maker->text, ",\"zero\":[%s]", of_labels ? labels[(order + used) % N_LABELS] :
					   "99");
	if (chance(maker, 0.7))
		mp_text_format(&maker->text, ",\"unknown\":%s", chance(maker, 0.7) ? "\"zero\"" : "0");
}

static void
make_cut(Maker *maker)
{
	if (!choose(maker, 'n', 3))
		return;
	if (chance(maker, 0.3))
	{
		begin(maker, "threshold", maker->n_in, 'n');
		if (chance(maker, 0.5))
			add_numbers(maker, "threshold", maker->n_in);
		else
			add(maker, ",\"threshold\":0.1");
	}
	else
	{
		begin(maker, "bin", maker->n_in, 'n');
		add(maker, ",\"edges\":[");
		for (int i = 0; i < maker->n_in; i++)
		{
			double		edge = -3;
			int			n = below(maker, 5);

			add(maker, i > 0 ? ",[" : "[");
			for (int k = 0; k < n; k++)
				mp_text_format(&maker->text, "%s%.17g", k > 0 ? "," : "",
							   edge += below(maker, 9) / 4.0);
			add(maker, "]");
		}
		add(maker, chance(maker, 0.5) ? "]" : "],\"closed\":\"right\"");
	}
	add_missing(maker, true);
}

static void
make_function(Maker *maker)
{
	static const char *const names[] = {
		"abs", "sign", "sqrt", "square", "reciprocal", "floor", "ceil", "round", "cbrt", "log",
		"log2", "log10", "log1p", "exp", "expm1"
	};

	if (!choose(maker, 'n', 3))
		return;
	begin(maker, "function", maker->n_in, 'n');
	mp_text_format(&maker->text, ",\"function\":\"%s\"",
				   names[below(maker, maker->single ? 8 : 15)]);
}

static void
make_power(Maker *maker)
{
	if (!choose(maker, 'n', 3))
		return;
	begin(maker, "power", maker->n_in, 'n');
	mp_text_format(&maker->text, ",\"method\":\"%s\"",
				   chance(maker, 0.2) ? "box-cox" : "yeo-johnson");
	add_numbers(maker, "lambdas", maker->n_in);
}

static void
make_many(Maker *maker)
{
	bool		product = chance(maker, 0.6);
	int			n_out = 1 + below(maker, 4);

	if (!choose(maker, 'n', 4))
		return;
	begin(maker, product ? "product" : "linear", n_out, 'n');
	add(maker, product ? ",\"factors\":[" : ",\"matrix\":[");
	for (int i = 0; i < n_out; i++)
	{
		int			n = product ? below(maker, 4) : maker->n_in;

		add(maker, i > 0 ? ",[" : "[");
		for (int k = 0; k < n; k++)
		{
			add(maker, k > 0 ? "," : "");
			if (product)
				mp_text_format(&maker->text, "%d", below(maker, maker->n_in));
			else
				add_number(maker);
		}
		add(maker, "]");
	}
	add(maker, "]");
	if (!product && chance(maker, 0.5))
		add_numbers(maker, "offset", n_out);
	if (chance(maker, 0.8))
		add(maker, ",\"missing\":\"missing\"");
}

static void
make_date_part(Maker *maker)
{
	static const char *const parts[] = {
		"year", "quarter", "month", "day", "hour", "minute", "second", "dayofweek", "dayofyear",
		"epoch"
	};

	if (!choose(maker, 't', 2))
		return;
	begin(maker, "date_part", maker->n_in, 'n');
	mp_text_format(&maker->text, ",\"part\":\"%s\"", parts[below(maker, 10)]);
	if (chance(maker, 0.3))
		add(maker, ",\"time_zone\":\"Europe/Berlin\"");
}

static void
make_step(Maker *maker)
{
	switch (below(maker, 11))
	{
		case 0:
		case 1:
			make_impute(maker, chance(maker, 0.5));
			break;
		case 2:
			make_is_missing(maker);
			break;
		case 3:
		case 4:
			make_scale(maker);
			break;
		case 5:
		case 6:
			make_table(maker, chance(maker, 0.6));
			break;
		case 7:
			make_cut(maker);
			break;
		case 8:
			if (chance(maker, 0.7))
				make_function(maker);
			else
				make_power(maker);
			break;
		case 9:
			make_many(maker);
			break;
		case 10:
			make_date_part(maker);
			break;
	}
}

MpVec
mp_random_document(MpRandom *random)
{
	Maker		maker = {random, {&mp_alloc_malloc}};
	int			n_inputs = 1 + below(&maker, 8);
	int			n_steps = below(&maker, 25);
	bool		first = true;

	add(&maker, "{\"format\":1,\"inputs\":[");
	for (int i = 0; i < n_inputs; i++)
	{
		static const char *const types[] = {"number", "category", "time"};
		int			type = i == 0 ? 0 : (below(&maker, 5) + 1) / 2 % 3;

		mp_text_format(&maker.text, "%s{\"name\":\"v%d\",\"type\":\"%s\"}", i > 0 ? "," : "", i,
					   types[type]);
		maker.kind[maker.n++] = "nct"[type];
	}
	add(&maker, "],\"steps\":[");
	for (int i = 0; i < n_steps; i++)
	{
		size_t		before = maker.text.size;

		make_step(&maker);
		add(&maker, maker.text.size > before ? "}" : "");
	}
	add(&maker, "],\"features\":[");
	for (int i = 0; i < maker.n; i++)
	{
		if (maker.kind[i] != 'n' || (i > 0 && chance(&maker, 0.2)))
			continue;
		mp_text_format(&maker.text, "%s\"v%d\"", first ? "" : ",", i);
		first = false;
	}
	add(&maker, chance(&maker, 0.3) ? "],\"sparse\":true}" : "]}");
	mp_vec_add(&maker.text, 1);
	((char *) maker.text.data)[--maker.text.size] = '\0';
	return maker.text;
}

void
mp_random_input_row(MpRandom *random, const MpTwin *twin, MpTwinValue *row)
{
	for (int i = 0; i < mp_twin_n_inputs(twin); i++)
	{
		char		type = mp_twin_input_type(twin, i);
		MpTwinValue label;

		memset(&row[i], 0, sizeof(row[i]));
		row[i].number = NAN;
		row[i].time = INT64_MIN;
		row[i].is_label = type == 'c';
		if (mp_random_chance(random, 0.1))
			continue;
		if (type == 't')
		{
			row[i].time = ((int64_t) mp_random(random) - INT64_C(2000000000)) * 1999999 + 7;
			continue;
		}
		row[i].number = ((int) mp_random_below(random, 81) - 40) / 8.0;
		if (mp_random_chance(random, 0.3))
			row[i].number = (int32_t) mp_random(random) / 3e7;
		if (mp_twin_label(twin, (int) mp_random_below(random, 60), &label) &&
			(type == 'c' || !label.is_text))
		{
			row[i].is_text = label.is_text;
			row[i].text = label.text;
			row[i].number = label.number;
		}
		else if (type == 'c' && mp_random_chance(random, 0.7))
		{
			row[i].is_text = true;
			row[i].text = (MpString) {&"abcdefghi"[mp_random_below(random, 9)], 1};
		}
	}
}

void
mp_random_slots(const MpSteps *steps, const MpTwinValue *row, MpSlot *slots)
{
	const MpStepsInput *inputs = mp_steps_inputs(steps);

	for (uint32_t i = 0; i < steps->n_inputs; i++)
	{
		if (inputs[i].kind == MP_STEPS_NUMBER)
			slots[i].number = row[i].number;
		else if (inputs[i].kind == MP_STEPS_TIME)
			slots[i].time = slots[inputs[i].utc].time = row[i].time;
		else if (row[i].is_text)
			slots[i].label = mp_steps_text_code(steps, i, row[i].text);
		else
			slots[i].label = mp_steps_number_code(steps, i, row[i].number);
	}
}
