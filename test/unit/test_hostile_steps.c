/*
 * test_hostile_steps.c: preprocessing documents with one fault each: every one
 * must be refused with a sentence that names the place; and documents that are
 * made to take memory or time.
 */
#include "harness.h"
#include "core/steps/steps_check.h"
#include "core/steps/steps_read.h"
#include "core/text/text.h"

#include <stdlib.h>
#include <string.h>

/* Refused, with this in the message, at whatever request of memory fails; nothing is left behind. */
static void
check_refused(const char *document, size_t size, const char *message)
{
	MpCounting	counting;
	MpSteps    *steps;
	MpError		error;

	mp_counting_init(&counting);
	if (mp_steps_read(&counting.alloc, document, size, &steps, &error))
	{
		CHECK_SAY(false, "taken: %.200s", document);
		mp_alloc_release(&counting.alloc, steps);
	}
	else
		CHECK_SAY(strstr(error.message, message) != NULL, "expected \"%s\", got \"%s\": %.200s",
				  message, error.message, document);
	CHECK_SAY(counting.n_blocks == 0, "left behind: %.200s", document);
}

typedef struct Case
{
	const char *text;
	const char *message;
} Case;

#define HEAD "{\"format\":1,\"inputs\":[{\"name\":\"n\",\"type\":\"number\"},{\"name\":\"m\",\"type\":\"number\"}," \
	"{\"name\":\"c\",\"type\":\"category\"},{\"name\":\"t\",\"type\":\"time\"}]"

static const Case documents[] = {
	{"", "expected"},
	{"[]", "expected an object, not an array"},
	{"7", "expected an object"},
	{"{", "expected a name"},
	{"{\"format\":1", "expected"},
	{"{}", "field \"format\" is missing"},
	{"{\"format\":1}", "field \"inputs\" is missing"},
	{HEAD "}", "field \"steps\" is missing"},
	{HEAD ",\"steps\":[]}", "field \"features\" is missing"},
	{HEAD ",\"steps\":[],\"features\":[]}", "features: there are none"},
	{HEAD ",\"steps\":[],\"features\":[\"n\"]} x", "bytes follow the end"},
	{HEAD ",\"steps\":[],\"features\":[\"n\"],\"colour\":1}", "unknown field \"colour\""},
	{HEAD ",\"steps\":[],\"features\":[\"n\"],\"format\":1}", "field \"format\" comes twice"},
	{HEAD ",\"steps\":{},\"features\":[\"n\"]}", "steps: expected an array, not an object"},
	{HEAD ",\"steps\":[],\"features\":\"n\"}", "features: expected an array"},
	{HEAD ",\"steps\":[],\"features\":[\"q\"]}", "features[0]: no input or earlier step makes \"q\""},
	{HEAD ",\"steps\":[],\"features\":[\"n\",7]}", "features[1]: expected a string"},
	{HEAD ",\"steps\":[],\"features\":[\"c\"]}", "features[0]: \"c\" holds no numbers"},
	{HEAD ",\"steps\":[],\"features\":[\"t\"]}", "features[0]: \"t\" holds no numbers"},
	{HEAD ",\"steps\":[],\"features\":[\"n\"],\"sparse\":1}", "sparse: expected a boolean"},
	{HEAD ",\"steps\":[],\"features\":[\"n\"],\"output\":{}}", "output: expected an array"},
	{"{\"format\":2,\"inputs\":[],\"steps\":[],\"features\":[]}", "format: this release knows format 1, not 2"},
	{"{\"format\":\"1\",\"inputs\":[],\"steps\":[],\"features\":[]}", "format: expected a whole number"},
	{"{\"format\":1,\"inputs\":[],\"steps\":[],\"features\":[]}", "inputs: there are none"},
	{"{\"format\":1,\"inputs\":[7],\"steps\":[],\"features\":[]}", "inputs[0]: expected an object"},
	{"{\"format\":1,\"inputs\":[{}],\"steps\":[],\"features\":[]}", "inputs[0]: field \"name\" is missing"},
	{"{\"format\":1,\"inputs\":[{\"name\":\"a\"}],\"steps\":[],\"features\":[]}", "inputs[0]: field \"type\" is missing"},
	{"{\"format\":1,\"inputs\":[{\"name\":7,\"type\":\"number\"}],\"steps\":[],\"features\":[]}", "inputs[0]: expected a string"},
	{"{\"format\":1,\"inputs\":[{\"name\":\"\",\"type\":\"number\"}],\"steps\":[],\"features\":[]}", "inputs[0]: a name is empty"},
	{"{\"format\":1,\"inputs\":[{\"name\":\"a\",\"type\":\"text\"}],\"steps\":[],\"features\":[]}", "inputs[0]: the type must be"},
	{"{\"format\":1,\"inputs\":[{\"name\":\"a\",\"type\":\"number\",\"x\":1}],\"steps\":[],\"features\":[]}", "inputs[0]: unknown field \"x\""},
	{"{\"format\":1,\"inputs\":[{\"name\":\"a\",\"name\":\"b\",\"type\":\"number\"}],\"steps\":[],\"features\":[]}", "inputs[0]: field \"name\" comes twice"},
	{"{\"format\":1,\"inputs\":[{\"name\":\"a\",\"type\":\"number\"},{\"name\":\"a\",\"type\":\"time\"}],\"steps\":[],\"features\":[]}", "inputs[1]: the name \"a\" is given twice"},
	{"{\"format\":1,\"inputs\":[{\"name\":\"a\\u0000b\",\"type\":\"number\"}],\"steps\":[],\"features\":[]}", "inputs[0]: a string is not valid UTF-8, or has the character 0"},
	{"{\"format\":1,\"inputs\":[{\"name\":\"a\xff\",\"type\":\"number\"}],\"steps\":[],\"features\":[]}", "inputs[0]: a string is not valid UTF-8"},
	{"{\"format\":1,\"inputs\":[{\"name\":\"a\\ud800\",\"type\":\"number\"}],\"steps\":[],\"features\":[]}", "broken escape"},
};

