/*
 * svg.c: drawing svg.h's charts.
 *
 * Nobody measures text here, so widths are estimated, generously: by those of
 * a wide sans serif. Positions are pixels of a drawing WIDTH wide, which scales
 * with its viewBox.
 */
#include "core/text/svg.h"

#include "core/text/text.h"

#include <math.h>
#include <string.h>

#define WIDTH 760.0
#define LABEL_WIDTH 270.0		/* right edge of the labels */
#define MARGIN 16.0
#define ROW 26.0
#define BAR 16.0
#define NUMBER_ROOM 66.0		/* for a number at either end of the bars */
#define MAX_DECIMALS 5			/* that it has room for */
#define PLOT_LEFT (LABEL_WIDTH + 10 + NUMBER_ROOM)
#define PLOT_RIGHT (WIDTH - MARGIN - NUMBER_ROOM)

static const char style[] =
	"<style>"
	".mp-chart{font:13px system-ui,-apple-system,\"Segoe UI\",Roboto,sans-serif}"
	".mp-chart .mp-back{fill:#fff}"
	".mp-chart text{fill:#1f2430}"
	".mp-chart .mp-title{font-size:15px;font-weight:600}"
	".mp-chart .mp-soft{fill:#5c6470}"
	".mp-chart .mp-strong{font-weight:600}"
	".mp-chart .mp-up{fill:#c8553d}"
	".mp-chart .mp-down{fill:#2f7fb8}"
	".mp-chart .mp-bar{fill:#3f7f6d}"
	".mp-chart .mp-others{opacity:.55}"
	".mp-chart line{stroke:#a8afb9}"
	".mp-chart .mp-base{stroke-dasharray:2 3}"
	"@media (prefers-color-scheme:dark){"
	".mp-chart .mp-back{fill:#15181e}"
	".mp-chart text{fill:#e6e9ee}"
	".mp-chart .mp-soft{fill:#a3abb7}"
	".mp-chart .mp-up{fill:#ef8a72}"
	".mp-chart .mp-down{fill:#6db3e6}"
	".mp-chart .mp-bar{fill:#6fbfa8}"
	".mp-chart line{stroke:#5a626e}"
	"}"
	"</style>";

/* What is drawn: the strongest bars, and the others in one. */
typedef struct Selection
{
	const MpSvgBar *shown[MP_SVG_BARS];
	int			n_shown;
	size_t		n_others;
	double		others;
} Selection;

/* Where a number lies on the drawing. */
typedef struct Scale
{
	double		low;
	double		per_unit;		/* pixels */
} Scale;

static double
strength(const MpSvgBar *bar)
{
	double		size = fabs(bar->amount);

	return isnan(size) ? -1 : size;
}

