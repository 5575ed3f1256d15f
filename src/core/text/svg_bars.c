/*
 * svg_bars.c: waterfalls and bars. A row of the picture has its label beside the bar,
 * or above it where the picture is narrow.
 */
#include "core/text/svg_bars.h"

#include "core/text/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define BAR 16.0
#define GAP 6.0					/* between a bar and its number or label */
#define AXIS 20.0				/* height of a scale */
#define LEGEND 24.0

/* What is drawn: the strongest bars, and the others in one. */
typedef struct Selection
{
	const MpSvgBar *shown[MP_SVG_MAX_TOP];
	int			n_shown;
	int			most;
	size_t		n_others;
	double		others;
} Selection;

/* Where things are on the drawing. */
typedef struct Layout
{
	double		row;			/* height */
	double		label_room;
	double		label_x;
	MpSvgAnchor label_anchor;
	double		label_y;		/* baseline, from the top of a row */
	double		bar_y;			/* top, from the top of a row */
	double		left;			/* of the bars */
	double		right;
	double		low;			/* at left */
	double		per_unit;		/* pixels */
	int			decimals;
} Layout;

static double
strength(const MpSvgBar *bar)
{
	double		size = fabs(bar->amount);

	return isnan(size) ? -1 : size;
}

static double
finite_or(double x, double other)
{
	return isfinite(x) ? x : other;
}

/* Puts a bar among the shown ones, the first of equals first; returns what falls off the end. */
static const MpSvgBar *
insert_bar(Selection *s, const MpSvgBar *bar)
{
	int			i = s->n_shown;
	const MpSvgBar *dropped = NULL;

	if (i == s->most)
	{
		if (strength(bar) <= strength(s->shown[i - 1]))
			return bar;
		dropped = s->shown[--i];
	}
	else
		s->n_shown++;
	for (; i > 0 && strength(s->shown[i - 1]) < strength(bar); i--)
		s->shown[i] = s->shown[i - 1];
	s->shown[i] = bar;
	return dropped;
}

static Selection
select_bars(const MpSvgBars *chart)
{
	int			top = chart->style.top > 0 ? chart->style.top : MP_SVG_TOP;
	Selection	s = {.most = top < MP_SVG_MAX_TOP ? top : MP_SVG_MAX_TOP};

	for (size_t i = 0; i < chart->n_bars; i++)
	{
		const MpSvgBar *dropped = insert_bar(&s, &chart->bars[i]);

		if (dropped == NULL)
			continue;
		s.n_others++;
		s.others += finite_or(dropped->amount, 0);
	}
	return s;
}

static MpString
string_of(const char *text)
{
	return (MpString) {text, strlen(text)};
}

static double
number_width(double x, int decimals, bool sign)
{
	char		buffer[MP_SVG_NUMBER];

	return mp_svg_text_width(string_of(mp_svg_number(buffer, x, decimals, sign)));
}

static double
label_width(const MpSvgBar *bar)
{
	return mp_svg_text_width(bar->label) +
		(bar->value.length > 0 ? 20 + mp_svg_text_width(bar->value) : 0);
}

/* The labels' room: what they need, but no more than half of the picture. */
static void
place_labels(Layout *l, const Selection *s, double width, bool narrow)
{
	double		room = 84;		/* for the names of scales, and "123 others" */

	if (narrow)
	{
		*l = (Layout) {.row = 40, .label_room = width - 2 * MP_SVG_MARGIN, .label_x = MP_SVG_MARGIN,
		.label_anchor = MP_SVG_START, .label_y = 15, .bar_y = 21, .left = MP_SVG_MARGIN};
		return;
	}
	for (int i = 0; i < s->n_shown; i++)
		room = fmax(room, label_width(s->shown[i]));
	room = fmin(room, width / 2 - MP_SVG_MARGIN);
	*l = (Layout) {.row = 26, .label_room = room + 1, .label_x = MP_SVG_MARGIN + room,
	.label_anchor = MP_SVG_END, .label_y = 17.5, .bar_y = 5, .left = MP_SVG_MARGIN + room + GAP};
}

static double
place(const Layout *l, double x)
{
	return l->left + (x - l->low) * l->per_unit;
}

/* Leaves room for numbers at both ends, then stretches low to high over the rest. */
static void
set_scale(Layout *l, double low, double high, double room_left, double room_right, double width)
{
	l->left += room_left;
	l->right = width - MP_SVG_MARGIN - room_right;
	l->low = low;
	/* less is the rounding of the sums */
	if (high - low > 1e-6 * fmax(fabs(low), fabs(high)) && isfinite(high - low))
		l->per_unit = (l->right - l->left) / (high - low);
}