/* Each is the list of steps of a document that is sound otherwise. */
static const Case steps[] = {
	/* any op */
	{"7", "steps[0]: expected an object"},
	{"{}", "steps[0]: field \"op\" is missing"},
	{"{\"op\":7}", "steps[0]: field \"op\" may not hold a number"},
	{"{\"op\":\"fly\",\"in\":[\"n\"],\"out\":[\"y\"]}", "steps[0] (fly): unknown op \"fly\""},
	{"{\"op\":\"sigmoid\",\"a\":[1],\"b\":[1]}", "steps[0] (sigmoid): unknown op"},
	{"{\"op\":\"scale\",\"in\":[\"n\"]}", "steps[0] (scale): field \"out\" is missing"},
	{"{\"op\":\"scale\",\"out\":[\"y\"]}", "steps[0] (scale): field \"in\" is missing"},
	{"{\"op\":\"scale\",\"in\":[],\"out\":[]}", "may not be empty"},
	{"{\"op\":\"scale\",\"in\":[\"n\"],\"out\":[]}", "may not be empty"},
	{"{\"op\":\"scale\",\"in\":\"n\",\"out\":[\"y\"]}", "field \"in\" must be a list"},
	{"{\"op\":\"scale\",\"in\":[1],\"out\":[\"y\"]}", "field \"in\" may not hold a number"},
	{"{\"op\":\"scale\",\"in\":[[\"n\"]],\"out\":[\"y\"]}", "field \"in\" may not hold a list here"},
	{"{\"op\":\"scale\",\"in\":[{}],\"out\":[\"y\"]}", "field \"in\" may not hold an object"},
	{"{\"op\":\"scale\",\"in\":[null],\"out\":[\"y\"]}", "field \"in\" may not hold null"},
	{"{\"op\":\"scale\",\"in\":[\"n\",\"m\"],\"out\":[\"y\"]}", "must have as many entries, not 2 and 1"},
	{"{\"op\":\"scale\",\"in\":[\"q\"],\"out\":[\"y\"]}", "no input or earlier step makes \"q\""},
	{"{\"op\":\"scale\",\"in\":[\"y\"],\"out\":[\"y\"]}", "no input or earlier step makes \"y\""},
	{"{\"op\":\"scale\",\"in\":[\"n\"],\"out\":[\"n\"]}", "the name \"n\" is given twice"},
	{"{\"op\":\"scale\",\"in\":[\"n\",\"m\"],\"out\":[\"y\",\"y\"]}", "the name \"y\" is given twice"},
	{"{\"op\":\"scale\",\"in\":[\"n\"],\"out\":[\"\"]}", "a name is empty"},
	{"{\"op\":\"scale\",\"in\":[\"n\"],\"out\":[\"y\"]},{\"op\":\"scale\",\"in\":[\"y\"],\"out\":[\"y\"]}", "steps[1] (scale): the name \"y\" is given twice"},
	{"{\"op\":\"scale\",\"in\":[\"n\"],\"out\":[\"y\"],\"colour\":1}", "unknown field \"colour\""},
	{"{\"op\":\"scale\",\"in\":[\"n\"],\"out\":[\"y\"],\"edges\":[[]]}", "field \"edges\" is not for scale"},
	{"{\"op\":\"scale\",\"op\":\"bin\",\"in\":[\"n\"],\"out\":[\"y\"]}", "field \"op\" comes twice"},
	{"{\"op\":\"scale\",\"in\":[\"n\"],\"out\":[\"y\"],\"precision\":\"half\"}", "field \"precision\" may not be \"half\""},
	{"{\"op\":\"scale\",\"in\":[\"n\"],\"out\":[\"y\"],\"precision\":32}", "field \"precision\" may not hold a number"},
	{"{\"op\":\"scale\",\"in\":[\"n\"],\"out\":[\"y\"],\"subtract\":[NaN]}", "a number must be finite"},
	{"{\"op\":\"scale\",\"in\":[\"n\"],\"out\":[\"y\"],\"subtract\":[-Infinity]}", "a number must be finite"},
	{"{\"op\":\"scale\",\"in\":[\"n\"],\"out\":[\"y\"],\"subtract\":[1e999]}", "out of the range"},

	/* impute and is_missing */
	{"{\"op\":\"impute\",\"in\":[\"n\"],\"out\":[\"y\"]}", "field \"values\" is missing"},
	{"{\"op\":\"impute\",\"in\":[\"n\"],\"out\":[\"y\"],\"values\":[1,2]}", "field \"values\" must have 1 entries, not 2"},
	{"{\"op\":\"impute\",\"in\":[\"n\"],\"out\":[\"y\"],\"values\":[\"1\"]}", "field \"values\" holds \"1\", but the values are numbers"},
	{"{\"op\":\"impute\",\"in\":[\"n\"],\"out\":[\"y\"],\"values\":[[1]]}", "may not hold a list here"},
	{"{\"op\":\"impute\",\"in\":[\"n\",\"c\"],\"out\":[\"y\",\"z\"],\"values\":[1,\"a\"]}", "it cannot take numbers and labels together"},
	{"{\"op\":\"impute\",\"in\":[\"t\"],\"out\":[\"y\"],\"values\":[1]}", "it cannot take \"t\", which holds times"},
	{"{\"op\":\"impute\",\"in\":[\"n\"],\"out\":[\"y\"],\"values\":[1],\"missing_value\":\"a\"}", "field \"missing_value\" holds \"a\""},
	{"{\"op\":\"impute\",\"in\":[\"n\"],\"out\":[\"y\"],\"values\":[1],\"missing_value\":[1]}", "field \"missing_value\" may not hold a list"},
	{"{\"op\":\"is_missing\",\"in\":[\"t\"],\"out\":[\"y\"],\"missing_value\":1}", "field \"missing_value\" is not for times"},

	/* scale */
	{"{\"op\":\"scale\",\"in\":[\"c\"],\"out\":[\"y\"]}", "it cannot take \"c\", which holds labels"},
	{"{\"op\":\"scale\",\"in\":[\"n\"],\"out\":[\"y\"],\"subtract\":[]}", "field \"subtract\" must have 1 entries, not 0"},
	{"{\"op\":\"scale\",\"in\":[\"n\"],\"out\":[\"y\"],\"subtract\":1}", "field \"subtract\" must be a list"},
	{"{\"op\":\"scale\",\"in\":[\"n\"],\"out\":[\"y\"],\"subtract\":[null]}", "may not hold null"},
	{"{\"op\":\"scale\",\"in\":[\"n\"],\"out\":[\"y\"],\"divide\":[0]}", "field \"divide\" may not hold 0"},
	{"{\"op\":\"scale\",\"in\":[\"n\"],\"out\":[\"y\"],\"clip\":[1]}", "field \"clip\" must have 2 entries"},
	{"{\"op\":\"scale\",\"in\":[\"n\"],\"out\":[\"y\"],\"clip\":[2,1]}", "must begin with the lower bound"},

	/* one_hot */
	{"{\"op\":\"one_hot\",\"in\":[\"c\"],\"out\":[\"y\"]}", "field \"labels\" is missing"},
	{"{\"op\":\"one_hot\",\"in\":[\"c\",\"n\"],\"out\":[\"y\",\"z\"],\"labels\":[[\"a\"],[\"b\"]]}", "it takes one value, not 2"},
	{"{\"op\":\"one_hot\",\"in\":[\"t\"],\"out\":[\"y\"],\"labels\":[[\"a\"]]}", "which holds times"},
	{"{\"op\":\"one_hot\",\"in\":[\"c\"],\"out\":[\"y\"],\"labels\":[]}", "field \"labels\" must have 1 entries, not 0"},
	{"{\"op\":\"one_hot\",\"in\":[\"c\"],\"out\":[\"y\"],\"labels\":[\"a\"]}", "field \"labels\" must be a list of lists"},
	{"{\"op\":\"one_hot\",\"in\":[\"c\"],\"out\":[\"y\"],\"labels\":[[\"a\"],\"b\"]}", "must be a list of lists"},
	{"{\"op\":\"one_hot\",\"in\":[\"c\"],\"out\":[\"y\"],\"labels\":[\"b\",[\"a\"]]}", "mixes lists and values"},
	{"{\"op\":\"one_hot\",\"in\":[\"c\"],\"out\":[\"y\"],\"labels\":[[[\"a\"]]]}", "lists of lists of lists"},
	{"{\"op\":\"one_hot\",\"in\":[\"c\"],\"out\":[\"y\"],\"labels\":[[\"a\"],[\"b\"]]}", "must have 1 entries, not 2"},
	{"{\"op\":\"one_hot\",\"in\":[\"c\"],\"out\":[\"y\",\"z\"],\"labels\":[[\"a\"],[\"a\"]]}", "steps[0] (one_hot): a label is listed twice"},
	{"{\"op\":\"one_hot\",\"in\":[\"c\"],\"out\":[\"y\"],\"labels\":[[\"a\"]],\"zero\":[\"a\"]}", "a label is listed twice"},
	{"{\"op\":\"one_hot\",\"in\":[\"c\"],\"out\":[\"y\"],\"labels\":[[null]],\"zero\":[null]}", "null is listed twice"},
	{"{\"op\":\"one_hot\",\"in\":[\"n\"],\"out\":[\"y\"],\"labels\":[[1,-0,0.0]]}", "0 is listed twice"},
	{"{\"op\":\"one_hot\",\"in\":[\"n\"],\"out\":[\"y\"],\"labels\":[[\"a\"]]}", "field \"labels\" holds \"a\", but the values are numbers"},
	{"{\"op\":\"one_hot\",\"in\":[\"n\"],\"out\":[\"y\"],\"labels\":[[1]],\"zero\":[\"a\"]}", "field \"zero\" holds \"a\""},
	{"{\"op\":\"one_hot\",\"in\":[\"c\"],\"out\":[\"y\"],\"labels\":[[\"a\"]],\"unknown\":\"ignore\"}", "field \"unknown\" may not be \"ignore\""},
	{"{\"op\":\"one_hot\",\"in\":[\"c\"],\"out\":[\"y\"],\"labels\":[[\"a\"]],\"unknown\":1}", "must be the number of an output, from 0 to 0"},
	{"{\"op\":\"one_hot\",\"in\":[\"c\"],\"out\":[\"y\"],\"labels\":[[\"a\"]],\"unknown\":-1}", "must be the number of an output"},
	{"{\"op\":\"one_hot\",\"in\":[\"c\"],\"out\":[\"y\"],\"labels\":[[\"a\"]],\"unknown\":0.5}", "must be the number of an output"},
	{"{\"op\":\"one_hot\",\"in\":[\"c\"],\"out\":[\"y\"],\"labels\":[[\"a\"]],\"missing\":0}", "field \"missing\" is not for one_hot"},

	/* map */
	{"{\"op\":\"map\",\"in\":[\"c\"],\"out\":[\"y\"],\"labels\":[\"a\"]}", "field \"values\" is missing"},
	{"{\"op\":\"map\",\"in\":[\"c\"],\"out\":[\"y\"],\"labels\":[\"a\"],\"values\":[]}", "field \"values\" must have 1 entries"},
	{"{\"op\":\"map\",\"in\":[\"c\"],\"out\":[\"y\"],\"labels\":[[\"a\"]],\"values\":[1]}", "field \"labels\" must be a plain list"},
	{"{\"op\":\"map\",\"in\":[\"c\"],\"out\":[\"y\"],\"labels\":[\"a\"],\"values\":[\"1\"]}", "field \"values\" holds \"1\""},
	{"{\"op\":\"map\",\"in\":[\"c\"],\"out\":[\"y\"],\"labels\":[\"a\",\"a\"],\"values\":[1,2]}", "steps[0] (map): a label is listed twice"},
	{"{\"op\":\"map\",\"in\":[\"n\"],\"out\":[\"y\"],\"labels\":[1,1],\"values\":[1,2]}", "1 is listed twice"},
	{"{\"op\":\"map\",\"in\":[\"c\"],\"out\":[\"y\"],\"labels\":[null],\"values\":[1],\"missing\":2}", "field \"missing\" stands beside null"},
	{"{\"op\":\"map\",\"in\":[\"c\"],\"out\":[\"y\"],\"labels\":[\"a\"],\"values\":[1],\"unknown\":\"zero\"}", "field \"unknown\" may not be \"zero\""},

	/* bin and threshold */
	{"{\"op\":\"bin\",\"in\":[\"n\"],\"out\":[\"y\"]}", "field \"edges\" is missing"},
	{"{\"op\":\"bin\",\"in\":[\"n\"],\"out\":[\"y\"],\"edges\":[1,2]}", "must be a list of lists"},
	{"{\"op\":\"bin\",\"in\":[\"n\"],\"out\":[\"y\"],\"edges\":[]}", "must have 1 entries, not 0"},
	{"{\"op\":\"bin\",\"in\":[\"n\"],\"out\":[\"y\"],\"edges\":[[2,1]]}", "edges must ascend"},
	{"{\"op\":\"bin\",\"in\":[\"n\"],\"out\":[\"y\"],\"edges\":[[1]],\"closed\":\"both\"}", "field \"closed\" may not be \"both\""},
	{"{\"op\":\"bin\",\"in\":[\"n\"],\"out\":[\"y\"],\"edges\":[[1]],\"missing\":\"zero\"}", "field \"missing\" may not be \"zero\""},
	{"{\"op\":\"threshold\",\"in\":[\"n\"],\"out\":[\"y\"],\"threshold\":[1,2]}", "field \"threshold\" must have 1 entries"},
	{"{\"op\":\"threshold\",\"in\":[\"n\"],\"out\":[\"y\"],\"threshold\":\"1\"}", "field \"threshold\" may not hold a string"},

	/* function and power */
	{"{\"op\":\"function\",\"in\":[\"n\"],\"out\":[\"y\"],\"function\":\"sin\"}", "field \"function\" may not be \"sin\""},
	{"{\"op\":\"function\",\"in\":[\"n\"],\"out\":[\"y\"],\"function\":\"log1p\",\"precision\":\"single\"}", "log1p in single precision differs from machine to machine"},
	{"{\"op\":\"power\",\"in\":[\"n\"],\"out\":[\"y\"],\"method\":\"cox\",\"lambdas\":[1]}", "field \"method\" may not be \"cox\""},
	{"{\"op\":\"power\",\"in\":[\"n\"],\"out\":[\"y\"],\"method\":\"box-cox\",\"lambdas\":[]}", "field \"lambdas\" must have 1 entries"},

	/* product and linear */
	{"{\"op\":\"product\",\"in\":[\"n\"],\"out\":[\"y\"],\"factors\":[[1]]}", "a factor must be a position in \"in\", from 0 to 0"},
	{"{\"op\":\"product\",\"in\":[\"n\"],\"out\":[\"y\"],\"factors\":[[-1]]}", "a factor must be a position"},
	{"{\"op\":\"product\",\"in\":[\"n\"],\"out\":[\"y\"],\"factors\":[[0.5]]}", "a factor must be a position"},
	{"{\"op\":\"product\",\"in\":[\"n\"],\"out\":[\"y\"],\"factors\":[[\"n\"]]}", "field \"factors\" may not hold a string"},
	{"{\"op\":\"product\",\"in\":[\"n\"],\"out\":[\"y\"],\"factors\":[[0],[0]]}", "must have 1 entries, not 2"},
	{"{\"op\":\"product\",\"in\":[\"n\"],\"out\":[\"y\"],\"factors\":[[0]],\"missing\":1}", "field \"missing\" may not be a number here"},
	{"{\"op\":\"linear\",\"in\":[\"n\"],\"out\":[\"y\"],\"matrix\":[[1,2]]}", "each row of \"matrix\" must have 1 numbers, not 2"},
	{"{\"op\":\"linear\",\"in\":[\"n\"],\"out\":[\"y\"],\"matrix\":[[1],[2]]}", "must have 1 entries, not 2"},
	{"{\"op\":\"linear\",\"in\":[\"n\"],\"out\":[\"y\"],\"matrix\":[[1]],\"offset\":[1,2]}", "field \"offset\" must have 1 entries"},

	/* date_part */
	{"{\"op\":\"date_part\",\"in\":[\"n\"],\"out\":[\"y\"],\"part\":\"year\"}", "it cannot take \"n\", which holds numbers"},
	{"{\"op\":\"date_part\",\"in\":[\"t\"],\"out\":[\"y\"],\"part\":\"week\"}", "field \"part\" may not be \"week\""},
	{"{\"op\":\"date_part\",\"in\":[\"t\"],\"out\":[\"y\"],\"part\":\"year\",\"time_zone\":\"\"}", "the time zone is empty"},
	{"{\"op\":\"date_part\",\"in\":[\"t\"],\"out\":[\"y\"],\"part\":\"year\",\"precision\":\"single\"}", "field \"precision\" is not for it"},
	{"{\"op\":\"date_part\",\"in\":[\"t\"],\"out\":[\"y\"],\"part\":\"year\",\"time_zone\":\"UTC\"},{\"op\":\"date_part\",\"in\":[\"t\"],\"out\":[\"z\"],\"part\":\"day\",\"time_zone\":\"Europe/Berlin\"}", "steps[1] (date_part): an input is read in two time zones"},
};

