/*
 * harness.h: the least that a unit test needs.
 *
 * MP_TEST(name) { ... } defines and registers a test. CHECK counts a failure
 * and goes on; REQUIRE also leaves the test. `run [PART]...` runs the tests
 * whose names contain one of the parts, or all.
 */
#ifndef MP_TEST_HARNESS_H
#define MP_TEST_HARNESS_H

#include "core/base/base.h"

#include <stdio.h>

typedef struct MpTest
{
	const char *name;
	void		(*function) (void);
	struct MpTest *next;
} MpTest;

extern void mp_test_register(MpTest *test);
extern int	mp_test_run(int argc, char **argv);
extern void mp_test_failed(const char *file, int line, const char *what);

#define MP_TEST(test_name) \
	static void test_name(void); \
	__attribute__((constructor)) static void register_##test_name(void) \
	{ \
		static MpTest test = {#test_name, test_name, NULL}; \
		mp_test_register(&test); \
	} \
	static void test_name(void)

#define CHECK(condition) \
	do { if (!(condition)) mp_test_failed(__FILE__, __LINE__, #condition); } while (0)

#define REQUIRE(condition) \
	do { if (!(condition)) { mp_test_failed(__FILE__, __LINE__, #condition); return; } } while (0)

/* a failure with words of its own */
#define CHECK_SAY(condition, ...) \
	do { \
		if (!(condition)) \
		{ \
			char		say_[1280]; \
			snprintf(say_, sizeof(say_), __VA_ARGS__); \
			mp_test_failed(__FILE__, __LINE__, say_); \
		} \
	} while (0)

/* Where test/data/models is: MP_MODELS, or ../data/models. */
extern const char *mp_test_models(void);

/* The file's bytes, to be freed; NULL if it is not there. */
extern void *mp_test_read(const char *path, size_t *size);

/*
 * An allocator that counts. It refuses what would pass `limit`, and the
 * `fail_at`-th request (from 1; 0: none).
 */
typedef struct MpCounting
{
	MpAlloc		alloc;
	size_t		limit;
	size_t		held;			/* bytes now */
	size_t		peak;
	size_t		n_blocks;
	size_t		n_requests;
	size_t		fail_at;
	size_t		n_polls;
} MpCounting;

extern void mp_counting_init(MpCounting *counting);

#endif
