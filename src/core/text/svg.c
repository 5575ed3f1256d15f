/*
 * svg.c: frame, texts, numbers and axes of pictures.
 *
 * Nobody measures text here, so widths are estimated, generously: by those of a wide sans
 * serif.
 */
#include "core/text/svg.h"

#include "core/text/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TITLE_SIZE (15.0 / 13)
#define MAX_LINES 3
#define ELLIPSIS "\xe2\x80\xa6"
#define ELLIPSIS_WIDTH 13.0

/* U+2068 and U+2069: what stands between does not turn what stands around it */
#define ISOLATE "\xe2\x81\xa8"
#define END_ISOLATE "\xe2\x81\xa9"

static const char style_common[] =
	"<style>"
	".mp-chart{font:13px system-ui,-apple-system,\"Segoe UI\",Roboto,\"Helvetica Neue\",Arial,sans-serif;"
	"direction:ltr}"
	".mp-chart .mp-title{font-size:15px;font-weight:600}"
	".mp-chart .mp-strong{font-weight:600}"
	".mp-chart .mp-others{opacity:.55}"
	".mp-chart .mp-mark{stroke-width:3}"
	".mp-chart .mp-dot{stroke-width:7;stroke-linecap:round}"
	".mp-chart .mp-dash{stroke-dasharray:2 3}"
	".mp-chart polyline{fill:none;stroke-width:2;stroke-linejoin:round}"
	".mp-chart .mp-band{stroke:none;opacity:.2}";

/* a rule for each color, in light and in dark */
typedef struct Color
{
	const char *rule;
	const char *light;
	const char *dark;
} Color;

static const Color colors[] = {
	{".mp-back{fill", "#fff", "#15181e"},
	{"text{fill", "#1f2430", "#e6e9ee"},
	{".mp-soft{fill", "#5c6470", "#a3abb7"},
	{".mp-up{fill", "#c77a1e", "#e9a44c"},
	{".mp-down{fill", "#2f7fb8", "#6db3e6"},
	{".mp-bar,.mp-chart .mp-band{fill", "#3f7f6d", "#6fbfa8"},
	{"line{stroke", "#8b939e", "#6d7683"},
	{"line.mp-grid{stroke", "#e2e5e9", "#2b313b"},
	{".mp-line1{stroke", "#2f7fb8", "#6db3e6"},
	{".mp-line2{stroke", "#c77a1e", "#e9a44c"},
	{".mp-line3{stroke", "#3f7f6d", "#6fbfa8"},
	{".mp-line4{stroke", "#8a5aa8", "#c096dd"}
};

static void
add(MpSvg *svg, const char *text)
{
	svg->failed = svg->failed || !mp_text_add(svg->out, text);
}

#define FORMAT(svg, ...) \
	((svg)->failed = (svg)->failed || !mp_text_format((svg)->out, __VA_ARGS__))

static void
add_escaped(MpSvg *svg, MpString text)
{
	svg->failed = svg->failed || !mp_text_escaped(svg->out, text, MP_ESCAPE_XML);
}

/* Characters, one after the other */

typedef struct Char
{
	MpString	bytes;
	uint32_t	code;			/* 0xfffd where it is not UTF-8 */
} Char;

static Char
char_at(MpString text, size_t i)
{
	MpString	rest = {text.data + i, text.length - i};
	int			length = mp_utf8_length(rest);
	const unsigned char *u = (const unsigned char *) rest.data;

	switch (length)
	{
		case 1:
			return (Char) {{rest.data, 1}, u[0]};
		case 2:
			return (Char) {{rest.data, 2}, (u[0] & 0x1fu) << 6 | (u[1] & 0x3fu)};
		case 3:
			return (Char) {{rest.data, 3}, (u[0] & 0x0fu) << 12 | (u[1] & 0x3fu) << 6 | (u[2] & 0x3fu)};
		case 4:
			return (Char) {{rest.data, 4}, (u[0] & 0x07u) << 18 | (u[1] & 0x3fu) << 12 |
				(u[2] & 0x3fu) << 6 | (u[3] & 0x3fu)};
	}
	return (Char) {{rest.data, 1}, 0xfffd};
}

