/*
 * svg_bars.h: pictures of a list of numbers with names: a row's reasons as a waterfall,
 * a model's importances as bars. The strongest are drawn, the others counted together.
 */
#ifndef MP_CORE_SVG_BARS_H
#define MP_CORE_SVG_BARS_H

#include "core/text/svg.h"

typedef struct MpSvgBar
{
	MpString	label;
	MpString	value;			/* a feature's value for the row; empty: none */
	double		amount;			/* contribution or importance */
} MpSvgBar;

typedef struct MpSvgBars
{
	MpSvgStyle	style;
	MpString	title;
	MpString	caption;		/* the unit; or empty */
	const MpSvgBar *bars;		/* in any order */
	size_t		n_bars;
} MpSvgBars;

/* A second scale below the first: what some places on the first one are there. */
typedef struct MpSvgScale
{
	MpString	name;
	const MpSvgTick *ticks;		/* `at` on the first scale, ascending */
	int			n_ticks;
} MpSvgScale;

/*
 * From `base`, through the contributions, strongest first, to `total`, on the scale `unit`.
 * `second` may be NULL. False when there is no memory, as below.
 */
extern bool mp_svg_waterfall(const MpSvgBars *chart, double base, double total, MpString unit,
							 const MpSvgScale *second, MpVec *out);

/*
 * Bars of importances, all 0 or more. `adds_up`: their sum means something, so the others
 * get a bar of their own, else just a line of text.
 */
extern bool mp_svg_bars(const MpSvgBars *chart, bool adds_up, MpVec *out);

#endif
