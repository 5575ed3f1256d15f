/*
 * test_svg.c: the pictures: sound XML, everything escaped, the strongest first.
 */
#define _GNU_SOURCE				/* memmem */
#include "harness.h"
#include "core/text/svg.h"

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

static MpSvgChart
chart_of(const MpSvgBar *bars, size_t n)
{
	MpSvgChart	chart = {string("Why?"), string("log-odds"), bars, n};

	return chart;
}

MP_TEST(svg_escapes_all_text)
{
	const char *evil = "<script>alert('x')</script>&\"\x01\xff";
	MpSvgBar	bars[1] = {{string(evil), string(evil), 1}};
	MpSvgChart	chart = {string(evil), string(evil), bars, 1};
	MpVec		out = {&mp_alloc_malloc};

	REQUIRE(mp_svg_waterfall(&chart, 0, 1, &out));
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
	MpSvgChart	chart = chart_of(bars, 15);

	for (int i = 0; i < 15; i++)
	{
		snprintf(names[i], sizeof(names[i]), "feature%d", i);
		bars[i] = (MpSvgBar) {string(names[i]), string("1"), i % 2 ? -0.125 * i : 0.125 * i};
	}
	REQUIRE(mp_svg_waterfall(&chart, 0, 0.875, &out));
	CHECK(is_sound_xml(&out));
	/* 0, 1 and 2 are the weakest: 0 - 0.125 + 0.25 */
	CHECK(!has(&out, ">feature2<"));
	CHECK(has(&out, ">feature3<"));
	CHECK(has(&out, ">3 others<"));
	CHECK(has(&out, ">+0.12<") || has(&out, ">+0.13<"));
	CHECK(has(&out, ">-1.62<") || has(&out, ">-1.63<"));
	CHECK(count(&out, "class=\"mp-up") == 7);
	CHECK(count(&out, "class=\"mp-down") == 6);
	CHECK(memmem(out.data, out.size, "feature14", 9) < memmem(out.data, out.size, "feature13", 9));
	mp_vec_release(&out);
}

MP_TEST(svg_bars_of_others_only_where_they_add_up)
{
	MpSvgBar	bars[14] = {{{0}}};
	MpVec		out = {&mp_alloc_malloc};
	MpSvgChart	chart = chart_of(bars, 14);

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

MP_TEST(svg_cuts_long_names_between_characters)
{
	char		name[301];
	MpSvgBar	bars[1] = {{{0}}};
	MpVec		out = {&mp_alloc_malloc};
	MpSvgChart	chart = chart_of(bars, 1);

	for (int i = 0; i < 100; i++)
		memcpy(name + 3 * i, "\xe5\xb9\xb4", 4);
	bars[0] = (MpSvgBar) {string(name), string("7"), 1};
	REQUIRE(mp_svg_waterfall(&chart, 0, 1, &out));
	CHECK(is_sound_xml(&out));
	CHECK(mp_utf8_valid((MpString) {out.data, out.size}));
	CHECK(has(&out, "\xe5\xb9\xb4\xe2\x80\xa6"));
	/* whole in the tooltip, cut in the label */
	CHECK(count(&out, "\xe5\xb9\xb4") > 105 && count(&out, "\xe5\xb9\xb4") < 130);
	mp_vec_release(&out);
}

MP_TEST(svg_numbers_fit_beside_the_bars)
{
	MpSvgBar	bars[2] = {{string("a"), string("1"), 1e-7}, {string("b"), string("1"), -2e-8}};
	MpVec		out = {&mp_alloc_malloc};
	MpSvgChart	chart = chart_of(bars, 2);

	REQUIRE(mp_svg_waterfall(&chart, 0.5, 0.50000008, &out));
	CHECK(has(&out, ">+1.0e-07<") && has(&out, ">-2.0e-08<"));
	CHECK(count(&out, ">0.5<") == 2);
	/* the smallest number that is written out */
	bars[0].amount = 1.5e-4;
	out.size = 0;
	REQUIRE(mp_svg_waterfall(&chart, 0, 1.5e-4, &out));
	CHECK(has(&out, ">+0.00015<") && has(&out, ">0.00000<"));
	/* what is rounded to nothing has no sign where it stands for a level */
	bars[0].amount = 64;
	bars[1].amount = -64.001;
	out.size = 0;
	REQUIRE(mp_svg_waterfall(&chart, 0, -0.001, &out));
	CHECK(has(&out, ">0.0<") && !has(&out, ">-0.0<"));
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
	MpSvgChart	chart = chart_of(bars, 4);
	static const double ends[] = {0, NAN, INFINITY, -INFINITY, 1e308, -1e308};

	for (int i = 0; i < 6; i++)
	{
		out.size = 0;
		REQUIRE(mp_svg_waterfall(&chart, ends[i], ends[5 - i], &out));
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
	REQUIRE(mp_svg_waterfall(&chart, 0.5, 0.5, &out));
	CHECK(is_sound_xml(&out));
	mp_vec_release(&out);
}

MP_TEST(svg_says_when_memory_is_out)
{
	MpSvgBar	bars[2] = {{string("a"), string("1"), 1}, {string("b"), string("2"), -1}};
	MpSvgChart	chart = chart_of(bars, 2);

	for (size_t at = 1; at < 100; at++)
	{
		MpCounting	counting;
		MpVec		out = {&counting.alloc};
		bool		ok;

		mp_counting_init(&counting);
		counting.fail_at = at;
		ok = mp_svg_waterfall(&chart, 0, 0, &out);
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