static bool
is_between(uint32_t code, uint32_t low, uint32_t high)
{
	return code >= low && code <= high;
}

/* Belongs to the character before it: accents, joiners, variants, tones of skin. */
static bool
is_joined(uint32_t code)
{
	return is_between(code, 0x300, 0x36f) || is_between(code, 0x200c, 0x200d) ||
		is_between(code, 0x20d0, 0x20ff) || is_between(code, 0xfe00, 0xfe0f) ||
		is_between(code, 0x1f3fb, 0x1f3ff) || is_between(code, 0x64b, 0x65f) ||
		is_between(code, 0x591, 0x5bd);
}

/* Hebrew, Arabic and other scripts from right to left. */
static bool
is_right_to_left(uint32_t code)
{
	return is_between(code, 0x590, 0x8ff) || is_between(code, 0xfb1d, 0xfdff) ||
		is_between(code, 0xfe70, 0xfeff) || is_between(code, 0x10800, 0x10fff) ||
		is_between(code, 0x1e800, 0x1efff);
}

/* Marks that turn the direction of what follows. */
static bool
is_direction_mark(uint32_t code)
{
	return code == 0x61c || is_between(code, 0x200e, 0x200f) || is_between(code, 0x202a, 0x202e) ||
		is_between(code, 0x2066, 0x2069);
}

/* At 13 pixels. */
static double
char_width(uint32_t code)
{
	if (is_joined(code))
		return 0;
	if (code >= 0x1f000)
		return 18;				/* pictographs */
	if (code >= 0x1100 && !is_between(code, 0x2000, 0x206f) && !is_right_to_left(code))
		return 13.5;			/* Chinese, Japanese, Korean, and what is not known */
	if (code >= 0x80)
		return 8.5;
	if (strchr("ijlI|.,:;'!`", (int) code) != NULL)
		return 4.5;
	if (strchr("ftr()[]{}-/ \"", (int) code) != NULL)
		return 5.5;
	if (strchr("mwMW@%", (int) code) != NULL)
		return 12.5;
	return is_between(code, 'A', 'Z') ? 9.5 : 8.0;
}

double
mp_svg_text_width(MpString text)
{
	double		width = 0;

	for (size_t i = 0; i < text.length;)
	{
		Char		c = char_at(text, i);

		width += char_width(c.code);
		i += c.bytes.length;
	}
	return width;
}

/* Bytes from the start that are no wider than room, with whole characters. */
static size_t
head_of(MpString text, double room)
{
	size_t		end = 0;		/* a character may be cut behind here */
	double		width = 0;
	bool		joins = false;

	for (size_t i = 0; i < text.length;)
	{
		Char		c = char_at(text, i);

		if (!is_joined(c.code) && !joins)
			end = i;
		width += char_width(c.code);
		if (width > room)
			return end;
		joins = c.code == 0x200d;
		i += c.bytes.length;
	}
	return text.length;
}

/* The least bytes to leave out at the start, so that the rest is no wider than room. */
static size_t
tail_of(MpString text, double room)
{
	double		width = mp_svg_text_width(text);
	size_t		i = 0;
	bool		joins = false;

	while (i < text.length)
	{
		Char		c = char_at(text, i);

		if (width <= room && !is_joined(c.code) && !joins)
			break;
		width -= char_width(c.code);
		joins = c.code == 0x200d;
		i += c.bytes.length;
	}
	return i;
}

static bool
turns(MpString text)
{
	for (size_t i = 0; i < text.length;)
	{
		Char		c = char_at(text, i);

		if (is_right_to_left(c.code) || is_direction_mark(c.code))
			return true;
		i += c.bytes.length;
	}
	return false;
}