static const Case outputs[] = {
	{"7", "output[0]: expected an object"},
	{"{\"op\":\"log\"}", "output[0] (log): unknown op"},
	{"{\"op\":\"impute\",\"values\":[1]}", "output[0] (impute): unknown op"},
	{"{\"op\":\"exp\",\"in\":[\"n\"]}", "field \"in\" is not for exp"},
	{"{\"op\":\"scale\",\"add\":[1,2],\"multiply\":[1]}", "field \"multiply\" must have 2 entries, not 1"},
	{"{\"op\":\"scale\",\"add\":[1,2]},{\"op\":\"scale\",\"add\":[1,2,3]}", "output[1] (scale): it is for 3 outputs, but an earlier step for 2"},
	{"{\"op\":\"sigmoid\",\"a\":[1]}", "field \"b\" is missing"},
	{"{\"op\":\"sigmoid\",\"a\":[],\"b\":[]}", "there must be an entry per class"},
	{"{\"op\":\"sigmoid\",\"a\":[1,2],\"b\":[1,2]}", "or one where there are two classes"},
	{"{\"op\":\"sigmoid\",\"a\":[1],\"b\":[1,2,3]}", "field \"b\" must have 1 entries"},
	{"{\"op\":\"sigmoid\",\"a\":[1],\"b\":[1]},{\"op\":\"exp\"}", "a calibration must be the only step"},
	{"{\"op\":\"exp\"},{\"op\":\"sigmoid\",\"a\":[1],\"b\":[1]}", "a calibration must be the only step"},
	{"{\"op\":\"isotonic\",\"x\":[[1]],\"y\":[]}", "field \"y\" must have 1 entries"},
	{"{\"op\":\"isotonic\",\"x\":[[]],\"y\":[[]]}", "each class needs as many entries"},
	{"{\"op\":\"isotonic\",\"x\":[[1,2]],\"y\":[[1]]}", "each class needs as many entries"},
	{"{\"op\":\"isotonic\",\"x\":[[1,1]],\"y\":[[1,2]]}", "field \"x\" must ascend"},
	{"{\"op\":\"isotonic\",\"x\":[[1,1.00000001]],\"y\":[[1,2]],\"precision\":\"single\"}", "field \"x\" must ascend"},
	{"{\"op\":\"isotonic\",\"x\":[1],\"y\":[1]}", "field \"x\" must be a list of lists"},
};

