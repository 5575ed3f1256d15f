/*
 * test_svg.c: the pictures: sound XML, everything escaped, the strongest first.
 */
#define _GNU_SOURCE				/* memmem */
#include "harness.h"
#include "core/text/svg_bars.h"
#include "core/text/svg_plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static MpString
string(const char *text)
{
	MpString	s = {text, strlen(text)};

	return s;
}

static bool
has(const MpVec *out, const char *part)
{
	return memmem(out->data, out->size, part, strlen(part)) != NULL;
}

static size_t
count(const MpVec *out, const char *part)
{
	size_t		n = 0;
	const char *at = out->data;
	const char *end = at + out->size;

	while ((at = memmem(at, end - at, part, strlen(part))) != NULL)
	{
		n++;
		at += strlen(part);
	}
	return n;
}

/* Tags nest, no stray markup, no control characters: what a parser would refuse. */
static bool
is_sound_xml(const MpVec *out)
{
	const char *data = out->data;
	char		names[16][16];
	int			depth = 0;

	for (size_t i = 0; i < out->size; i++)
	{
		size_t		name = i + 1;
		size_t		end = i;

		if ((unsigned char) data[i] < 0x20)
			return false;
		if (data[i] != '<')
			continue;
		while (end < out->size && data[end] != '>')
			end++;
		if (end == out->size)
			return false;
		if (data[name] == '/')
		{
			size_t		length = end - name - 1;

			if (depth == 0 || strlen(names[depth - 1]) != length ||
				memcmp(names[depth - 1], data + name + 1, length) != 0)
				return false;
			depth--;
		}
		else if (data[end - 1] != '/')
		{
			size_t		length = strcspn(data + name, " >");

			if (depth == 16 || length > 15)
				return false;
			memcpy(names[depth], data + name, length);
			names[depth++][length] = '\0';
		}
		i = end;
	}
	return depth == 0;
}

static MpSvgBars
chart_of(const MpSvgBar *bars, size_t n)
{
	return (MpSvgBars) {.title = string("Why?"), .caption = string("Because."), .bars = bars, .n_bars = n};
}

static bool
waterfall(const MpSvgBars *chart, double base, double total, MpVec *out)
{
	return mp_svg_waterfall(chart, base, total, string("log-odds"), NULL, out);
}

/*
 * Pictures are kept beside the models, to be looked at: what is drawn is what is there.
 * MP_WRITE_PICTURES=1 writes them anew.
 */
static void
is_picture(const char *name, const MpVec *out)
{
	char		path[512];
	char	   *kept;
	size_t		size = 0;

	snprintf(path, sizeof(path), "%s/../pictures/%s.svg", mp_test_models(), name);
	CHECK(is_sound_xml(out));
	CHECK(mp_utf8_valid((MpString) {out->data, out->size}));
	if (getenv("MP_WRITE_PICTURES") != NULL)
	{
		FILE	   *file = fopen(path, "wb");

		REQUIRE(file != NULL);
		fwrite(out->data, 1, out->size, file);
		fclose(file);
	}
	kept = mp_test_read(path, &size);
	REQUIRE(kept != NULL);
	CHECK(size == out->size && memcmp(kept, out->data, size) == 0);
	free(kept);
}