/* Its own marks could end the isolation: they are shown as what cannot be shown. */
static void
add_without_marks(MpSvg *svg, MpString text)
{
	size_t		from = 0;

	for (size_t i = 0; i < text.length;)
	{
		Char		c = char_at(text, i);

		if (is_direction_mark(c.code))
		{
			add_escaped(svg, (MpString) {text.data + from, i - from});
			add(svg, "?");
			from = i + c.bytes.length;
		}
		i += c.bytes.length;
	}
	add_escaped(svg, (MpString) {text.data + from, text.length - from});
}

static void
add_isolated(MpSvg *svg, MpString text)
{
	bool		isolate = turns(text);

	add(svg, isolate ? ISOLATE : "");
	add_without_marks(svg, text);
	add(svg, isolate ? END_ISOLATE : "");
}

/* The text, or its two ends with an ellipsis between. */
static void
add_fitting(MpSvg *svg, MpString text, double room)
{
	bool		isolate = turns(text);
	size_t		head;
	size_t		tail;

	if (mp_svg_text_width(text) <= room)
	{
		add_isolated(svg, text);
		return;
	}
	room -= ELLIPSIS_WIDTH;
	head = head_of(text, room / 2);
	tail = tail_of(text, room - mp_svg_text_width((MpString) {text.data, head}));
	add(svg, isolate ? ISOLATE : "");
	add_without_marks(svg, (MpString) {text.data, head});
	add(svg, ELLIPSIS);
	if (tail > head)
		add_without_marks(svg, (MpString) {text.data + tail, text.length - tail});
	add(svg, isolate ? END_ISOLATE : "");
}

static void
begin_text(MpSvg *svg, const char *class, MpSvgAnchor anchor, double x, double y)
{
	static const char *const anchors[] = {"", " text-anchor=\"middle\"", " text-anchor=\"end\""};

	add(svg, "<text");
	if (class[0] != '\0')
		FORMAT(svg, " class=\"%s\"", class);
	FORMAT(svg, "%s x=\"%.1f\" y=\"%.1f\">", anchors[anchor], x, y);
}

void
mp_svg_text(MpSvg *svg, const char *class, MpSvgAnchor anchor, double x, double y,
			MpString text, double room)
{
	begin_text(svg, class, anchor, x, y);
	if (mp_svg_text_width(text) > room)
	{
		add(svg, "<title>");
		add_isolated(svg, text);
		add(svg, "</title>");
	}
	add_fitting(svg, text, room);
	add(svg, "</text>");
}

#define EQUALS_WIDTH 20.0

void
mp_svg_pair(MpSvg *svg, MpSvgAnchor anchor, double x, double y, MpString label,
			MpString value, double room)
{
	double		label_width = mp_svg_text_width(label);
	double		value_width = mp_svg_text_width(value);

	if (value.length == 0)
	{
		mp_svg_text(svg, "", anchor, x, y, label, room);
		return;
	}
	room -= EQUALS_WIDTH;
	begin_text(svg, "", anchor, x, y);
	if (label_width + value_width > room)
	{
		add(svg, "<title>");
		add_isolated(svg, label);
		add(svg, " = ");
		add_isolated(svg, value);
		add(svg, "</title>");
		/* the value keeps two fifths of the room, or what the label leaves */
		if (value_width > room * 2 / 5)
			value_width = label_width < room * 3 / 5 ? room - label_width : room * 2 / 5;
		label_width = room - value_width;
	}
	add_fitting(svg, label, label_width + 0.5);
	add(svg, "<tspan class=\"mp-soft\"> = ");
	add_fitting(svg, value, value_width + 0.5);
	add(svg, "</tspan></text>");
}

