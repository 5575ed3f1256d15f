/*
 * explain.h: why a row has its score, for the files that tell it. Include
 * after postgres.h.
 */
#ifndef MP_EXPLAIN_H
#define MP_EXPLAIN_H

#include "score/callsite.h"

/*
 * One output of a row taken apart: bias + contributions = margin. Lives in the
 * memory of the call, and only as long as the row does, of which values are
 * read.
 */
typedef struct MpExplanation
{
	MpSource   *source;			/* which has read it */
	MpRow	   *row;			/* scored */
	int			output;			/* the margin that is explained */
	int			class;			/* the class that this speaks for; -1: the model has none */
	bool		negated;		/* it speaks against the margin: the first of two classes */
	double		margin;			/* as all below, of what is explained */
	double		bias;
	/* what has reasons: features, or with preprocessing the sets of inputs that features derive from */
	int			n;
	double	   *contribs;		/* [n] */
	int		   *order;			/* strongest first; equally strong ones by position */
} MpExplanation;

/*
 * Explains the row that starts at argument `first`: for the class (or, where
 * there are several outputs but no classes, the number of the output) that
 * `class` names, or with NULL for the second of two classes, for the predicted
 * one of several, for the value. False: the answer is NULL.
 */
extern bool mp_explain_row(FunctionCallInfo fcinfo, int first, text *class, MpExplanation *e);

/* The same for a scored row; the caller has set `row` and `source`. */
extern void mp_explain_scored(text *class, MpExplanation *e);

/* The name of number `reason` of them; f0, f1, ... without. */
extern char *mp_explain_feature(const MpExplanation *e, int reason);

/*
 * Its value as the row gave it; "missing", or "-999 (as missing)" where it only
 * counts as that. Of an input "NULL".
 */
extern char *mp_explain_value(const MpExplanation *e, int reason);

/* Those whose contribution is not 0, at most `top`: they lead `order`. */
extern int	mp_explain_count(const MpExplanation *e, int top);

/*
 * What the objective makes of the row's margins and of the biases alone, for
 * what is explained: a probability where the model gives any, else a value.
 */
typedef struct MpOutcome
{
	bool		is_probability;
	double		row;
	double		base;
} MpOutcome;

/* False: neither is defined, as for binary:hinge. */
extern bool mp_explain_outcome(const MpExplanation *e, MpOutcome *outcome);

#endif