/* Puts a bar among the shown ones, the first of equals first; returns what falls off the end. */
static const MpSvgBar *
insert_bar(Selection *s, const MpSvgBar *bar)
{
	int			i = s->n_shown;
	const MpSvgBar *dropped = NULL;

	if (i == MP_SVG_BARS)
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
select_bars(const MpSvgChart *chart)
{
	Selection	s = {.n_shown = 0};

	for (size_t i = 0; i < chart->n_bars; i++)
	{
		const MpSvgBar *dropped = insert_bar(&s, &chart->bars[i]);

		if (dropped == NULL)
			continue;
		s.n_others++;
		if (isfinite(dropped->amount))
			s.others += dropped->amount;
	}
	return s;
}

/* A generous guess at a character's width at 13 pixels. */
static double
width_of(const char *c, int length)
{
	if (length > 1)
		return length == 2 ? 8.5 : 13.5;
	if (strchr("ijlI|.,:;'!`", *c) != NULL)
		return 4.5;
	if (strchr("ftr()[]{}-/ \"", *c) != NULL)
		return 5.5;
	if (strchr("mwMW@%", *c) != NULL)
		return 12.5;
	return *c >= 'A' && *c <= 'Z' ? 9.5 : 8.0;
}

static double
text_width(MpString text)
{
	double		width = 0;

	for (size_t i = 0; i < text.length;)
	{
		MpString	rest = {text.data + i, text.length - i};
		int			length = mp_utf8_length(rest);

		width += length > 0 ? width_of(rest.data, length) : 8;
		i += length > 0 ? length : 1;
	}
	return width;
}

/* The text, or as much of it as fits, with an ellipsis. */
static bool
add_fitting(MpVec *out, MpString text, double room)
{
	double		width = 13.5;	/* the ellipsis */
	size_t		i = 0;

	if (text_width(text) <= room)
		return mp_text_escaped(out, text, MP_ESCAPE_XML);
	while (i < text.length)
	{
		MpString	rest = {text.data + i, text.length - i};
		int			length = mp_utf8_length(rest);

		width += length > 0 ? width_of(rest.data, length) : 8;
		if (width > room)
			break;
		i += length > 0 ? length : 1;
	}
	text.length = i;
	return mp_text_escaped(out, text, MP_ESCAPE_XML) && mp_text_add(out, "\xe2\x80\xa6");
}

/* "label = value" in full, or either cut: the value keeps a third of the room. */
static bool
add_label(MpVec *out, const MpSvgBar *bar)
{
	double		room = LABEL_WIDTH - MARGIN;
	double		label = text_width(bar->label);
	double		value = text_width(bar->value);

	if (bar->value.length == 0)
		return add_fitting(out, bar->label, room);
	room -= 20;					/* the equals sign */
	if (label + value > room)
	{
		if (value > room / 3)
			value = label < room * 2 / 3 ? room - label : room / 3;
		label = room - value;
	}
	return add_fitting(out, bar->label, label + 0.5) &&
		mp_text_add(out, "<tspan class=\"mp-soft\"> = ") &&
		add_fitting(out, bar->value, value + 0.5) &&
		mp_text_add(out, "</tspan>");
}

/* Decimals that show two or three digits of the largest number. */
static int
decimals_for(double largest)
{
	int			digits;

	if (!(largest > 0) || !isfinite(largest))
		return 2;
	digits = (int) floor(log10(largest));
	if (digits >= 2)
		return 0;
	if (digits == 1)
		return 1;
	return digits >= -1 ? 2 : 1 - digits;
}

static bool
add_number(MpVec *out, double x, int decimals, bool sign)
{
	if (fabs(x) >= 1e9)
		return mp_text_format(out, sign ? "%+.4g" : "%.4g", x);
	if (decimals > MAX_DECIMALS)
		return mp_text_format(out, sign ? "%+.1e" : "%.5g", x);
	if (!sign && fabs(x) < 0.5 * pow(10, -decimals))
		x = 0;					/* not -0.0 */
	return mp_text_format(out, sign ? "%+.*f" : "%.*f", decimals, x);
}

static bool
begin_svg(const MpSvgChart *chart, int n_rows, double *y, MpVec *out)
{
	double		top = chart->caption.length > 0 ? 58 : 40;
	double		height = top + n_rows * ROW + MARGIN;

	*y = top;
	if (!mp_text_format(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"mp-chart\" "
						"role=\"img\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" height=\"%.0f\">",
						WIDTH, height, WIDTH, height) ||
		!mp_text_add(out, "<title>") ||
		!mp_text_escaped(out, chart->title, MP_ESCAPE_XML) ||
		!mp_text_add(out, "</title>") ||
		!mp_text_add(out, style) ||
		!mp_text_format(out, "<rect class=\"mp-back\" width=\"%.0f\" height=\"%.0f\" rx=\"6\"/>"
						"<text class=\"mp-title\" x=\"%.0f\" y=\"26\">", WIDTH, height, MARGIN) ||
		!add_fitting(out, chart->title, (WIDTH - 2 * MARGIN) * 13 / 15) ||
		!mp_text_add(out, "</text>"))
		return false;
	if (chart->caption.length == 0)
		return true;
	return mp_text_format(out, "<text class=\"mp-soft\" x=\"%.0f\" y=\"46\">", MARGIN) &&
		add_fitting(out, chart->caption, WIDTH - 2 * MARGIN) &&
		mp_text_add(out, "</text>");
}

static bool
begin_label(MpVec *out, double y, const char *class)
{
	return mp_text_format(out, "<text class=\"%s\" text-anchor=\"end\" x=\"%.0f\" y=\"%.1f\">",
						  class, LABEL_WIDTH, y + ROW / 2 + 4.5);
}

/* A row's label, with the whole of it as a tooltip. */
static bool
add_row_label(MpVec *out, double y, const MpSvgBar *bar)
{
	if (!begin_label(out, y, "") ||
		!mp_text_add(out, "<title>") ||
		!mp_text_escaped(out, bar->label, MP_ESCAPE_XML))
		return false;
	if (bar->value.length > 0 &&
		!(mp_text_add(out, " = ") && mp_text_escaped(out, bar->value, MP_ESCAPE_XML)))
		return false;
	return mp_text_add(out, "</title>") && add_label(out, bar) && mp_text_add(out, "</text>");
}

static bool
add_others_label(MpVec *out, double y, size_t n)
{
	return begin_label(out, y, "mp-soft") &&
		mp_text_format(out, "%zu other%s</text>", n, n == 1 ? "" : "s");
}

static bool
add_rect(MpVec *out, const char *class, const char *more, double y, double left, double right)
{
	double		width = right - left > 1 ? right - left : 1;

	return mp_text_format(out, "<rect class=\"%s%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
						  "height=\"%.0f\" rx=\"2\"/>",
						  class, more, left, y + (ROW - BAR) / 2, width, BAR);
}

static bool
add_amount(MpVec *out, double x, double y, const char *anchor, const char *class)
{
	return mp_text_format(out, "<text class=\"%s\" text-anchor=\"%s\" x=\"%.1f\" y=\"%.1f\">",
						  class, anchor, x, y + ROW / 2 + 4.5);
}

static double
finite_or(double x, double other)
{
	return isfinite(x) ? x : other;
}

static double
place(const Scale *scale, double x)
{
	return PLOT_LEFT + (x - scale->low) * scale->per_unit;
}

/* Room for base, total and every step between them; the largest step to *largest. */
static Scale
waterfall_scale(const Selection *s, double base, double total, double *largest)
{
	double		low = fmin(base, total);
	double		high = fmax(base, total);
	double		at = base;

	*largest = fabs(s->others);
	for (int i = 0; i <= s->n_shown; i++)
	{
		double		step = i < s->n_shown ? finite_or(s->shown[i]->amount, 0) : s->others;

		at += step;
		low = fmin(low, at);
		high = fmax(high, at);
		*largest = fmax(*largest, fabs(step));
	}
	/* less is the rounding of the sums */
	if (!(high - low > 1e-6 * fmax(fabs(low), fabs(high))) || !isfinite(high - low))
		return (Scale) {low, 0};
	return (Scale) {low, (PLOT_RIGHT - PLOT_LEFT) / (high - low)};
}

/* The first or the last row: where the row starts, and where it ends. */
static bool
add_level(MpVec *out, const Scale *scale, double y, const char *name, double level,
		  double drawn, int decimals)
{
	double		x = place(scale, drawn);

	return begin_label(out, y, "mp-strong") &&
		mp_text_format(out, "%s</text>", name) &&
		mp_text_format(out, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" "
					   "style=\"stroke-width:3\"/>", x, x, y + 5, y + ROW - 5) &&
		add_amount(out, x + 7, y, "start", "mp-strong") &&
		add_number(out, level, decimals, false) &&
		mp_text_add(out, "</text>");
}

static bool
add_step(MpVec *out, const Scale *scale, double y, double from, double amount, int decimals,
		 const char *more)
{
	double		step = finite_or(amount, 0);
	double		a = place(scale, from);
	double		b = place(scale, from + step);
	bool		up = step >= 0;

	return add_rect(out, up ? "mp-up" : "mp-down", more, y, fmin(a, b), fmax(a, b)) &&
		mp_text_format(out, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>",
					   b, b, y + ROW / 2, y + ROW + (ROW - BAR) / 2) &&
		(up ? add_amount(out, b + 5, y, "start", "") : add_amount(out, b - 5, y, "end", "")) &&
		add_number(out, amount, decimals, true) &&
		mp_text_add(out, "</text>");
}

bool
mp_svg_waterfall(const MpSvgChart *chart, double base, double total, MpVec *out)
{
	Selection	s = select_bars(chart);
	int			n_rows = s.n_shown + (s.n_others > 0) + 2;
	double		at = finite_or(base, 0);
	double		end = finite_or(total, at);
	double		largest;
	Scale		scale = waterfall_scale(&s, at, end, &largest);
	int			decimals = decimals_for(largest);
	double		y;

	if (!begin_svg(chart, n_rows, &y, out) ||
		!mp_text_format(out, "<line class=\"mp-base\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" "
						"y2=\"%.1f\"/>", place(&scale, at), place(&scale, at), y + ROW - 5,
						y + n_rows * ROW) ||
		!add_level(out, &scale, y, "average", base, at, decimals))
		return false;
	y += ROW;
	for (int i = 0; i < s.n_shown; i++, y += ROW)
	{
		if (!add_row_label(out, y, s.shown[i]) ||
			!add_step(out, &scale, y, at, s.shown[i]->amount, decimals, ""))
			return false;
		at += finite_or(s.shown[i]->amount, 0);
	}
	if (s.n_others > 0)
	{
		if (!add_others_label(out, y, s.n_others) ||
			!add_step(out, &scale, y, at, s.others, decimals, " mp-others"))
			return false;
		y += ROW;
	}
	return add_level(out, &scale, y, "this row", total, end, decimals) &&
		mp_text_add(out, "</svg>");
}

static bool
add_bar(MpVec *out, const Scale *scale, double y, double amount, const char *more)
{
	int			decimals;
	double		left = LABEL_WIDTH + 10;
	double		right = left + finite_or(fmax(amount, 0), 0) * scale->per_unit;

	if (!add_rect(out, "mp-bar", more, y, left, right) ||
		!add_amount(out, right + 6, y, "start", ""))
		return false;
	if (fabs(amount) >= 1e6 || (amount != 0 && fabs(amount) < 1e-3))
		return mp_text_format(out, "%.3g</text>", amount);
	/* counts stay whole */
	decimals = amount == floor(amount) ? 0 : decimals_for(fabs(amount));
	return add_number(out, amount, decimals, false) &&
		mp_text_add(out, "</text>");
}

bool
mp_svg_bars(const MpSvgChart *chart, bool adds_up, MpVec *out)
{
	Selection	s = select_bars(chart);
	double		largest = adds_up ? s.others : 0;
	Scale		scale = {0, 0};
	double		y;

	for (int i = 0; i < s.n_shown; i++)
		largest = fmax(largest, finite_or(s.shown[i]->amount, 0));
	if (largest > 0)
		scale.per_unit = (PLOT_RIGHT - LABEL_WIDTH - 10) / largest;

	if (!begin_svg(chart, s.n_shown + (s.n_others > 0), &y, out))
		return false;
	for (int i = 0; i < s.n_shown; i++, y += ROW)
	{
		if (!add_row_label(out, y, s.shown[i]) ||
			!add_bar(out, &scale, y, s.shown[i]->amount, ""))
			return false;
	}
	if (s.n_others > 0 &&
		!(add_others_label(out, y, s.n_others) &&
		  (!adds_up || add_bar(out, &scale, y, s.others, " mp-others"))))
		return false;
	return mp_text_add(out, "</svg>");
}
