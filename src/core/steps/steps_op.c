/*
 * steps_op.c: what documents call the steps.
 */
#include "core/steps/steps_op.h"

const char *
mp_step_name(MpStepOp op)
{
	static const char *const names[MP_STEP_OP_COUNT] = {
		"impute", "is_missing", "scale", "one_hot", "map", "bin", "threshold", "function", "power",
		"product", "linear", "date_part", "sigmoid", "isotonic"
	};

	return op < MP_STEP_OP_COUNT ? names[op] : "unknown";
}
