/*
 * svg_plot.c: curves and columns over two axes.
 */
#include "core/text/svg_plot.h"

#include "core/text/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LEGEND 24.0
#define AXIS 40.0				/* ticks and the name of the x axis */

/* The plot's frame in pixels. */
typedef struct Frame
{
	double		left;
	double		right;
	double		top;
	double		bottom;
	const MpSvgPlot *plot;
} Frame;

static double
clamp(double x, double low, double high)
{
	return x < low ? low : x > high ? high : x;
}

static double
x_of(const Frame *f, double x)
{
	const MpSvgAxis *axis = &f->plot->x;

	return f->left + (clamp(x, axis->low, axis->high) - axis->low) / (axis->high - axis->low) *
		(f->right - f->left);
}

static double
y_of(const Frame *f, double y)
{
	const MpSvgAxis *axis = &f->plot->y;

	return f->bottom - (clamp(y, axis->low, axis->high) - axis->low) / (axis->high - axis->low) *
		(f->bottom - f->top);
}

static MpString
string_of(const char *text)
{
	return (MpString) {text, strlen(text)};
}

static int
ticks_of(const MpSvgAxis *axis, double pixels, double apart, MpSvgTick *ticks)
{
	double		unit = axis->percent ? 100 : 1;
	int			n = mp_svg_ticks(axis->low * unit, axis->high * unit, (int) (pixels / apart), ticks);

	for (int i = 0; i < n; i++)
	{
		ticks[i].at /= unit;
		if (axis->percent && strlen(ticks[i].label) + 2 < sizeof(ticks[i].label))
			strcat(ticks[i].label, "%");
	}
	return n;
}

static double
widest(const MpSvgTick *ticks, int n)
{
	double		width = 0;

	for (int i = 0; i < n; i++)
		width = fmax(width, mp_svg_text_width(string_of(ticks[i].label)));
	return width;
}

static void
add_axes(MpSvg *svg, const Frame *f, const MpSvgTick *xs, int n_x, const MpSvgTick *ys, int n_y)
{
	const MpSvgPlot *plot = f->plot;

	for (int i = 0; i < n_y; i++)
	{
		double		y = y_of(f, ys[i].at);

		mp_svg_line(svg, "mp-grid", f->left, y, f->right, y);
		mp_svg_text(svg, "mp-soft", MP_SVG_END, f->left - 6, y + 4.5, string_of(ys[i].label), f->left);
	}
	for (int i = 0; i < n_x; i++)
	{
		double		x = x_of(f, xs[i].at);

		mp_svg_line(svg, "mp-grid", x, f->top, x, f->bottom);
		mp_svg_text(svg, "mp-soft", MP_SVG_MIDDLE, x, f->bottom + 16, string_of(xs[i].label),
					svg->width);
	}
	mp_svg_text(svg, "", MP_SVG_MIDDLE, (f->left + f->right) / 2, f->bottom + 34, plot->x.name,
				f->right - f->left);
	mp_svg_text(svg, "", MP_SVG_START, MP_SVG_MARGIN, f->top - 8, plot->y.name, svg->width / 2);
	if (plot->diagonal)
		mp_svg_line(svg, "mp-dash", f->left, f->bottom, f->right, f->top);
}

/* A mark for each name, from the right end of the line above the plot. */
static void
add_legend(MpSvg *svg, const Frame *f)
{
	double		x = f->right;

	for (int i = f->plot->n_series - 1; i >= 0; i--)
	{
		const MpSvgSeries *series = &f->plot->series[i];
		char		class[32];

		if (series->name.length == 0)
			continue;
		x -= fmin(mp_svg_text_width(series->name), 140);
		mp_svg_text(svg, "mp-soft", MP_SVG_START, x, f->top - 8, series->name, 140);
		snprintf(class, sizeof(class), "mp-mark mp-line%d", i + 1);
		if (series->kind == MP_SVG_COLUMNS && i == 0)
			mp_svg_rect(svg, "mp-bar", x - 18, f->top - 18, 12, 12);
		else
			mp_svg_line(svg, class, x - 18, f->top - 12.5, x - 5, f->top - 12.5);
		x -= 30;
	}
}

