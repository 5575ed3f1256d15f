/*
 * test_hostile_syntax.c: bytes that are no document at all, or a broken one;
 * and documents made to eat memory or stack.
 */
#include "craft.h"
#include "harness.h"

#include <stdlib.h>
#include <string.h>

/* Loads the bytes and expects an error of this code whose message has this part. */
static void
expect(const void *data, size_t size, MpErrorCode code, const char *message, const char *what)
{
	MpOutcome	outcome = mp_craft_load(data, size, NULL, 0);

	CHECK_SAY(outcome.error.code == code && strstr(outcome.error.message, message) != NULL,
			  "%s: \"%s\" (code %d), expected \"%s\" (code %d)", what, outcome.error.message,
			  outcome.error.code, message, code);
	mp_craft_check(&outcome, size, what);
}

#define EXPECT(literal, code, message) \
	expect(literal, sizeof(literal) - 1, code, message, #literal)

#define NOT_A_MODEL MP_ERROR_NOT_A_MODEL
#define SYNTAX MP_ERROR_SYNTAX

MP_TEST(hostile_other_files)
{
	EXPECT("", NOT_A_MODEL, "it is empty");
	EXPECT("x", NOT_A_MODEL, "it looks like text");
	EXPECT("\0", NOT_A_MODEL, "no format that is known");
	EXPECT("\0\0\0\0\0\0\0\0\0\0\0\0", NOT_A_MODEL, "no format that is known");
	EXPECT("\x1f\x8b\x08\0\0\0\0\0", NOT_A_MODEL, "gzip-compressed data");
	EXPECT("PK\x03\x04\x14\0", NOT_A_MODEL, "a zip archive");
	EXPECT("\x80\x04\x95\x0b", NOT_A_MODEL, "a Python pickle");
	EXPECT("tree\nversion=v3\n", SYNTAX, "the file ends before its trees");
	EXPECT("CBM1\x10\0", NOT_A_MODEL, "a CatBoost model");
	EXPECT("\x08\x07\x12\x08skl2onnx", NOT_A_MODEL, "an ONNX model");
	EXPECT("\x89HDF\r\n\x1a\n", NOT_A_MODEL, "an HDF5 file");
	EXPECT("<?xml version=\"1.0\"?><PMML>", NOT_A_MODEL, "PMML");
	EXPECT("<PMML version=\"4.4\">", NOT_A_MODEL, "PMML");
	EXPECT("<!DOCTYPE html>", NOT_A_MODEL, "an HTML page");
	EXPECT("version https://git-lfs.github.com/spec/v1\n", NOT_A_MODEL, "a Git LFS pointer");
	EXPECT("booster[0]:\n0:[f0<0.5]", NOT_A_MODEL, "a text dump");
	EXPECT("\\x7b4c0000", NOT_A_MODEL, "the text form of a bytea");
	EXPECT("7b4c000000", NOT_A_MODEL, "hexadecimal text");
	EXPECT("eyJsZWFybmVyIjp7", NOT_A_MODEL, "base64 text");
	EXPECT("bs64AAAA", NOT_A_MODEL, "base64");
	EXPECT("id,age,score\n1,2,3\n", NOT_A_MODEL, "it looks like text");
	EXPECT("[{\"nodeid\":0}]", NOT_A_MODEL, "a dump of trees");
	EXPECT("null", NOT_A_MODEL, "text");
	EXPECT("{\"a\":1}", NOT_A_MODEL, "a document that begins with \"a\"");
	EXPECT("{L\0\0\0\0\0\0\0\1aZ}", NOT_A_MODEL, "a document that begins with \"a\"");
	EXPECT("\xef\xbb\xbf{\"learner\":{}}", NOT_A_MODEL, "a byte order mark");
}

/* Too large for 32-bit offsets: not a byte of it is looked at. */
MP_TEST(hostile_too_large)
{
	MpForest   *forest;
	MpError		error;

	CHECK(!mp_model_load(&mp_alloc_malloc, "{", (size_t) 3 << 30, NULL, &forest, NULL, &error));
	CHECK(strstr(error.message, "a model of 3221225472 bytes") != NULL);
}

MP_TEST(hostile_json)
{
	EXPECT("{", SYNTAX, "expected a name in quotes, not the end of the file");
	EXPECT("{}", MP_ERROR_INVALID, "field \"learner\" is missing in \"model\"");
	EXPECT(" \n\t{ }", MP_ERROR_INVALID, "field \"learner\" is missing");
	EXPECT("{\"learner\"", SYNTAX, "expected \":\", not the end of the file");
	EXPECT("{\"learner\":", SYNTAX, "expected a value, not the end of the file");
	EXPECT("{\"learner\" {}}", SYNTAX, "expected \":\", not \"{\"");
	EXPECT("{\"learner\":1}", MP_ERROR_INVALID, "expected an object, not a number");
	EXPECT("{\"learner\":{}}", MP_ERROR_INVALID, "is missing in \"learner\"");
	EXPECT("{\"version\":[1,0,0],}", SYNTAX, "expected a name in quotes, not \"}\"");
	EXPECT(" {,\"version\":[1,0,0]}", SYNTAX, "expected a name in quotes, not \",\"");
	EXPECT("{\"version\":[1,0,0]\"learner\":1}", SYNTAX, "expected \",\" or \"}\", not \"\"\"");
	EXPECT("{\"version\":[1,0,0,]}", SYNTAX, "expected a value, not \"]\"");
	EXPECT("{\"version\":[,1,0,0]}", SYNTAX, "expected a value, not \",\"");
	EXPECT("{\"version\":[1 0 0]}", SYNTAX, "expected \",\" or \"]\", not \"0\"");
	EXPECT("{\"version\":[1,0,0}", SYNTAX, "expected \",\" or \"]\", not \"}\"");
	EXPECT("{\"version\":[-]}", SYNTAX, "malformed number");
	EXPECT("{\"version\":[01]}", SYNTAX, "malformed number");
	EXPECT("{\"version\":[1.]}", SYNTAX, "malformed number");
	EXPECT("{\"version\":[1e]}", SYNTAX, "malformed number");
	EXPECT("{\"version\":[+1]}", SYNTAX, "expected a value, not \"+\"");
	EXPECT("{\"version\":[.5]}", SYNTAX, "expected a value, not \".\"");
	EXPECT("{\"version\":[0x10]}", SYNTAX, "expected \",\" or \"]\", not \"x\"");
	EXPECT("{\"version\":[1.5]}", MP_ERROR_INVALID, "expected a whole number");
	EXPECT("{\"version\":[NaN]}", MP_ERROR_INVALID, "expected a whole number");
	EXPECT("{\"version\":[Nan]}", SYNTAX, "expected NaN or Infinity");
	EXPECT("{\"version\":[-Inf]}", SYNTAX, "expected NaN or Infinity");
	EXPECT("{\"version\":[99999999999999999999]}",
		   MP_ERROR_INVALID, "out of the range of a 64-bit");
	EXPECT("{\"version\":[tru]}", MP_ERROR_INVALID, "expected a whole number, not a boolean");
	EXPECT("{\"learner\":tru}", MP_ERROR_INVALID, "expected an object, not a boolean");
	EXPECT("{\"learner\":{\"attributes\":{\"a\":\"b\n\"}}}",
		   SYNTAX, "control character in a string");
	EXPECT("{\"learner\":{\"attributes\":{\"a\":\"\\x\"}}}", SYNTAX, "broken escape sequence");
	EXPECT("{\"learner\":{\"attributes\":{\"a\":\"\\u12g4\"}}}", SYNTAX, "broken escape sequence");
	EXPECT("{\"learner\":{\"attributes\":{\"a\":\"\\ud800\"}}}", SYNTAX, "broken escape sequence");
	EXPECT("{\"learner\":{\"attributes\":{\"a\":\"\\udc00\"}}}", SYNTAX, "broken escape sequence");
	EXPECT("{\"learner\":{\"attributes\":{\"a\":\"\\ud800\\u0041\"}}}", SYNTAX, "broken escape");
	EXPECT("{\"learner\":{\"attributes\":{\"a\":\"b", SYNTAX, "expected the end of the string");
	EXPECT("{\"learner\":{\"attributes\":{\"a\":\"\\", SYNTAX, "broken escape sequence");
	EXPECT("{\"learner\":{\"attributes\":{\"a\":1}}}",
		   MP_ERROR_INVALID, "expected a string, not a number");
	EXPECT("{\"learner\":{\"objective\":{\"x\":[1,{\"y\":nul}]}}}",
		   SYNTAX, "expected null, not \"n\"");
	EXPECT("{\"learner\":{\"objective\":{\"x\":[1,{\"y\":truex}]}}}",
		   SYNTAX, "expected \",\" or \"}\"");
	EXPECT("{\"learner\":{\"objective\":{\"x\":[1e999]}}}", MP_ERROR_INVALID, "32-bit float");
	EXPECT("{\"learner\":{\"objective\":{\"x\":{1:2}}}}", SYNTAX, "expected a name in quotes");
}

/* UBJSON keys: L and eight bytes of length */
#define KEY(n, text) "L\0\0\0\0\0\0\0" n text
#define VERSION "{" KEY("\7", "version")

MP_TEST(hostile_ubjson)
{
	EXPECT("{L", SYNTAX, "the file ends in the middle of a value");
	EXPECT("{#L\0\0\0\0\0\0\0\1", SYNTAX, "expected a length, not the byte 0x23 (\"#\")");
	EXPECT("{$i#L\0\0\0\0\0\0\0\1", SYNTAX, "expected a length, not the byte 0x24");
	EXPECT("{Ld", SYNTAX, "the file ends");
	EXPECT("{d\0\0\0\0", SYNTAX, "expected a length, not the byte 0x64");
	EXPECT("{i\x7f" "abc", SYNTAX, "length 127 does not fit in the 5 bytes that remain");
	EXPECT("{i\xff" "abc", SYNTAX, "length -1 does not fit");
	EXPECT("{L\0\0\0\0\x40\0\0\0", SYNTAX, "length 1073741824 does not fit");
	EXPECT("{L\x40\0\0\0\0\0\0\0", SYNTAX, "length 4611686018427387904 does not fit");
	EXPECT("{L\xff\xff\xff\xff\xff\xff\xff\xff", SYNTAX, "length -1 does not fit");
	EXPECT(VERSION, SYNTAX, "the file ends in the middle of a value");
	EXPECT(VERSION "N", SYNTAX, "expected a value, not the byte 0x4e (\"N\")");
	EXPECT(VERSION "H", SYNTAX, "expected a value, not the byte 0x48");
	EXPECT(VERSION "\xff", SYNTAX, "expected a value, not the byte 0xff (\"?\")");
	EXPECT(VERSION "[$", SYNTAX, "the file ends");
	EXPECT(VERSION "[$l", SYNTAX, "the file ends");
	EXPECT(VERSION "[$Z#L\0\0\0\0\x7f\0\0\0", SYNTAX, "expected the type of an array's numbers");
	EXPECT(VERSION "[$T#i\x7f", SYNTAX, "expected the type of an array's numbers");
	EXPECT(VERSION "[$[#i\x7f", SYNTAX, "expected the type of an array's numbers");
	EXPECT(VERSION "[$S#i\x7f", SYNTAX, "expected the type of an array's numbers");
	EXPECT(VERSION "[$lL\0\0\0\0\0\0\0\1", SYNTAX, "expected \"#\" behind the type");
	EXPECT(VERSION "[#Z", SYNTAX, "expected a length");
	EXPECT(VERSION "[#L\0\0\0\0\0\0\1\0i\1", SYNTAX, "length 256 does not fit");
	EXPECT(VERSION "[$l#L\0\0\0\0\0\0\0\2\0\0\0\1\0\0\0", SYNTAX, "length 2 does not fit");
	EXPECT(VERSION "[$l#L\x20\0\0\0\0\0\0\1\0\0\0\1",
		   SYNTAX, "length 2305843009213693953 does not fit");
	EXPECT(VERSION "[$L#L\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\1", SYNTAX, "does not fit");
	EXPECT(VERSION "[$l#L\0\0\0\0\0\0\0\1\0\0\0\1}",
		   MP_ERROR_INVALID, "3 numbers of a version, not 1");
	EXPECT(VERSION "[i\1i\2i\3", SYNTAX, "the file ends");
	EXPECT(VERSION "[d\0\0\0\0]}", MP_ERROR_INVALID, "expected a whole number, not a float");
	EXPECT(VERSION "[Z]}", MP_ERROR_INVALID, "expected a whole number, not null");
	EXPECT(VERSION "[F]}", MP_ERROR_INVALID, "expected a whole number, not a boolean");
	EXPECT(VERSION "[SL\0\0\0\0\0\0\0\1" "a]}",
		   MP_ERROR_INVALID, "expected a whole number, not a string");
}

/* A sound model with something behind it. */
MP_TEST(hostile_trailing_bytes)
{
	MpBlob		text = mp_blob_copy(mp_craft_trees, strlen(mp_craft_trees) + 1);
	MpBlob		ubjson = mp_craft_ubjson(mp_craft_trees, strlen(mp_craft_trees));
	char	   *longer = malloc(ubjson.size + 3);

	text.data[text.size - 1] = '}';
	expect(text.data, text.size, SYNTAX, "bytes follow the end of the model: 1", "JSON and }");
	text.data[text.size - 1] = '\0';
	expect(text.data, text.size, SYNTAX, "bytes follow the end of the model: 1", "JSON and NUL");
	text.data[text.size - 1] = '\n';
	expect(text.data, text.size, MP_OK, "", "JSON and a new line");
	memcpy(longer, ubjson.data, ubjson.size);
	memcpy(longer + ubjson.size, "\n{}", 3);
	expect(longer, ubjson.size + 3, SYNTAX, "bytes follow the end of the model: 3", "UBJSON and {}");
	free(longer);
	mp_blob_free(&text);
	mp_blob_free(&ubjson);
}

/* `n` times the same bytes behind a beginning. */
static void
expect_repeated(const char *start, size_t start_size, const char *unit, size_t unit_size, size_t n,
				MpErrorCode code, const char *message)
{
	size_t		size = start_size + unit_size * n;
	char	   *data = malloc(size);

	memcpy(data, start, start_size);
	for (size_t i = 0; i < n; i++)
		memcpy(data + start_size + i * unit_size, unit, unit_size);
	expect(data, size, code, message, unit);
	free(data);
}

#define REPEAT(start, unit, n, code, message) \
	expect_repeated(start, sizeof(start) - 1, unit, sizeof(unit) - 1, n, code, message)

MP_TEST(hostile_depth)
{
	const char *deep = "nesting is deeper than 32 levels";

	REPEAT("{\"learner\":{\"objective\":{\"x\":", "[", 3000000, SYNTAX, deep);
	REPEAT("{\"learner\":{\"objective\":{\"x\":", "{\"a\":", 3000000, SYNTAX, deep);
	REPEAT("{\"version\":", "[", 3000000,
		   MP_ERROR_INVALID, "expected a whole number, not an array");
	REPEAT("", "[", 3000000, NOT_A_MODEL, "JSON array");
	REPEAT("", "{", 3000000, SYNTAX, "expected a length");
	REPEAT("{" KEY("\7", "learner") "{" KEY("\11", "objective") "{" KEY("\1", "x"), "[", 3000000,
		   SYNTAX, deep);
	REPEAT("{" KEY("\7", "learner") "{" KEY("\11", "objective") "{" KEY("\1", "x"),
		   "[#L\0\0\0\0\0\0\0\1", 300000, SYNTAX, deep);
	REPEAT("{" KEY("\7", "learner") "{" KEY("\11", "objective") "{" KEY("\1", "x"),
		   "{" KEY("\1", "a"), 300000, SYNTAX, deep);
}

/* Many small things, which must not become large ones. */
MP_TEST(hostile_bloat)
{
	REPEAT("{\"learner\":{\"feature_names\":[\"\"", ",\"\"", 2000000, SYNTAX, "end of the file");
	REPEAT("{\"learner\":{\"feature_types\":[\"c\"", ",\"c\"", 2000000, SYNTAX, "end of the file");
	REPEAT("{\"learner\":{\"gradient_booster\":{\"model\":{\"cats\":{\"enc\":["
		   "{\"offsets\":[],\"values\":[]}",
		   ",{\"offsets\":[],\"values\":[]}", 200000, SYNTAX, "end of the file");
	REPEAT("{\"learner\":{\"gradient_booster\":{\"model\":{\"cats\":{\"enc\":["
		   "{\"type\":9,\"values\":[1",
		   ",1", 4000000, SYNTAX, "end of the file");
	REPEAT("{\"learner\":{\"gradient_booster\":{\"model\":{\"trees\":[{\"left_children\":[1", ",1",
		   4000000, SYNTAX, "end of the file");
	REPEAT("{\"learner\":{\"attributes\":{\"a\":\"", "\\n", 4000000,
		   SYNTAX, "the end of the string");
	REPEAT("{\"learner\":{\"objective\":{\"x\":\"", "a", 4000000, SYNTAX, "the end of the string");
	REPEAT("{", " ", 4000000, SYNTAX, "a name in quotes");
}
