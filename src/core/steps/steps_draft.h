/*
 * steps_draft.h: a preprocessing document while it is read. Only for the files
 * of this folder.
 *
 * The scalars of the step at hand are its atoms, of 8 bytes each, at the end of
 * `numbers`: a number is itself, null is a NaN, and a string is a NaN whose bits
 * say where it stands in the document, or, if it was written with escapes, in
 * `decoded`. When the step is built, what it keeps of them moves to where the
 * atoms began. So a list of numbers is never there twice, which bounds the
 * memory that a document of two-byte numbers can take.
 */
#ifndef MP_CORE_STEPS_DRAFT_H
#define MP_CORE_STEPS_DRAFT_H

#include "core/steps/steps.h"
#include "core/text/doc.h"

typedef enum FieldId
{
	FIELD_OP,
	FIELD_IN,
	FIELD_OUT,
	FIELD_PRECISION,
	FIELD_VALUES,
	FIELD_MISSING_VALUE,
	FIELD_SUBTRACT,
	FIELD_DIVIDE,
	FIELD_MULTIPLY,
	FIELD_ADD,
	FIELD_CLIP,
	FIELD_LABELS,
	FIELD_ZERO,
	FIELD_UNKNOWN,
	FIELD_MISSING,
	FIELD_EDGES,
	FIELD_CLOSED,
	FIELD_THRESHOLD,
	FIELD_FUNCTION,
	FIELD_METHOD,
	FIELD_LAMBDAS,
	FIELD_FACTORS,
	FIELD_MATRIX,
	FIELD_OFFSET,
	FIELD_PART,
	FIELD_TIME_ZONE,
	FIELD_A,
	FIELD_B,
	FIELD_X,
	FIELD_Y,
	FIELD_COUNT
} FieldId;

typedef enum FieldShape
{
	SHAPE_ABSENT,
	SHAPE_SCALAR,
	SHAPE_LIST,
	SHAPE_LISTS					/* a list of lists */
} FieldShape;

/* Where in the atoms a field of the step at hand is. */
typedef struct Field
{
	FieldShape	shape;
	size_t		first;			/* in numbers */
	uint32_t	n;				/* atoms */
	size_t		first_list;		/* in lists: how many atoms each has */
	uint32_t	n_lists;
} Field;

/* A label of an input. */
typedef struct DraftLabel
{
	uint64_t	atom;
	uint32_t	input;
	uint32_t	code;
} DraftLabel;

/* What a step on labels makes of one of them. */
typedef struct LabelResult
{
	uint32_t	code;
	uint32_t	result;
} LabelResult;

/* Such a step, whose table is made when all labels of its input are known. */
typedef struct LabelTable
{
	uint32_t	step;
	uint32_t	input;
	size_t		first;			/* in results */
	uint32_t	n;
	uint32_t	missing;		/* result of code 0, where none of the results is of it */
	uint32_t	unknown;
} LabelTable;

/* A set of inputs that slots derive from. */
typedef struct InputSet
{
	uint32_t	first;			/* in set_words; ascending */
	uint32_t	n;
} InputSet;

/* Open addressing over things of `n` numbers; a place holds the number + 1. */
typedef struct DraftTable
{
	MpVec		places;			/* uint32_t[] */
	uint32_t	n;
	uint32_t	seed;
} DraftTable;

typedef struct Draft
{
	MpAlloc    *alloc;
	MpError    *error;
	MpString	document;
	/* becomes the program */
	MpVec		numbers;		/* double[], and atoms */
	MpVec		steps;			/* MpStep[] */
	MpVec		inputs;			/* MpStepsInput[] */
	MpVec		features;		/* MpStepsFeature[] */
	MpVec		groups;			/* MpStepsGroup[] */
	MpVec		slots;			/* uint32_t[] */
	MpVec		words;
	MpVec		strings;
	MpSteps		header;
	/* by slot */
	MpVec		names;			/* uint64_t[]: atoms */
	MpVec		sets;			/* uint32_t[]: in input_sets */
	MpVec		input_sets;		/* InputSet[] */
	MpVec		set_words;
	DraftTable	name_table;
	MpVec		zones;			/* uint64_t[] by input: atoms, 0: none */
	bool	   *marks;			/* room for one per input, all false */
	uint64_t	work;			/* of making sets; then, of tables */
	/* labels */
	MpVec		labels;			/* DraftLabel[] */
	DraftTable	label_table;
	MpVec		results;		/* LabelResult[] */
	MpVec		label_tables;	/* LabelTable[] */
	/* the step at hand */
	MpVec		lists;			/* uint32_t[] */
	MpVec		decoded;
	size_t		atoms;			/* where they begin in numbers */
	size_t		kept;			/* where that begins which the step keeps of them */
	Field		fields[FIELD_COUNT];
	MpStep		step;
} Draft;

#define NO_ATOM UINT64_C(0)		/* the number 0: no string and not null */

static inline uint64_t
mp_draft_atom(const Draft *draft, const Field *field, uint32_t i)
{
	return ((const uint64_t *) draft->numbers.data)[field->first + i];
}

#endif
