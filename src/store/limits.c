/*
 * limits.c: how large the words that people give may be, counted as pg_dump
 * will write them: a number of few bytes in jsonb can have 130,000 digits.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "store/limits.h"

/* JSON writes a control character as \u0001, and COPY doubles the backslash. */
#define JSON_GROWTH 7
/* An array writes \" for a quote, and COPY doubles the backslash. */
#define ARRAY_GROWTH 4
#define COPY_GROWTH 2

static uint64
scalar_size(const JsonbValue *v)
{
	char	   *digits;
	uint64		size;

	switch (v->type)
	{
		case jbvString:
			size = 2;
			for (int i = 0; i < v->val.string.len; i++)
			{
				unsigned char c = v->val.string.val[i];

				size += c < ' ' ? JSON_GROWTH : c == '"' || c == '\\' ? 4 : 1;
			}
			return size;
		case jbvNumeric:
			digits = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(v->val.numeric)));
			size = strlen(digits);
			pfree(digits);
			return size;
		default:
			return strlen("false");
	}
}

static uint64
json_size(Jsonb *json, uint64 most)
{
	JsonbIterator *it = JsonbIteratorInit(&json->root);
	JsonbIteratorToken token;
	JsonbValue	v;
	uint64		size = 0;

	while (size <= most && (token = JsonbIteratorNext(&it, &v, false)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		if (token == WJB_KEY || token == WJB_ELEM || token == WJB_VALUE)
			size += scalar_size(&v);
		size += strlen(", ");
	}
	return size;
}

static uint64
array_size(ArrayType *array)
{
	return (uint64) VARSIZE_ANY_EXHDR(array) * ARRAY_GROWTH;
}

uint64
mp_dumped_size(Oid type, Datum value, uint64 most)
{
	switch (type)
	{
		case JSONBOID:
			return json_size(DatumGetJsonbP(value), most);
		case TEXTARRAYOID:
			return array_size(DatumGetArrayTypeP(value));
		case TEXTOID:
		case BYTEAOID:
			return (uint64) (toast_raw_datum_size(value) - VARHDRSZ) * COPY_GROWTH;
		default:
			return 64;			/* a number, a time */
	}
}

void
mp_limit_size(const char *what, Oid type, Datum value, uint64 most)
{
	uint64		size = mp_dumped_size(type, value, most * COPY_GROWTH);

	if (type == TEXTOID || type == BYTEAOID)
		size /= COPY_GROWTH;
	if (size > most)
		ereport(ERROR,
				errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				errmsg("%s is too long", what),
				errdetail("Its text has more than " UINT64_FORMAT " bytes.", most));
}

char *
mp_limited_words(FunctionCallInfo fcinfo, int arg, const char *what)
{
	if (PG_ARGISNULL(arg))
		return NULL;
	mp_limit_size(what, TEXTOID, PG_GETARG_DATUM(arg), MP_MAX_WORDS);
	return text_to_cstring(PG_GETARG_TEXT_PP(arg));
}
