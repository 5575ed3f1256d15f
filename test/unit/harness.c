/*
 * harness.c: runs the registered tests and counts; and what tests share.
 */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

static MpTest *tests;
static int	n_failures;			/* in the running test */

void
mp_test_register(MpTest *test)
{
	MpTest	  **place = &tests;

	while (*place != NULL && strcmp((*place)->name, test->name) < 0)
		place = &(*place)->next;
	test->next = *place;
	*place = test;
}

void
mp_test_failed(const char *file, int line, const char *what)
{
	n_failures++;
	if (n_failures <= 20)
		printf("%s:%d: %s\n", file, line, what);
}

const char *
mp_test_models(void)
{
	const char *models = getenv("MP_MODELS");

	return models != NULL ? models : "../data/models";
}

void *
mp_test_read(const char *path, size_t *size)
{
	FILE	   *file = fopen(path, "rb");
	char	   *data = NULL;
	long		length;

	if (file == NULL)
		return NULL;
	if (fseek(file, 0, SEEK_END) == 0 && (length = ftell(file)) >= 0)
	{
		rewind(file);
		data = malloc(length + 1);
		*size = fread(data, 1, length, file);
		data[*size] = '\0';
	}
	fclose(file);
	return data;
}

/* a block is preceded by its size, in a header that keeps malloc's alignment */
#define HEADER 16

static void *
counting_resize(MpAlloc *alloc, void *block, size_t size)
{
	MpCounting *counting = (MpCounting *) alloc;
	char	   *old = block != NULL ? (char *) block - HEADER : NULL;
	size_t		old_size = 0;
	char	   *new;

	counting->n_requests++;
	if (old != NULL)
		memcpy(&old_size, old, sizeof(old_size));
	if (counting->n_requests == counting->fail_at ||
		size > counting->limit || counting->held - old_size > counting->limit - size)
		return NULL;
	new = realloc(old, size + HEADER);
	if (new == NULL)
		return NULL;
	memcpy(new, &size, sizeof(size));
	counting->held += size - old_size;
	counting->n_blocks += old == NULL;
	if (counting->held > counting->peak)
		counting->peak = counting->held;
	return new + HEADER;
}

static void
counting_release(MpAlloc *alloc, void *block)
{
	MpCounting *counting = (MpCounting *) alloc;
	char	   *old = (char *) block - HEADER;
	size_t		size;

	memcpy(&size, old, sizeof(size));
	counting->held -= size;
	counting->n_blocks--;
	free(old);
}

static void
counting_poll(MpAlloc *alloc)
{
	((MpCounting *) alloc)->n_polls++;
}

void
mp_counting_init(MpCounting *counting)
{
	memset(counting, 0, sizeof(*counting));
	counting->alloc.resize = counting_resize;
	counting->alloc.release = counting_release;
	counting->alloc.poll = counting_poll;
	counting->limit = SIZE_MAX;
}

static bool
is_wanted(const char *name, int n_parts, char **parts)
{
	for (int i = 0; i < n_parts; i++)
	{
		if (strstr(name, parts[i]) != NULL)
			return true;
	}
	return n_parts == 0;
}

int
mp_test_run(int argc, char **argv)
{
	int			n_passed = 0;
	int			n_failed = 0;

	for (MpTest *test = tests; test != NULL; test = test->next)
	{
		if (!is_wanted(test->name, argc - 1, argv + 1))
			continue;
		n_failures = 0;
		test->function();
		printf("%s %s\n", n_failures == 0 ? "ok    " : "FAILED", test->name);
		fflush(stdout);
		if (n_failures == 0)
			n_passed++;
		else
			n_failed++;
	}
	printf("%d passed, %d failed\n", n_passed, n_failed);
	return n_failed > 0;
}