/* Where the first line of the text ends, and where the next one begins. */
static size_t
break_line(MpString text, double room, size_t *next)
{
	size_t		end = head_of(text, room);

	*next = end;
	if (end == text.length)
		return end;
	for (size_t i = end; i > 0; i--)
	{
		if (text.data[i] == ' ')
		{
			*next = i + 1;
			return i;
		}
	}
	return end;
}

/* Lines that the text needs, at most MAX_LINES. */
static int
count_lines(MpString text, double room)
{
	int			n = 0;
	size_t		next;

	while (text.length > 0 && n < MAX_LINES)
	{
		break_line(text, room, &next);
		if (next == 0)
			next = text.length;
		text = (MpString) {text.data + next, text.length - next};
		n++;
	}
	return n;
}

/* The text in lines, the last of which is cut if it must be; moves svg->y. */
static void
add_lines(MpSvg *svg, const char *class, MpString text, double size)
{
	double		room = (svg->width - 2 * MP_SVG_MARGIN) / size;

	for (int n = 1; text.length > 0; n++)
	{
		size_t		next = text.length;
		size_t		end = n < MAX_LINES ? break_line(text, room, &next) : text.length;

		if (next == 0)
			end = next = text.length;
		mp_svg_text(svg, class, MP_SVG_START, MP_SVG_MARGIN, svg->y + 14,
					(MpString) {text.data, end}, room);
		svg->y += MP_SVG_LINE;
		text = (MpString) {text.data + next, text.length - next};
	}
}

static void
add_colors(MpSvg *svg, bool dark)
{
	for (size_t i = 0; i < sizeof(colors) / sizeof(colors[0]); i++)
		FORMAT(svg, ".mp-chart %s:%s}", colors[i].rule, dark ? colors[i].dark : colors[i].light);
}

static void
add_style(MpSvg *svg, MpSvgTheme theme)
{
	add(svg, style_common);
	add_colors(svg, theme == MP_SVG_DARK);
	if (theme == MP_SVG_AUTO)
	{
		add(svg, "@media (prefers-color-scheme:dark){");
		add_colors(svg, true);
		add(svg, "}");
	}
	add(svg, "</style>");
}

void
mp_svg_begin(MpSvg *svg, const MpSvgStyle *style, MpString title, MpString caption,
			 double height, MpVec *out)
{
	double		room;

	*svg = (MpSvg) {.out = out, .width = style->width > 0 ? style->width : MP_SVG_WIDTH};
	svg->narrow = svg->width < MP_SVG_NARROW;
	room = svg->width - 2 * MP_SVG_MARGIN;
	height += 2 * MP_SVG_MARGIN + 6 +
		MP_SVG_LINE * (count_lines(title, room / TITLE_SIZE) + count_lines(caption, room));
	FORMAT(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"mp-chart\" role=\"img\" "
		   "viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" height=\"%.0f\"><title>",
		   svg->width, height, svg->width, height);
	add_isolated(svg, title);
	add(svg, "</title>");
	add_style(svg, style->theme);
	FORMAT(svg, "<rect class=\"mp-back\" width=\"%.0f\" height=\"%.0f\" rx=\"6\"/>", svg->width,
		   height);
	svg->y = MP_SVG_MARGIN - 4;
	add_lines(svg, "mp-title", title, TITLE_SIZE);
	add_lines(svg, "mp-soft", caption, 1);
	svg->y += 10;
}

bool
mp_svg_end(MpSvg *svg)
{
	add(svg, "</svg>");
	return !svg->failed;
}

void
mp_svg_rect(MpSvg *svg, const char *class, double x, double y, double width, double height)
{
	FORMAT(svg, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"2\"/>",
		   class, x, y, width, height);
}

void
mp_svg_line(MpSvg *svg, const char *class, double x1, double y1, double x2, double y2)
{
	FORMAT(svg, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", class, x1, y1,
		   x2, y2);
}