#define COUNT_OF(array) (sizeof(array) / sizeof(*(array)))

MP_TEST(hostile_steps)
{
	char		document[4096];

	for (size_t i = 0; i < COUNT_OF(documents); i++)
		check_refused(documents[i].text, strlen(documents[i].text), documents[i].message);
	for (size_t i = 0; i < COUNT_OF(steps); i++)
	{
		snprintf(document, sizeof(document), HEAD ",\"steps\":[%s],\"features\":[\"n\"]}", steps[i].text);
		check_refused(document, strlen(document), steps[i].message);
	}
	for (size_t i = 0; i < COUNT_OF(outputs); i++)
	{
		snprintf(document, sizeof(document), HEAD ",\"steps\":[],\"features\":[\"n\"],\"output\":[%s]}",
				 outputs[i].text);
		check_refused(document, strlen(document), outputs[i].message);
	}
}

/* --- memory --- */

static const char everything[] = HEAD ",\"steps\":["
	"{\"op\":\"impute\",\"in\":[\"n\",\"m\"],\"out\":[\"n1\",\"m1\"],\"values\":[1,2],\"missing_value\":-1},"
	"{\"op\":\"impute\",\"in\":[\"c\"],\"out\":[\"c\\u0031\"],\"values\":[\"a\\\"\"]},"
	"{\"op\":\"one_hot\",\"in\":[\"c1\"],\"out\":[\"h0\",\"h1\"],\"labels\":[[\"a\\\"\"],[\"b\",1]],\"unknown\":\"zero\"},"
	"{\"op\":\"map\",\"in\":[\"n1\"],\"out\":[\"p\"],\"labels\":[1,2,3],\"values\":[5,6,7],\"unknown\":\"missing\"},"
	"{\"op\":\"bin\",\"in\":[\"n1\"],\"out\":[\"b\"],\"edges\":[[1,2]]},"
	"{\"op\":\"product\",\"in\":[\"n1\",\"m1\"],\"out\":[\"q\",\"r\"],\"factors\":[[0,1],[]]},"
	"{\"op\":\"linear\",\"in\":[\"n1\",\"m1\"],\"out\":[\"l\"],\"matrix\":[[1,2]],\"offset\":[3]},"
	"{\"op\":\"date_part\",\"in\":[\"t\"],\"out\":[\"d\"],\"part\":\"year\",\"time_zone\":\"UTC\"}],"
	"\"features\":[\"h0\",\"h1\",\"p\",\"b\",\"q\",\"r\",\"l\",\"d\"],\"sparse\":true,\"output\":[{\"op\":\"exp\"}]}";

