/*
 * svg_plot.h: curves and columns over two axes: ROC, gains, calibration, histograms, drift.
 */
#ifndef MP_CORE_SVG_PLOT_H
#define MP_CORE_SVG_PLOT_H

#include "core/text/svg.h"

#define MP_SVG_SERIES 4

typedef enum MpSvgKind
{
	MP_SVG_LINE_KIND,			/* through the points */
	MP_SVG_POINTS,				/* through the points, each of them marked */
	MP_SVG_COLUMNS				/* y[i] from x[i] to x[i + 1]: n columns, n + 1 edges */
} MpSvgKind;

typedef struct MpSvgSeries
{
	MpString	name;			/* for the legend; empty: none */
	MpSvgKind	kind;
	const double *x;
	const double *y;
	size_t		n;
} MpSvgSeries;

typedef struct MpSvgAxis
{
	MpString	name;
	double		low;
	double		high;
	bool		percent;		/* 0.5 as 50% */
} MpSvgAxis;

typedef struct MpSvgPlot
{
	MpSvgStyle	style;
	MpString	title;
	MpString	caption;
	MpSvgAxis	x;
	MpSvgAxis	y;
	bool		diagonal;		/* a dashed line from low, low to high, high: chance, or a perfect match */
	const MpSvgSeries *series;	/* at most MP_SVG_SERIES */
	int			n_series;
} MpSvgPlot;

/* False when there is no memory. Points that are not finite are left out, others cut to the axes. */
extern bool mp_svg_plot(const MpSvgPlot *plot, MpVec *out);

#endif
