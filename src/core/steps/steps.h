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

#include "core/base/base.h"

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

/* order is part of the program: append only */
typedef enum MpStepOp
{
	MP_STEP_IMPUTE,
	MP_STEP_IS_MISSING,
	MP_STEP_SCALE,
	MP_STEP_ONE_HOT,
	MP_STEP_MAP,
	MP_STEP_BIN,
	MP_STEP_THRESHOLD,
	MP_STEP_FUNCTION,
	MP_STEP_POWER,
	MP_STEP_PRODUCT,
	MP_STEP_LINEAR,
	MP_STEP_DATE_PART,
	MP_STEP_SIGMOID,			/* on the prediction only */
	MP_STEP_ISOTONIC,
	MP_STEP_OP_COUNT
} MpStepOp;

typedef enum MpStepFunction
{
	MP_FUNCTION_ABS,
	MP_FUNCTION_SIGN,
	MP_FUNCTION_SQRT,
	MP_FUNCTION_SQUARE,
	MP_FUNCTION_RECIPROCAL,
	MP_FUNCTION_FLOOR,
	MP_FUNCTION_CEIL,
	MP_FUNCTION_ROUND,
	MP_FUNCTION_LAST_EXACT = MP_FUNCTION_ROUND,	/* IEEE rounds these, so they may be in single */
	MP_FUNCTION_CBRT,
	MP_FUNCTION_LOG,
	MP_FUNCTION_LOG2,
	MP_FUNCTION_LOG10,
	MP_FUNCTION_LOG1P,
	MP_FUNCTION_EXP,
	MP_FUNCTION_EXPM1,
	MP_FUNCTION_COUNT
} MpStepFunction;

typedef enum MpDatePart
{
	MP_PART_YEAR,
	MP_PART_QUARTER,
	MP_PART_MONTH,
	MP_PART_DAY,
	MP_PART_HOUR,
	MP_PART_MINUTE,
	MP_PART_SECOND,
	MP_PART_DAYOFWEEK,			/* Monday is 0 */
	MP_PART_DAYOFYEAR,
	MP_PART_EPOCH,
	MP_PART_COUNT
} MpDatePart;

/* flags of a step */
#define MP_STEP_SINGLE			0x0001u
#define MP_STEP_LABELS			0x0002u	/* reads labels, not numbers */
#define MP_STEP_TIMES			0x0004u	/* is_missing of times */
#define MP_STEP_HAS_SENTINEL	0x0008u	/* a value that is missing, too */
#define MP_STEP_REFUSE_MISSING	0x0010u	/* a missing number is a fault */
#define MP_STEP_SUBTRACT		0x0020u
#define MP_STEP_DIVIDE			0x0040u
#define MP_STEP_MULTIPLY		0x0080u
#define MP_STEP_ADD				0x0100u
#define MP_STEP_CLIP			0x0200u
#define MP_STEP_CLOSED_RIGHT	0x0400u
#define MP_STEP_BOX_COX			0x0800u
#define MP_STEP_FLAGS			0x0fffu

/*
 * One step. `in` is where in WORDS its n_in slots stand; its outputs are the
 * n_out slots from `out` on. What `numbers` and `words` point to depends on the
 * op: see the table in steps_check.c, which holds a stored program to it.
 */
typedef struct MpStep
{
	uint32_t	op;				/* MpStepOp */
	uint32_t	flags;
	uint32_t	n_in;
	uint32_t	in;
	uint32_t	n_out;
	uint32_t	out;
	uint32_t	numbers;		/* in NUMBERS */
	uint32_t	words;			/* in WORDS */
	uint32_t	n;				/* keys of one_hot and map on numbers; function; date part */
	uint32_t	table;			/* places of their hash table, a power of two */
	uint32_t	seed;			/* of that table */
	uint32_t	n_values;		/* of map */
	double		value;			/* what takes the place of a missing number; the sentinel */
} MpStep;

/* results in the tables of one_hot */
#define MP_ONE_HOT_NONE		0xffffffffu	/* sets no output */
#define MP_STEP_REFUSE		0xfffffffeu	/* this value is a fault; of map, too */

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

/*
 * Reads, checks and compiles a document; *steps is memory of `alloc`. Takes at
 * most 4 x size + 16 MiB at once.
 */
extern bool mp_steps_read(MpAlloc *alloc, const char *document, size_t size, MpSteps **steps,
						  MpError *error);

/* Whether `size` bytes at `program` (aligned to 8) are a sound program of this format and machine. */
extern bool mp_steps_check(MpAlloc *alloc, const void *program, size_t size, MpError *error);

/* Writes the checksum; the last step of building one. */
extern void mp_steps_seal(MpSteps *steps);

/* The code of a label input's value. A number that is NaN is missing. */
extern uint32_t mp_steps_text_code(const MpSteps *steps, uint32_t input, MpString text);
extern uint32_t mp_steps_number_code(const MpSteps *steps, uint32_t input, double number);

/* What was wrong with a row's values. */
typedef enum MpStepsFaultKind
{
	MP_STEPS_FINE,
	MP_STEPS_MISSING,			/* missing where the step cannot do without */
	MP_STEPS_UNKNOWN,			/* a label or number that the step does not know */
	MP_STEPS_NOT_POSITIVE		/* of Box-Cox */
} MpStepsFaultKind;

typedef struct MpStepsFault
{
	MpStepsFaultKind kind;
	uint32_t	step;
	uint32_t	slot;			/* the value at fault; see mp_steps_sources */
} MpStepsFault;

/* Runs the steps: fills every slot behind the inputs (and the slots of UTC). False: *fault says why. */
extern bool mp_steps_run(const MpSteps *steps, MpSlot *slots, MpStepsFault *fault);

/* The features after mp_steps_run, as doubles. */
extern void mp_steps_gather(const MpSteps *steps, const MpSlot *slots, double *features);

/* The same, each rounded once to float32. */
extern void mp_steps_gather_floats(const MpSteps *steps, const MpSlot *slots, float *features);

/*
 * The steps on a prediction of `width` numbers, in place. With two classes
 * `prediction` is the second one's probability (width 1); with more, all of them.
 */
extern void mp_steps_predict(const MpSteps *steps, double *prediction, uint32_t width);

/*
 * Marks in inputs[n_inputs] those that a slot's value derives from. Walks the
 * steps backwards: for messages, not for every row. `marks` has room for n_slots.
 */
extern void mp_steps_sources(const MpSteps *steps, uint32_t slot, bool *marks, bool *inputs);

/* "one_hot" */
extern const char *mp_step_name(MpStepOp op);

#endif
