/*
 * svg.h: what all pictures share: frame, colors, texts that fit, numbers, axes.
 *
 * A picture is one <svg> element, ready to stand alone as a file or inside a page: no
 * script, nothing loaded. It is laid out for a width in pixels, so the same numbers give
 * another picture for a phone. Text that comes in is escaped, isolated where it may run
 * from right to left, and cut in the middle where it does not fit, with the whole of it
 * as a tooltip.
 *
 * Functions append to `out`. After a failure (no memory) they do nothing, and
 * mp_svg_end returns false.
 */
#ifndef MP_CORE_SVG_H
#define MP_CORE_SVG_H

#include "core/base/base.h"

typedef enum MpSvgTheme
{
	MP_SVG_AUTO,				/* light or dark, as the reader's system is */
	MP_SVG_LIGHT,
	MP_SVG_DARK
} MpSvgTheme;

#define MP_SVG_WIDTH 760
#define MP_SVG_MIN_WIDTH 280
#define MP_SVG_MAX_WIDTH 4000
#define MP_SVG_TOP 12			/* bars that are drawn, the others count together */
#define MP_SVG_MAX_TOP 100

typedef struct MpSvgStyle
{
	int			width;			/* 0: MP_SVG_WIDTH */
	int			top;			/* 0: MP_SVG_TOP */
	MpSvgTheme	theme;
} MpSvgStyle;

typedef struct MpSvg
{
	MpVec	   *out;
	double		width;
	double		y;				/* where the body begins */
	bool		narrow;			/* too narrow for labels beside bars */
	bool		failed;
} MpSvg;

typedef enum MpSvgAnchor
{
	MP_SVG_START,
	MP_SVG_MIDDLE,
	MP_SVG_END
} MpSvgAnchor;

#define MP_SVG_MARGIN 16.0
#define MP_SVG_LINE 18.0		/* from one line of text to the next */
#define MP_SVG_NARROW 520

/*
 * Classes for texts: "" (plain), "mp-soft", "mp-strong". For shapes: "mp-up", "mp-down"
 * (adds, takes away), "mp-bar", "mp-others", "mp-rule" (thin), "mp-grid" (thinner), "mp-dash",
 * "mp-mark" (thick), "mp-dot", "mp-line1" to "mp-line4" (curves), "mp-band" (uncertainty).
 */

/* Title and caption, which may be empty, in as many lines as they need, then `height` of body. */
extern void mp_svg_begin(MpSvg *svg, const MpSvgStyle *style, MpString title, MpString caption,
						 double height, MpVec *out);
extern bool mp_svg_end(MpSvg *svg);

/* The text's width at 13 pixels: a guess, more often too wide. */
extern double mp_svg_text_width(MpString text);

/* One line of text whose baseline is at y. */
extern void mp_svg_text(MpSvg *svg, const char *class, MpSvgAnchor anchor, double x, double y,
						MpString text, double room);

/* "label = value" in one line; a value of length 0: the label alone. */
extern void mp_svg_pair(MpSvg *svg, MpSvgAnchor anchor, double x, double y, MpString label,
						MpString value, double room);

extern void mp_svg_rect(MpSvg *svg, const char *class, double x, double y, double width,
						double height);
extern void mp_svg_line(MpSvg *svg, const char *class, double x1, double y1, double x2, double y2);

/* A curve through n points, or a closed area. */
extern void mp_svg_curve(MpSvg *svg, const char *class, bool closed, const double *x,
						 const double *y, size_t n);

#define MP_SVG_NUMBER 24

/* Decimals that show two or three digits of the largest of some numbers. */
extern int	mp_svg_decimals(double largest);

/*
 * A number as all pictures write it: with so many decimals, in thousands (1,234,567), and as
 * 1.2e9 or 3.4e-7 where that would be too long or show nothing. Returns buffer.
 */
extern char *mp_svg_number(char *buffer, double x, int decimals, bool sign);

/* The shortest number that gives the same float32, in the same style. */
extern char *mp_svg_shortest(char *buffer, double x);

typedef struct MpSvgTick
{
	double		at;
	char		label[MP_SVG_NUMBER];
} MpSvgTick;

#define MP_SVG_TICKS 12

/* Round numbers from low to high, about `wanted` of them; returns how many. */
extern int	mp_svg_ticks(double low, double high, int wanted, MpSvgTick *ticks);

#endif