/* Every request of memory fails once: an error each time, and nothing left behind. */
MP_TEST(hostile_steps_without_memory)
{
	size_t		n_requests = 1;

	for (size_t fail_at = 0; fail_at <= n_requests; fail_at++)
	{
		MpCounting	counting;
		MpSteps    *program;
		MpError		error;
		bool		read;

		mp_counting_init(&counting);
		counting.fail_at = fail_at;
		read = mp_steps_read(&counting.alloc, everything, strlen(everything), &program, &error);
		if (fail_at == 0)
		{
			CHECK_SAY(read, "%s", error.message);
			n_requests = counting.n_requests;
			CHECK(n_requests > 10);
		}
		else
			CHECK(!read && error.code == MP_ERROR_MEMORY);
		mp_alloc_release(&counting.alloc, program);
		CHECK(counting.n_blocks == 0);
	}
}

/* Reads it, whether it is taken or not, within the memory that documents may take. */
static void
check_bounded(const char *what, MpVec *document, bool expected)
{
	MpCounting	counting;
	MpSteps    *program;
	MpError		error;
	bool		read;
	size_t		allowed = 4 * document->size + 16 * 1024 * 1024;

	mp_counting_init(&counting);
	read = mp_steps_read(&counting.alloc, document->data, document->size, &program, &error);
	CHECK_SAY(read == expected, "%s: %s", what, error.message);
	CHECK_SAY(counting.peak <= allowed, "%s: %zu bytes for a document of %zu", what, counting.peak,
			  document->size);
	CHECK_SAY(counting.n_polls >= document->size / 70000, "%s: only %zu polls", what, counting.n_polls);
	if (read)
		CHECK(mp_steps_check(&counting.alloc, program, program->size, &error));
	mp_alloc_release(&counting.alloc, program);
	CHECK(counting.n_blocks == 0);
	mp_vec_release(document);
}