static void
add_number(MpSvg *svg, const Layout *l, const char *class, MpSvgAnchor anchor, double x, double y,
		   double number, bool sign)
{
	char		buffer[MP_SVG_NUMBER];

	mp_svg_text(svg, class, anchor, x, y + l->bar_y + 12.5,
				string_of(mp_svg_number(buffer, number, l->decimals, sign)), svg->width);
}

static void
add_label(MpSvg *svg, const Layout *l, double y, const MpSvgBar *bar)
{
	mp_svg_pair(svg, l->label_anchor, l->label_x, y + l->label_y, bar->label, bar->value,
				l->label_room);
}

static void
add_plain_label(MpSvg *svg, const Layout *l, double y, const char *class, const char *text)
{
	mp_svg_text(svg, class, l->label_anchor, l->label_x, y + l->label_y, string_of(text),
				l->label_room);
}

static void
add_others_label(MpSvg *svg, const Layout *l, double y, size_t n)
{
	char		buffer[48];

	snprintf(buffer, sizeof(buffer), "%zu other%s", n, n == 1 ? "" : "s");
	add_plain_label(svg, l, y, "mp-soft", buffer);
}

static void
add_rect(MpSvg *svg, const Layout *l, const char *class, double y, double left, double right)
{
	mp_svg_rect(svg, class, left, y + l->bar_y, fmax(right - left, 1), BAR);
}

/* Waterfalls */

/* The range of base, total and every step between them; their largest step. */
static double
find_range(const Selection *s, double base, double total, double *low, double *high)
{
	double		at = base;
	double		largest = fabs(s->others);

	*low = fmin(base, total);
	*high = fmax(base, total);
	for (int i = 0; i <= s->n_shown; i++)
	{
		double		step = i < s->n_shown ? finite_or(s->shown[i]->amount, 0) : s->others;

		at += step;
		*low = fmin(*low, at);
		*high = fmax(*high, at);
		largest = fmax(largest, fabs(step));
	}
	return largest;
}

static void
add_swatch(MpSvg *svg, double *x, double y, const char *class, const char *text)
{
	mp_svg_rect(svg, class, *x, y, 12, 12);
	mp_svg_text(svg, "mp-soft", MP_SVG_START, *x + 18, y + 10.5, string_of(text), svg->width);
	*x += 18 + mp_svg_text_width(string_of(text)) + 18;
}

/* The first or the last row: where the row starts, and where it ends. */
static void
add_level(MpSvg *svg, const Layout *l, double y, const char *name, double level, double drawn)
{
	double		x = place(l, drawn);
	bool		before = x > (l->left + l->right) / 2;

	add_plain_label(svg, l, y, "mp-strong", name);
	mp_svg_line(svg, "mp-mark", x, y + l->bar_y, x, y + l->bar_y + BAR);
	add_number(svg, l, "mp-strong", before ? MP_SVG_END : MP_SVG_START, before ? x - 7 : x + 7, y, level,
			   false);
}

static void
add_step(MpSvg *svg, const Layout *l, double y, double from, double amount, bool others)
{
	double		step = finite_or(amount, 0);
	double		a = place(l, from);
	double		b = place(l, from + step);
	bool		up = step >= 0;
	const char *classes[] = {"mp-down", "mp-up", "mp-down mp-others", "mp-up mp-others"};

	add_rect(svg, l, classes[up + 2 * others], y, fmin(a, b), fmax(a, b));
	if (!svg->narrow)			/* there a label is in between */
		mp_svg_line(svg, "", b, y + l->bar_y + BAR / 2, b, y + l->row + l->bar_y);
	add_number(svg, l, "", up ? MP_SVG_START : MP_SVG_END, up ? b + 5 : b - 5, y, amount, true);
}

/* A scale's ticks as far as they do not touch, below a line or below another scale. */
static void
add_ticks(MpSvg *svg, const Layout *l, double y, MpString name, const MpSvgTick *ticks, int n)
{
	double		free = 0;

	if (!svg->narrow)
		mp_svg_text(svg, "mp-soft", MP_SVG_END, l->label_x, y + 14, name, l->label_room);
	else
	{
		mp_svg_text(svg, "mp-soft", MP_SVG_START, MP_SVG_MARGIN, y + 14, name, l->label_room / 3);
		free = MP_SVG_MARGIN + fmin(mp_svg_text_width(name), l->label_room / 3) + GAP;
	}
	for (int i = 0; i < n; i++)
	{
		MpString	label = string_of(ticks[i].label);
		double		x = place(l, ticks[i].at);
		double		half = mp_svg_text_width(label) / 2;

		if (x - half < free || x < l->left - 1 || x > l->right + 1)
			continue;
		mp_svg_text(svg, "mp-soft", MP_SVG_MIDDLE, x, y + 14, label, svg->width);
		free = x + half + GAP;
	}
}