MP_TEST(svg_escapes_all_text)
{
	const char *evil = "<script>alert('x')</script>&\"\x01\xff";
	MpSvgBar	bars[1] = {{string(evil), string(evil), 1}};
	MpSvgBars	chart = {.title = string(evil), .caption = string(evil), .bars = bars, .n_bars = 1};
	MpVec		out = {&mp_alloc_malloc};

	REQUIRE(waterfall(&chart, 0, 1, &out));
	CHECK(is_sound_xml(&out));
	CHECK(!has(&out, "<script"));
	CHECK(has(&out, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;??"));
	out.size = 0;
	REQUIRE(mp_svg_bars(&chart, true, &out));
	CHECK(is_sound_xml(&out));
	CHECK(!has(&out, "<script"));
	mp_vec_release(&out);
}

MP_TEST(svg_shows_strongest_and_counts_others)
{
	MpSvgBar	bars[15] = {{{0}}};
	char		names[15][24];
	MpVec		out = {&mp_alloc_malloc};
	MpSvgBars	chart = chart_of(bars, 15);

	for (int i = 0; i < 15; i++)
	{
		snprintf(names[i], sizeof(names[i]), "feature%d", i);
		bars[i] = (MpSvgBar) {string(names[i]), string("1"), i % 2 ? -0.125 * i : 0.125 * i};
	}
	REQUIRE(waterfall(&chart, 0, 0.875, &out));
	CHECK(is_sound_xml(&out));
	/* 0, 1 and 2 are the weakest: 0 - 0.125 + 0.25 */
	CHECK(!has(&out, ">feature2<"));
	CHECK(has(&out, ">feature3<"));
	CHECK(has(&out, ">3 others<"));
	CHECK(has(&out, ">+0.12<") || has(&out, ">+0.13<"));
	CHECK(has(&out, ">-1.62<") || has(&out, ">-1.63<"));
	CHECK(count(&out, "class=\"mp-up") == 7 + 1);
	CHECK(count(&out, "class=\"mp-down") == 6 + 1)	/* and the legend */;
	CHECK(memmem(out.data, out.size, "feature14", 9) < memmem(out.data, out.size, "feature13", 9));
	mp_vec_release(&out);
}

MP_TEST(svg_bars_of_others_only_where_they_add_up)
{
	MpSvgBar	bars[14] = {{{0}}};
	MpVec		out = {&mp_alloc_malloc};
	MpSvgBars	chart = chart_of(bars, 14);

	for (int i = 0; i < 14; i++)
		bars[i] = (MpSvgBar) {string("f"), string(""), 14 - i};
	REQUIRE(mp_svg_bars(&chart, true, &out));
	CHECK(count(&out, "mp-bar") == 13 + 2);	/* and two rules of the style */
	CHECK(has(&out, ">2 others<"));
	out.size = 0;
	REQUIRE(mp_svg_bars(&chart, false, &out));
	CHECK(count(&out, "mp-bar") == 12 + 2);
	CHECK(has(&out, ">2 others<"));
	mp_vec_release(&out);
}

MP_TEST(svg_cuts_long_names_in_the_middle)
{
	char		name[301];
	MpSvgBar	bars[2] = {{{0}}};
	MpVec		out = {&mp_alloc_malloc};
	MpSvgBars	chart = chart_of(bars, 2);

	for (int i = 0; i < 100; i++)
		memcpy(name + 3 * i, "\xe5\xb9\xb4", 4);
	bars[0] = (MpSvgBar) {string(name), string("7"), 1};
	bars[1] = (MpSvgBar) {string("average_monthly_transaction_amount_over_the_last_90d"), string(""), 0.5};
	chart.style.width = 600;
	REQUIRE(waterfall(&chart, 0, 1, &out));
	CHECK(is_sound_xml(&out));
	CHECK(mp_utf8_valid((MpString) {out.data, out.size}));
	CHECK(has(&out, "\xe5\xb9\xb4\xe2\x80\xa6\xe5\xb9\xb4"));
	/* whole in the tooltip, cut in the label */
	CHECK(count(&out, "\xe5\xb9\xb4") > 105 && count(&out, "\xe5\xb9\xb4") < 130);
	CHECK(has(&out, ">average_monthly_"));
	CHECK(has(&out, "the_last_90d</text>"));
	mp_vec_release(&out);
}

/* A family of three joined by U+200D is one character; so is a letter with its accent. */
MP_TEST(svg_does_not_cut_within_characters)
{
	const char *family = "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7";
	char		name[800] = "";
	MpSvgBar	bars[1];
	MpVec		out = {&mp_alloc_malloc};
	MpSvgBars	chart = chart_of(bars, 1);

	for (int i = 0; i < 40; i++)
		strcat(name, family);
	bars[0] = (MpSvgBar) {string(name), string(""), 1};
	for (int width = 280; width < 700; width += 5)
	{
		chart.style.width = width;
		out.size = 0;
		REQUIRE(waterfall(&chart, 0, 1, &out));
		CHECK(!has(&out, "\xe2\x80\x8d\xe2\x80\xa6"));
		CHECK(!has(&out, "\xe2\x80\xa6\xe2\x80\x8d"));
	}
	mp_vec_release(&out);
}

MP_TEST(svg_isolates_text_from_right_to_left)
{
	/* Arabic, then a mark that would turn what follows */
	const char *name = "\xd8\xb9\xd9\x82\xd8\xaf (2\xe2\x80\xae)";
	MpSvgBar	bars[2] = {{string(name), string("1"), 1}, {string("plain"), string("1"), -1}};
	MpVec		out = {&mp_alloc_malloc};
	MpSvgBars	chart = chart_of(bars, 2);

	REQUIRE(waterfall(&chart, 0, 1, &out));
	CHECK(has(&out, "\xe2\x81\xa8\xd8\xb9\xd9\x82\xd8\xaf (2?)\xe2\x81\xa9"));
	CHECK(has(&out, ">plain<"));
	mp_vec_release(&out);
}

MP_TEST(svg_numbers_fit_beside_the_bars)
{
	MpSvgBar	bars[2] = {{string("a"), string("1"), 1e-7}, {string("b"), string("1"), -2e-8}};
	MpVec		out = {&mp_alloc_malloc};
	MpSvgBars	chart = chart_of(bars, 2);

	REQUIRE(waterfall(&chart, 0.5, 0.50000008, &out));
	CHECK(has(&out, ">+1e-7<") && has(&out, ">-2e-8<"));
	/* the smallest number that is written out */
	bars[0].amount = 1.5e-4;
	out.size = 0;
	REQUIRE(waterfall(&chart, 0, 1.5e-4, &out));
	CHECK(has(&out, ">+0.00015<") && has(&out, ">0.00000<"));
	/* what is rounded to nothing has no sign where it stands for a level */
	bars[0].amount = 64;
	bars[1].amount = -64.001;
	out.size = 0;
	REQUIRE(waterfall(&chart, 0, -0.001, &out));
	CHECK(has(&out, ">0.0<") && !has(&out, ">-0.0<"));
	mp_vec_release(&out);
}

MP_TEST(svg_numbers_have_one_style)
{
	char		buffer[MP_SVG_NUMBER];
	static const struct
	{
		double		x;
		const char *shortest;
	}			cases[] = {
		{0, "0"}, {0.3f, "0.3"}, {-2.44146728515625, "-2.4414673"}, {(float) 2.44, "2.44"},
		{1e6, "1,000,000"}, {123456789, "123,456,792"}, {1e9, "1e9"}, {-2.5e12, "-2.5e12"}, {1e-7, "1e-7"},
		{INFINITY, "Infinity"}, {-INFINITY, "-Infinity"}, {NAN, "NaN"}, {1e300, "1e300"}
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK(strcmp(mp_svg_shortest(buffer, cases[i].x), cases[i].shortest) == 0);
	CHECK(strcmp(mp_svg_number(buffer, 1234567.891, 2, true), "+1,234,567.89") == 0);
	CHECK(strcmp(mp_svg_number(buffer, 999, 0, false), "999") == 0);
	CHECK(strcmp(mp_svg_number(buffer, -0.0001, 2, false), "0.00") == 0);
	CHECK(strlen(mp_svg_number(buffer, -123456789.123456, 5, true)) < MP_SVG_NUMBER);
}

MP_TEST(svg_ticks_are_round)
{
	MpSvgTick	ticks[MP_SVG_TICKS];

	REQUIRE(mp_svg_ticks(-1.03, 1.3, 5, ticks) == 5);
	CHECK(strcmp(ticks[0].label, "-1.0") == 0 && strcmp(ticks[4].label, "1.0") == 0);
	REQUIRE(mp_svg_ticks(0, 1, 5, ticks) == 6);
	CHECK(strcmp(ticks[1].label, "0.2") == 0);
	CHECK(mp_svg_ticks(1, 1, 5, ticks) == 0);
	CHECK(mp_svg_ticks(0, INFINITY, 5, ticks) == 0);
	CHECK(mp_svg_ticks(0, NAN, 5, ticks) == 0);
	CHECK(mp_svg_ticks(1e300, 1.0000001e300, 5, ticks) <= MP_SVG_TICKS);
}

/* What the other tests look into, as a whole. */
MP_TEST(svg_pictures)
{
	MpSvgBar	bars[] = {
		{string("average_monthly_transaction_amount_over_90d"), string("1,204.50"), 0.82},
		{string("average_monthly_transaction_amount_over_30d"), string("1,180.00"), -0.31},
		{string("\xd9\x86\xd9\x88\xd8\xb9 \xd8\xa7\xd9\x84\xd8\xb9\xd9\x82\xd8\xaf (\xd8\xb4\xd9\x87\xd8\xb1)"), string("\xd8\xb4\xd9\x87\xd8\xb1\xd9\x8a"), 0.44},
		{string("\xe5\xae\xa2\xe6\x88\xb7\xe5\xb9\xb4\xe9\xbe\x84"), string("42"), -0.12},
		{string("mood \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb"), string("\xf0\x9f\x98\x80"), 0.05},
		{string("tenure"), string("2"), 0.2},
		{string("a"), string("missing"), 0.01},
		{string("b"), string("0"), -0.02}
	};
	static const double fpr[] = {0, 0, 0.1, 0.3, 1};
	static const double tpr[] = {0, 0.4, 0.7, 0.9, 1};
	static const double edges[] = {0, 0.25, 0.5, 0.75, 1};
	static const double old[] = {0.4, 0.3, 0.2, 0.1};
	static const double new[] = {0.3, 0.3, 0.1, 0.3};
	static const MpSvgTick probabilities[] = {{-1.386, "20%"}, {0, "50%"}, {0.847, "70%"}};
	MpSvgScale	second = {{"probability", 11}, probabilities, 3};
	MpSvgSeries roc[] = {{string("churn@1"), MP_SVG_LINE_KIND, fpr, tpr, 5}, {string("churn@2"), MP_SVG_POINTS, fpr, fpr, 5}};
	MpSvgSeries histogram[] = {{string("training"), MP_SVG_COLUMNS, edges, old, 4}, {string("today"), MP_SVG_COLUMNS, edges, new, 4}};
	MpSvgBars	chart = chart_of(bars, 8);
	MpSvgPlot	plot = {.title = string("ROC"), .caption = string("Area 0.84."),
	.x = {string("false positives"), 0, 1, true}, .y = {string("true positives"), 0, 1, true},
	.diagonal = true, .series = roc, .n_series = 2};
	MpVec		out = {&mp_alloc_malloc};
	static const int widths[] = {760, 380, 1200};

	chart.title = string("churn version 3: nein, 87.0%");
	chart.caption = string("Reasons for ja. On average its probability is 26.4%.");
	chart.style.top = 7;
	for (int i = 0; i < 3; i++)
	{
		char		name[32];

		chart.style.width = plot.style.width = widths[i];
		chart.style.theme = i == 1 ? MP_SVG_DARK : MP_SVG_AUTO;
		plot.style.theme = i == 2 ? MP_SVG_LIGHT : MP_SVG_AUTO;
		out.size = 0;
		REQUIRE(mp_svg_waterfall(&chart, -1.03, 0.02, string("log-odds"), &second, &out));
		snprintf(name, sizeof(name), "reasons-%d", widths[i]);
		is_picture(name, &out);
		out.size = 0;
		REQUIRE(mp_svg_plot(&plot, &out));
		snprintf(name, sizeof(name), "curves-%d", widths[i]);
		is_picture(name, &out);
	}
	chart.style = plot.style = (MpSvgStyle) {0};
	out.size = 0;
	REQUIRE(mp_svg_bars(&chart, true, &out));
	is_picture("bars", &out);
	plot.series = histogram;
	plot.y.high = 0.5;
	plot.diagonal = false;
	out.size = 0;
	REQUIRE(mp_svg_plot(&plot, &out));
	is_picture("columns", &out);
	mp_vec_release(&out);
}

MP_TEST(svg_survives_odd_numbers)
{
	MpSvgBar	bars[4] = {
		{string("a"), string(""), NAN},
		{string("b"), string(""), INFINITY},
		{string("c"), string(""), -1e300},
		{string("d"), string(""), 1e-300}
	};
	MpVec		out = {&mp_alloc_malloc};
	MpSvgBars	chart = chart_of(bars, 4);
	static const double ends[] = {0, NAN, INFINITY, -INFINITY, 1e308, -1e308};

	for (int i = 0; i < 6; i++)
	{
		out.size = 0;
		REQUIRE(waterfall(&chart, ends[i], ends[5 - i], &out));
		CHECK(is_sound_xml(&out));
		CHECK(!has(&out, "x=\"nan") && !has(&out, "x=\"inf") && !has(&out, "width=\"nan"));
		CHECK(!has(&out, "x=\"-nan") && !has(&out, "x=\"-inf") && !has(&out, "width=\"inf"));
	}
	out.size = 0;
	REQUIRE(mp_svg_bars(&chart, true, &out));
	CHECK(is_sound_xml(&out));
	CHECK(!has(&out, "width=\"nan") && !has(&out, "width=\"inf"));
	chart.n_bars = 0;
	out.size = 0;
	REQUIRE(waterfall(&chart, 0.5, 0.5, &out));
	CHECK(is_sound_xml(&out));
	mp_vec_release(&out);
}

MP_TEST(svg_says_when_memory_is_out)
{
	MpSvgBar	bars[2] = {{string("a"), string("1"), 1}, {string("b"), string("2"), -1}};
	MpSvgBars	chart = chart_of(bars, 2);

	for (size_t at = 1; at < 1000; at++)
	{
		MpCounting	counting;
		MpVec		out = {&counting.alloc};
		bool		ok;

		mp_counting_init(&counting);
		counting.fail_at = at;
		ok = waterfall(&chart, 0, 0, &out);
		mp_vec_release(&out);
		CHECK(counting.n_blocks == 0);
		if (ok)
		{
			CHECK(at > 3);
			return;
		}
	}
	CHECK(false);
}
