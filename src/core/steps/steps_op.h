/*
 * steps_op.h: the steps of a program.
 */
#ifndef MP_CORE_STEPS_OP_H
#define MP_CORE_STEPS_OP_H

#include "core/base/base.h"

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

/* "one_hot" */
extern const char *mp_step_name(MpStepOp op);

#endif