/* As many values as the size allows: 200,000 at once, and then one in 20 bytes. */
#define DENSE 190000
#define WANTED (8 * 1024 * 1024)

static MpVec
begin_document(const char *step)
{
	MpVec		text = {&mp_alloc_malloc};

	mp_text_add(&text, HEAD ",\"steps\":[");
	mp_text_add(&text, step);
	return text;
}

static void
end_document(MpVec *text, const char *end)
{
	mp_text_add(text, end);
	mp_text_add(text, "],\"features\":[\"n\"]}");
}

/* Fills up to 20 bytes, once the values at hand are many; false: the document is large enough. */
static bool
go_on(MpVec *text, size_t *before, int n)
{
	while (n > DENSE && text->size - *before < 20)
		mp_text_add(text, " ");
	*before = text->size;
	return text->size < WANTED;
}

MP_TEST(hostile_steps_of_great_size)
{
	MpVec		text = begin_document("{\"op\":\"linear\",\"in\":[\"n\"],\"out\":[\"y\"],\"matrix\":[[0");
	size_t		before = 0;
	int			n = 0;

	for (n = 0; go_on(&text, &before, n); n++)
		mp_text_add(&text, ",0");
	end_document(&text, "]]}");
	check_bounded("a long row of a matrix", &text, false);

	text = begin_document("{\"op\":\"product\",\"in\":[\"n\"],\"out\":[\"y\"],\"factors\":[[0");
	for (n = 0; go_on(&text, &before, n); n++)
		mp_text_add(&text, ",0");
	end_document(&text, "]]}");
	check_bounded("a long product", &text, true);

	text = begin_document("{\"op\":\"bin\",\"in\":[\"n\"],\"out\":[\"y\"],\"edges\":[[0");
	for (n = 0; go_on(&text, &before, n); n++)
		mp_text_add(&text, ",0");
	end_document(&text, "]]}");
	check_bounded("a long list of edges", &text, true);

	text = begin_document("{\"op\":\"one_hot\",\"in\":[\"c\"],\"out\":[\"y\"],\"unknown\":\"zero\",\"labels\":[[\"\"");
	for (n = 0; go_on(&text, &before, n); n++)
		mp_text_format(&text, ",\"%x\"", n);
	end_document(&text, "]]}");
	check_bounded("many labels", &text, true);

	text = begin_document("{\"op\":\"map\",\"in\":[\"n\"],\"out\":[\"y\"],\"labels\":[0");
	for (n = 0; go_on(&text, &before, n) && text.size < WANTED / 2; n++)
		mp_text_format(&text, ",%d", n + 1);
	mp_text_add(&text, "],\"values\":[0");
	for (; n > 0; n--)
		mp_text_add(&text, ",                  0");
	end_document(&text, "]}");
	check_bounded("many numbers", &text, true);

	text = begin_document("{\"op\":\"one_hot\",\"in\":[\"n\"],\"out\":[\"y\"],\"labels\":[[]]}");
	for (n = 0; text.size < WANTED; n++)
		mp_text_format(&text, ",{\"op\":\"scale\",\"in\":[\"n\"],\"out\":[\"y%x\"]}%s", n,
					   n < DENSE / 5 ? "" : "                                                  ");
	end_document(&text, "");
	check_bounded("many steps", &text, true);

	text = begin_document("{\"op\":\"product\",\"in\":[\"n\"],\"out\":[\"y\"");
	for (n = 0; text.size < WANTED / 2; n++)
		mp_text_format(&text, ",             \"y%x\"", n);
	mp_text_add(&text, "],\"factors\":[[]");
	while (n-- > 0)
		mp_text_add(&text, ",                                      []");
	end_document(&text, "]}");
	check_bounded("many names", &text, true);

	text = begin_document("{\"op\":\"scale\",\"in\":[\"");
	while (text.size < WANTED)
		mp_text_add(&text, "\\u0041");
	end_document(&text, "\"],\"out\":[\"y\"]}");
	check_bounded("a long name", &text, false);

	text = begin_document("{\"op\":\"scale\",\"in\":[\"n\"],\"out\":[\"y\"],\"x\":");
	while (text.size < WANTED)
		mp_text_add(&text, "[");
	check_refused(text.data, text.size, "nesting is deeper than");
	mp_vec_release(&text);

	text = begin_document("{\"op\":\"product\",\"in\":[\"n\"],\"out\":[\"y\"],\"factors\":[[0");
	while (text.size < WANTED)
		mp_text_add(&text, ",0");
	end_document(&text, "]]}");
	check_refused(text.data, text.size, "may hold");
	mp_vec_release(&text);

	text = begin_document("{\"op\":\"scale\",\"in\":[\"n\"],\"out\":[\"y\"]}");
	while (text.size <= MP_STEPS_MAX_DOCUMENT)
		mp_text_add(&text, "                                                                ");
	check_refused(text.data, text.size, "the document has");
	mp_vec_release(&text);
}

