/*
 * steps.h: preprocessing: from a row's inputs to the features of its model,
 * and from the model's prediction to the one that users see.
 *
 * A document says it (docs/models.md describes its fields); mp_steps_read checks
 * it in full and compiles it into a program: one flat block without pointers,
 * which can be stored, copied and mapped, and which mp_steps_check passes
 * before anything runs it.
 *
 * A program works on slots of 8 bytes. The first n_inputs hold the row's
 * inputs; each output of a step has one of its own, and a step reads only slots
 * before its own. A slot holds a number, a label or a time:
 *
 *   number  a double; NaN is missing
 *   label   a code of its input's labels: 0 is missing, 1 to n are the labels
 *           that the document names, n + 1 is every other text or number
 *   time    microseconds since 2000-01-01 on the clock of the step's time zone;
 *           INT64_MIN is missing. Behind the outputs of all steps each time
 *           input has a second slot, with the same moment in UTC.
 *
 * Whoever fills the slots finds a label's code by one look-up, and all steps
 * after that are look-ups by code. Running a program allocates nothing.
 *
 * Arithmetic is IEEE double, one rounding per operation, never fused: what
 * NumPy does with a float64 array. A step in single precision rounds what it
 * reads and each result to float32, computing in double between the two: that
 * gives the bits of a float32 array, since a double has more than twice the
 * digits of a float.
 */
#ifndef MP_CORE_STEPS_H
#define MP_CORE_STEPS_H

#include "core/steps/steps_op.h"

#define MP_STEPS_MAGIC 0x3153504du		/* "MPS1" */
#define MP_STEPS_FORMAT 1				/* raised at every change of the layout */
#define MP_STEPS_BYTE_ORDER 0x01020304u

#define MP_STEPS_MAX_DOCUMENT (32 * 1024 * 1024)

/* Numbers, labels and names in a document of that size: what is made of one takes up to 60 bytes. */
#define MP_STEPS_MAX_VALUES(size) (200000 + (size) / 20)
#define MP_STEPS_NO_TIME INT64_MIN
#define MP_LABEL_MISSING 0u

typedef enum MpStepsKind
{
	MP_STEPS_NUMBER,
	MP_STEPS_LABEL,
	MP_STEPS_TIME
} MpStepsKind;

typedef union MpSlot
{
	double		number;
	int64_t		time;
	uint32_t	label;
} MpSlot;

typedef struct MpStepsInput
{
	uint32_t	name;			/* in STRINGS */
	uint32_t	name_length;
	uint32_t	kind;			/* MpStepsKind */
	uint32_t	first_label;	/* in LABELS: code 1 */
	uint32_t	n_labels;
	uint32_t	table;			/* in WORDS: codes by hash, 0: empty */
	uint32_t	table_size;		/* a power of two, 0: no labels */
	uint32_t	n_texts;		/* of the labels; the others are numbers */
	uint32_t	zone;			/* in STRINGS: the time zone that its parts are told in */
	uint32_t	zone_length;
	uint32_t	utc;			/* slot of the moment in UTC */
	uint32_t	seed;			/* of the table */
} MpStepsInput;

/* A text in STRINGS, or, with this length, a number in NUMBERS. */
#define MP_LABEL_IS_NUMBER 0xffffffffu

typedef struct MpStepsLabel
{
	uint32_t	at;
	uint32_t	length;
} MpStepsLabel;

/* What a slot holds: its kind in the upper two bits; of a label, the input that it comes from. */
#define MP_SLOT_KIND(word) ((word) >> 30)
#define MP_SLOT_INPUT(word) ((word) & 0x3fffffffu)

typedef struct MpStepsFeature
{
	uint32_t	slot;
	uint32_t	group;
	uint32_t	name;			/* in STRINGS */
	uint32_t	name_length;
} MpStepsFeature;

/* The exact set of inputs that some features derive from; ascending, in WORDS. */
typedef struct MpStepsGroup
{
	uint32_t	first;
	uint32_t	n;
} MpStepsGroup;

typedef enum MpStepsSectionId
{
	MP_STEPS_NUMBERS,			/* double[] */
	MP_STEPS_STEPS,				/* MpStep[]: those of the row, then n_output_steps of the prediction */
	MP_STEPS_INPUTS,			/* MpStepsInput[] */
	MP_STEPS_LABELS,			/* MpStepsLabel[] */
	MP_STEPS_FEATURES,			/* MpStepsFeature[] */
	MP_STEPS_GROUPS,			/* MpStepsGroup[], ordered by their inputs */
	MP_STEPS_SLOTS,				/* uint32_t[n_slots]: what each holds */
	MP_STEPS_WORDS,				/* uint32_t[] */
	MP_STEPS_STRINGS,			/* char[] */
	MP_STEPS_SECTION_COUNT
} MpStepsSectionId;

typedef struct MpStepsSection
{
	uint64_t	offset;			/* from the start of the program, a multiple of 8 */
	uint64_t	size;			/* bytes */
} MpStepsSection;

/* What the steps on the prediction make of it. */
typedef enum MpStepsOutput
{
	MP_OUTPUT_NONE,
	MP_OUTPUT_VALUES,			/* another value for each */
	MP_OUTPUT_CALIBRATED		/* other probabilities */
} MpStepsOutput;

/* the program's first bytes */
typedef struct MpSteps
{
	uint32_t	magic;
	uint32_t	format;
	uint32_t	byte_order;
	uint32_t	checksum;		/* CRC-32C of the whole with this 0 */
	uint64_t	size;
	uint32_t	n_inputs;
	uint32_t	n_features;
	uint32_t	n_slots;
	uint32_t	n_steps;		/* of the row */
	uint32_t	n_output_steps;
	uint32_t	n_groups;
	uint32_t	sparse;			/* 1: a feature that is 0 is missing */
	uint32_t	output;			/* MpStepsOutput */
	uint32_t	output_width;	/* predictions that the steps on them are for; 0: any number */
	uint32_t	unused;
	MpStepsSection sections[MP_STEPS_SECTION_COUNT];
} MpSteps;

#define MP_STEPS_SECTION(steps, id, type) \
	((const type *) ((const char *) (steps) + (steps)->sections[id].offset))
#define MP_STEPS_LENGTH(steps, id, type) \
	((steps)->sections[id].size / sizeof(type))

static inline const MpStepsInput *
mp_steps_inputs(const MpSteps *s)
{
	return MP_STEPS_SECTION(s, MP_STEPS_INPUTS, MpStepsInput);
}

static inline const MpStepsFeature *
mp_steps_features(const MpSteps *s)
{
	return MP_STEPS_SECTION(s, MP_STEPS_FEATURES, MpStepsFeature);
}

static inline const MpStepsGroup *
mp_steps_groups(const MpSteps *s)
{
	return MP_STEPS_SECTION(s, MP_STEPS_GROUPS, MpStepsGroup);
}

static inline const uint32_t *
mp_steps_words(const MpSteps *s)
{
	return MP_STEPS_SECTION(s, MP_STEPS_WORDS, uint32_t);
}

static inline MpString
mp_steps_string(const MpSteps *s, uint32_t at, uint32_t length)
{
	MpString	text = {MP_STEPS_SECTION(s, MP_STEPS_STRINGS, char) + at, length};

	return text;
}

#endif