void
mp_svg_curve(MpSvg *svg, const char *class, bool closed, const double *x, const double *y, size_t n)
{
	FORMAT(svg, "<%s class=\"%s\" points=\"", closed ? "polygon" : "polyline", class);
	for (size_t i = 0; i < n && !svg->failed; i++)
		FORMAT(svg, i > 0 ? " %.1f,%.1f" : "%.1f,%.1f", x[i], y[i]);
	add(svg, "\"/>");
}

int
mp_svg_decimals(double largest)
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

#define MAX_DECIMALS 5

/* 1.5e+09 as 1.5e9, 1.0e-07 as 1e-7. */
static void
shorten_exponent(char *buffer)
{
	char	   *e = strchr(buffer, 'e');
	char	   *digits;
	char	   *end;

	if (e == NULL)
		return;
	digits = e + 1;
	if (*digits == '+')
		memmove(digits, digits + 1, strlen(digits));
	else if (*digits == '-')
		digits++;
	while (digits[0] == '0' && digits[1] != '\0')
		memmove(digits, digits + 1, strlen(digits));
	for (end = e; end > buffer && end[-1] == '0' && memchr(buffer, '.', end - buffer) != NULL;)
		end--;
	if (end > buffer && end[-1] == '.')
		end--;
	memmove(end, e, strlen(e) + 1);
}

/* Commas between thousands; the buffer has room for them. */
static void
group_thousands(char *buffer)
{
	char	   *first = buffer + strcspn(buffer, "0123456789");
	char	   *end = first + strspn(first, "0123456789");

	for (char *at = end - 3; at > first; at -= 3)
	{
		memmove(at + 1, at, strlen(at) + 1);
		*at = ',';
	}
}

char *
mp_svg_number(char *buffer, double x, int decimals, bool sign)
{
	double		size = fabs(x);

	if (!isfinite(x))
		snprintf(buffer, MP_SVG_NUMBER, isnan(x) ? "NaN" : x > 0 ? "Infinity" : "-Infinity");
	else if (size >= 1e9 || (decimals > MAX_DECIMALS && size > 0))
	{
		snprintf(buffer, MP_SVG_NUMBER, sign ? "%+.2e" : "%.2e", x);
		shorten_exponent(buffer);
	}
	else
	{
		if (decimals > MAX_DECIMALS)
			decimals = 0;
		if (!sign && size < 0.5 * pow(10, -decimals))
			x = 0;				/* not -0.0 */
		snprintf(buffer, MP_SVG_NUMBER, sign ? "%+.*f" : "%.*f", decimals, x);
		group_thousands(buffer);
	}
	return buffer;
}

char *
mp_svg_shortest(char *buffer, double x)
{
	float		wanted = (float) x;

	if (!isfinite(wanted) || fabs(x) >= 1e9 || (x != 0 && fabs(x) < 1e-4))
		return mp_svg_number(buffer, x, MAX_DECIMALS + 1, false);
	for (int decimals = 0; decimals <= 12; decimals++)
	{
		snprintf(buffer, MP_SVG_NUMBER, "%.*f", decimals, wanted);
		if (strtof(buffer, NULL) == wanted)
			break;
	}
	group_thousands(buffer);
	return buffer;
}

int
mp_svg_ticks(double low, double high, int wanted, MpSvgTick *ticks)
{
	double		step = (high - low) / (wanted > 1 ? wanted : 1);
	double		power;
	int			n = 0;
	int			decimals;

	if (!(step > 0) || !isfinite(step))
		return 0;
	power = pow(10, floor(log10(step)));
	step = step <= power ? power : step <= 2 * power ? 2 * power : step <= 5 * power ? 5 * power : 10 * power;
	decimals = step >= 1 ? 0 : (int) ceil(-log10(step) - 1e-9);
	for (double i = ceil(low / step - 1e-9); i * step <= high + step * 1e-9 && n < MP_SVG_TICKS; i++, n++)
	{
		ticks[n].at = i * step;
		mp_svg_number(ticks[n].label, ticks[n].at, decimals, false);
	}
	return n;
}
