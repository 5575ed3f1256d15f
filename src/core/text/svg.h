/*
 * svg.h: pictures that explain: a waterfall of one row's contributions, and
 * bars of a model's importances.
 *
 * Each is one <svg> element, ready to stand alone as a file or inside a page:
 * no script, nothing loaded, colours for light and dark. All text that comes in
 * is escaped; names too long for their column are cut with an ellipsis and
 * complete in a tooltip. The strongest MP_SVG_BARS are drawn, the others
 * counted together.
 */
#ifndef MP_CORE_SVG_H
#define MP_CORE_SVG_H

#include "core/base/base.h"

#define MP_SVG_BARS 12

typedef struct MpSvgBar
{
	MpString	label;
	MpString	value;			/* a feature's value for the row; empty: none */
	double		amount;			/* contribution or importance */
} MpSvgBar;

typedef struct MpSvgChart
{
	MpString	title;
	MpString	caption;		/* a line below the title: the unit, the model; or empty */
	const MpSvgBar *bars;		/* in any order */
	size_t		n_bars;
} MpSvgChart;

/*
 * From `base`, through the contributions, strongest first, to `total`. False
 * when there is no memory, as below.
 */
extern bool mp_svg_waterfall(const MpSvgChart *chart, double base, double total, MpVec *out);

/*
 * Bars of importances, all 0 or more. `adds_up`: their sum means something, so
 * the others get a bar of their own, else just a line of text.
 */
extern bool mp_svg_bars(const MpSvgChart *chart, bool adds_up, MpVec *out);

#endif
