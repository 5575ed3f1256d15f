/*
 * options.c: the options of register(): what their words mean, and how they
 * reach the core's loader. Used when a version is registered and, from the
 * stored row, whenever it is loaded.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "glue/error.h"
#include "store/options.h"

typedef struct Word
{
	const char *word;
	int			value;
} Word;

static const Word absent_words[] = {{"error", MP_ABSENT_ERROR}, {"missing", MP_ABSENT_MISSING}, {NULL}};
static const Word unseen_words[] = {{"error", MP_UNSEEN_ERROR}, {"missing", MP_UNSEEN_MISSING},
	{"null", MP_UNSEEN_NULL}, {NULL}};
static const Word infinity_words[] = {{"error", MP_INFINITY_ERROR}, {"score", MP_INFINITY_SCORE},
	{"missing", MP_INFINITY_MISSING}, {NULL}};
static const Word trees_words[] = {{"auto", MP_TREES_AUTO}, {"all", MP_TREES_ALL}, {"best", MP_TREES_BEST},
	{NULL}};

static const Word link_words[] = {{"identity", MP_LINK_GIVEN_IDENTITY}, {"logistic", MP_LINK_GIVEN_LOGISTIC},
	{"softmax", MP_LINK_GIVEN_SOFTMAX}, {"exp", MP_LINK_GIVEN_EXP}, {NULL}};

static int
word_value(const Word *words, const char *option, const char *given)
{
	StringInfoData list;

	for (const Word *w = words; w->word; w++)
		if (strcmp(w->word, given) == 0)
			return w->value;
	initStringInfo(&list);
	for (const Word *w = words; w->word; w++)
		appendStringInfo(&list, "%s'%s'", w == words ? "" : w[1].word ? ", " : " or ", w->word);
	ereport(ERROR,
			errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			errmsg("invalid value for option \"%s\": \"%s\"", option, mp_shown(given)),
			errhint("Use %s.", list.data));
}

MpTreesOption
mp_option_trees(const char *given)
{
	return word_value(trees_words, "trees", given);
}

MpLinkOption
mp_option_link(const char *given)
{
	return word_value(link_words, "link", given);
}

MpOnAbsent
mp_option_absent(const char *given)
{
	return word_value(absent_words, "absent_feature", given);
}

MpOnUnseen
mp_option_unseen(const char *given)
{
	return word_value(unseen_words, "unseen_category", given);
}

MpOnInfinity
mp_option_infinity(const char *given)
{
	return word_value(infinity_words, "infinity", given);
}

const char *
mp_option_infinity_word(MpOnInfinity option)
{
	const Word *word = infinity_words;

	while (word->value != option)
		word++;
	return word->word;
}

/* The elements of a one-dimensional text[] without nulls. */
MpString *
mp_option_strings(const char *option, ArrayType *array, size_t *n)
{
	Datum	   *values;
	bool	   *nulls;
	int			count;
	MpString   *strings;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				errmsg("option \"%s\" must be an array of one dimension, not %d", option, ARR_NDIM(array)));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &count);
	if (count == 0)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("option \"%s\" must not be empty", option),
				errhint("Leave it out for its default."));
	strings = palloc(sizeof(MpString) * Max(count, 1));
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					errmsg("option \"%s\" must not contain nulls", option),
					errdetail("Element %d is null.", i + 1));
		strings[i].data = VARDATA_ANY(DatumGetPointer(values[i]));
		strings[i].length = VARSIZE_ANY_EXHDR(DatumGetPointer(values[i]));
	}
	*n = count;
	return strings;
}

static double
numeric_double(Numeric number)
{
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(number)));
}

/* {"feature": [label, ...], ...}, labels as text, as numbers or as booleans */
MpGivenCategories *
mp_option_categories(Jsonb *jsonb, size_t *n)
{
	JsonbIterator *it;
	JsonbValue	v;
	JsonbIteratorToken token;
	MpGivenCategories *given;
	MpGivenCategories *current = NULL;
	MpString   *labels = NULL;
	double	   *numbers = NULL;
	size_t		room = 0;

	if (!JB_ROOT_IS_OBJECT(jsonb))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("option \"categories\" must be a JSON object of arrays"),
				errhint("Write the labels in the order of their codes, such as '{\"color\": [\"blue\", \"red\"]}'."));
	given = palloc0(sizeof(MpGivenCategories) * Max(JB_ROOT_COUNT(jsonb), 1));
	*n = 0;
	it = JsonbIteratorInit(&jsonb->root);
	while ((token = JsonbIteratorNext(&it, &v, false)) != WJB_DONE)
	{
		switch (token)
		{
			case WJB_KEY:
				current = &given[(*n)++];
				current->feature.data = v.val.string.val;
				current->feature.length = v.val.string.len;
				room = 0;
				break;
			case WJB_BEGIN_ARRAY:
				if (current == NULL || room != 0)
					goto bad;
				room = Max(v.val.array.nElems, 1);
				labels = palloc(sizeof(MpString) * room);
				numbers = palloc(sizeof(double) * room);
				current->labels = labels;
				current->numbers = numbers;
				break;
			case WJB_ELEM:
				if (v.type == jbvString)
				{
					labels[current->n_labels].data = v.val.string.val;
					labels[current->n_labels].length = v.val.string.len;
					current->numbers = NULL;
				}
				else if (v.type == jbvNumeric)
				{
					char	   *text = numeric_normalize(v.val.numeric);

					numbers[current->n_labels] = numeric_double(v.val.numeric);
					labels[current->n_labels].data = text;
					labels[current->n_labels].length = strlen(text);
				}
				else if (v.type == jbvBool)
				{
					labels[current->n_labels] = v.val.boolean ? (MpString) {"true", 4} : (MpString) {"false", 5};
					current->numbers = NULL;
				}
				else
					goto bad;
				current->n_labels++;
				break;
			case WJB_VALUE:
				goto bad;
			case WJB_END_ARRAY:
			case WJB_BEGIN_OBJECT:
			case WJB_END_OBJECT:
			case WJB_DONE:
				if (token == WJB_BEGIN_OBJECT && current != NULL)
					goto bad;
				break;
		}
	}
	return given;

bad:
	ereport(ERROR,
			errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			errmsg("option \"categories\" must hold an array of text, numbers or booleans for each feature"),
			current ? errdetail("The value for feature \"%s\" is none.",
								mp_shown(pnstrdup(current->feature.data, current->feature.length))) : 0);
}

void
mp_option_classes(ArrayType *array, MpRowOptions *options)
{
	size_t		n;
	MpString   *strings = mp_option_strings("classes", array, &n);

	options->n_classes = n;
	options->classes = palloc(sizeof(char *) * Max(n, 1));
	for (size_t i = 0; i < n; i++)
		options->classes[i] = pnstrdup(strings[i].data, strings[i].length);
}
