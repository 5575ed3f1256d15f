/*
 * features.h: preprocessing of a row: from SQL values to the slots of its
 * inputs, and from there to features. Include after postgres.h.
 */
#ifndef MP_FEATURES_H
#define MP_FEATURES_H

#include "core/steps/steps_run.h"
#include "row/value.h"

/* A value that is not null; the input's slot of row->slots. */
extern bool mp_slot_special(const MpRow *row, int input, MpValueType type, Datum value);
extern bool mp_slot_infinite(const MpRow *row, int input, double *x);
extern void mp_slot_missing(const MpRow *row, int input);
extern bool mp_slot_is_missing(const MpRow *row, int input);

/* What is wrong with the row; `value`: as text, of the input that mp_features_culprit names, NULL: null */
extern bool mp_features_fault(const MpRow *row, const MpStepsFault *fault, int culprit, const char *value);

/* The only input that the value at fault derives from; -1: there are several. */
extern int	mp_features_culprit(const MpModel *model, const MpStepsFault *fault);

/* From the slots to row->x. False: the row's answer is NULL. */
extern bool mp_features_finish(const MpRow *row);

/* What the library does to a row of doubles before its trees see it. False: the row is at fault. */
extern bool mp_features_prepare(const MpRow *row);

/* Reads a value into its slot. False: the row's answer is NULL. */
static inline bool
mp_slot_read(const MpRow *row, int input, MpValueType type, Datum value)
{
	double	   *x = &row->slots[input].number;
	uint32		kind = row->model->inputs[input].labels->kind;

	if (kind == MP_STEPS_LABEL && type.kind == MP_VALUE_TEXT)
	{
		text	   *label = DatumGetTextPP(value);

		row->slots[input].label = mp_steps_text_code(row->model->steps, input,
													 (MpString) {VARDATA_ANY(label), VARSIZE_ANY_EXHDR(label)});
		return true;
	}
	if (kind != MP_STEPS_NUMBER)
		return mp_slot_special(row, input, type, value);
	switch (type.kind)
	{
		case MP_VALUE_FLOAT4:
			*x = DatumGetFloat4(value);
			break;
		case MP_VALUE_FLOAT8:
			*x = DatumGetFloat8(value);
			break;
		case MP_VALUE_INT2:
			*x = DatumGetInt16(value);
			break;
		case MP_VALUE_INT4:
			*x = DatumGetInt32(value);
			break;
		case MP_VALUE_INT8:
			*x = (double) DatumGetInt64(value);
			break;
		case MP_VALUE_BOOL:
			*x = DatumGetBool(value);
			break;
		default:
			return mp_slot_special(row, input, type, value);
	}
	if (unlikely(isinf(*x)))
		return mp_slot_infinite(row, input, x);
	return true;
}

#endif