/* Documents whose tables or sets would grow with the square of their size. */
MP_TEST(hostile_steps_of_squares)
{
	MpVec		text = begin_document("{\"op\":\"map\",\"in\":[\"c\"],\"out\":[\"y\"],\"labels\":[\"\"");
	int			n;

	for (n = 0; n < 200000; n++)
		mp_text_format(&text, ",\"%x\"", n);
	mp_text_add(&text, "],\"values\":[0");
	while (n-- > 0)
		mp_text_add(&text, ",0");
	mp_text_add(&text, "]}");
	for (n = 0; n < 30000; n++)
		mp_text_format(&text, ",{\"op\":\"map\",\"in\":[\"c\"],\"out\":[\"y%d\"],\"labels\":[\"a\"],"
					   "\"values\":[1]}", n);
	end_document(&text, "");
	check_bounded("many tables", &text, false);

	text.alloc = &mp_alloc_malloc;
	mp_text_add(&text, "{\"format\":1,\"inputs\":[{\"name\":\"n\",\"type\":\"number\"}");
	for (n = 0; n < 20000; n++)
		mp_text_format(&text, ",{\"name\":\"i%d\",\"type\":\"number\"}", n);
	mp_text_add(&text, "],\"steps\":[{\"op\":\"product\",\"in\":[\"n\",\"i0\"],\"out\":[\"p0\"],\"factors\":[[0,1]]}");
	for (n = 1; n < 20000; n++)
		mp_text_format(&text, ",{\"op\":\"product\",\"in\":[\"p%d\",\"i%d\"],\"out\":[\"p%d\"],\"factors\":[[0,1]]}",
					   n - 1, n, n);
	end_document(&text, "");
	check_bounded("a growing product", &text, false);
}