static void
add_grid(MpSvg *svg, const Layout *l, double top, double bottom, const MpSvgTick *ticks, int n)
{
	for (int i = 0; i < n; i++)
		mp_svg_line(svg, "mp-grid", place(l, ticks[i].at), top, place(l, ticks[i].at), bottom);
}

bool
mp_svg_waterfall(const MpSvgBars *chart, double base, double total, MpString unit,
				 const MpSvgScale *second, MpVec *out)
{
	MpSvg		svg;
	Selection	s = select_bars(chart);
	Layout		l;
	MpSvgTick	ticks[MP_SVG_TICKS];
	int			n_ticks;
	int			n_rows = s.n_shown + (s.n_others > 0) + 2;
	double		width = chart->style.width > 0 ? chart->style.width : MP_SVG_WIDTH;
	double		at = finite_or(base, 0);
	double		end = finite_or(total, at);
	double		low;
	double		high;
	double		largest = find_range(&s, at, end, &low, &high);
	double		room;
	double		x = MP_SVG_MARGIN;
	double		y;

	place_labels(&l, &s, width, width < MP_SVG_NARROW);
	l.decimals = mp_svg_decimals(largest);
	room = GAP + number_width(largest >= 1e15 ? 1e15 : -largest, l.decimals, true);
	set_scale(&l, low, high, room, room, width);
	n_ticks = l.per_unit > 0 ? mp_svg_ticks(low, high, (int) ((l.right - l.left) / 70), ticks) : 0;

	mp_svg_begin(&svg, &chart->style, chart->title, chart->caption,
				 LEGEND + n_rows * l.row + (n_ticks > 0 ? AXIS : 0) + (second ? AXIS : 0), out);
	add_swatch(&svg, &x, svg.y, "mp-up", "raises");
	add_swatch(&svg, &x, svg.y, "mp-down", "lowers");
	y = svg.y + LEGEND;
	add_grid(&svg, &l, y, y + n_rows * l.row, ticks, n_ticks);
	mp_svg_line(&svg, "mp-dash", place(&l, at), y + l.bar_y + BAR, place(&l, at), y + n_rows * l.row);
	add_level(&svg, &l, y, "average", base, at);
	y += l.row;
	for (int i = 0; i < s.n_shown; i++, y += l.row)
	{
		add_label(&svg, &l, y, s.shown[i]);
		add_step(&svg, &l, y, at, s.shown[i]->amount, false);
		at += finite_or(s.shown[i]->amount, 0);
	}
	if (s.n_others > 0)
	{
		add_others_label(&svg, &l, y, s.n_others);
		add_step(&svg, &l, y, at, s.others, true);
		y += l.row;
	}
	add_level(&svg, &l, y, "this row", total, end);
	y += l.row;
	if (n_ticks > 0)
	{
		add_ticks(&svg, &l, y, unit, ticks, n_ticks);
		y += AXIS;
	}
	if (second != NULL)
		add_ticks(&svg, &l, y, second->name, second->ticks, second->n_ticks);
	return mp_svg_end(&svg);
}

/* Importances */

static void
add_bar(MpSvg *svg, Layout *l, double y, double amount, const char *class)
{
	double		right = place(l, finite_or(fmax(amount, 0), 0));

	add_rect(svg, l, class, y, l->left, right);
	/* counts stay whole */
	l->decimals = amount == floor(amount) && fabs(amount) < 1e9 ? 0 : mp_svg_decimals(fabs(amount));
	add_number(svg, l, "", MP_SVG_START, right + GAP, y, amount, false);
}

bool
mp_svg_bars(const MpSvgBars *chart, bool adds_up, MpVec *out)
{
	MpSvg		svg;
	Selection	s = select_bars(chart);
	Layout		l;
	double		width = chart->style.width > 0 ? chart->style.width : MP_SVG_WIDTH;
	double		largest = adds_up ? finite_or(s.others, 0) : 0;
	double		y;

	for (int i = 0; i < s.n_shown; i++)
		largest = fmax(largest, finite_or(s.shown[i]->amount, 0));
	place_labels(&l, &s, width, width < MP_SVG_NARROW);
	set_scale(&l, 0, largest, 0, GAP + 66, width);

	mp_svg_begin(&svg, &chart->style, chart->title, chart->caption,
				 (s.n_shown + (s.n_others > 0)) * l.row, out);
	y = svg.y;
	for (int i = 0; i < s.n_shown; i++, y += l.row)
	{
		add_label(&svg, &l, y, s.shown[i]);
		add_bar(&svg, &l, y, s.shown[i]->amount, "mp-bar");
	}
	if (s.n_others > 0)
	{
		add_others_label(&svg, &l, y, s.n_others);
		if (adds_up)
			add_bar(&svg, &l, y, s.others, "mp-bar mp-others");
	}
	return mp_svg_end(&svg);
}