static void
add_columns(MpSvg *svg, const Frame *f, const MpSvgSeries *series, int number)
{
	for (size_t i = 0; i < series->n && !svg->failed; i++)
	{
		double		left = x_of(f, series->x[i]);
		double		right = x_of(f, series->x[i + 1]);
		double		top = y_of(f, series->y[i]);
		double		inset = right - left > 6 ? 1 : 0;
		double		x[4] = {left + inset, left + inset, right - inset, right - inset};
		double		y[4] = {f->bottom, top, top, f->bottom};
		char		class[32];

		if (!isfinite(series->x[i]) || !isfinite(series->x[i + 1]) || !isfinite(series->y[i]))
			continue;
		if (number == 0)
			mp_svg_rect(svg, "mp-bar", x[0], top, fmax(x[2] - x[0], 0.5), f->bottom - top);
		else
		{
			/* a second distribution is drawn over the first as its outline */
			snprintf(class, sizeof(class), "mp-line%d", number + 1);
			mp_svg_curve(svg, class, false, x, y, 4);
		}
	}
}

static void
add_line(MpSvg *svg, const Frame *f, const MpSvgSeries *series, int number)
{
	MpVec	   *out = svg->out;
	char		class[32];
	bool		first = true;

	snprintf(class, sizeof(class), "mp-line%d", number + 1);
	svg->failed = svg->failed || !mp_text_format(out, "<polyline class=\"%s\" points=\"", class);
	for (size_t i = 0; i < series->n && !svg->failed; i++)
	{
		if (!isfinite(series->x[i]) || !isfinite(series->y[i]))
			continue;
		svg->failed = !mp_text_format(out, first ? "%.1f,%.1f" : " %.1f,%.1f", x_of(f, series->x[i]),
									  y_of(f, series->y[i]));
		first = false;
	}
	svg->failed = svg->failed || !mp_text_add(out, "\"/>");
	snprintf(class, sizeof(class), "mp-dot mp-line%d", number + 1);
	for (size_t i = 0; series->kind == MP_SVG_POINTS && i < series->n; i++)
	{
		double		x = x_of(f, series->x[i]);
		double		y = y_of(f, series->y[i]);

		if (isfinite(series->x[i]) && isfinite(series->y[i]))
			mp_svg_line(svg, class, x, y, x, y);
	}
}

bool
mp_svg_plot(const MpSvgPlot *plot, MpVec *out)
{
	MpSvg		svg;
	MpSvgTick	xs[MP_SVG_TICKS];
	MpSvgTick	ys[MP_SVG_TICKS];
	double		width = plot->style.width > 0 ? plot->style.width : MP_SVG_WIDTH;
	double		height = fmin(width * 0.6, 400);
	int			n_y = ticks_of(&plot->y, height, 50, ys);
	Frame		f = {.left = MP_SVG_MARGIN + widest(ys, n_y) + 6, .right = width - MP_SVG_MARGIN - 8, .plot = plot};
	int			n_x = ticks_of(&plot->x, f.right - f.left, 80, xs);

	mp_svg_begin(&svg, &plot->style, plot->title, plot->caption, LEGEND + height + AXIS, out);
	f.top = svg.y + LEGEND;
	f.bottom = f.top + height;
	if (plot->x.high > plot->x.low && plot->y.high > plot->y.low)
	{
		add_axes(&svg, &f, xs, n_x, ys, n_y);
		add_legend(&svg, &f);
		for (int i = 0; i < plot->n_series && i < MP_SVG_SERIES; i++)
		{
			if (plot->series[i].kind == MP_SVG_COLUMNS)
				add_columns(&svg, &f, &plot->series[i], i);
			else
				add_line(&svg, &f, &plot->series[i], i);
		}
	}
	return mp_svg_end(&svg);
}
