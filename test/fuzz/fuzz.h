/*
 * fuzz.h: what the fuzz targets share. Whatever breaks a promise of the core
 * aborts, which is how a fuzzer notices.
 */
#ifndef MP_FUZZ_H
#define MP_FUZZ_H

#include "core/forest/forest.h"
#include "core/load/load.h"

#include <stddef.h>
#include <stdint.h>

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * Loads a model under an allocator that counts and a limit of memory. What is
 * refused must be refused with a sentence, what is taken must be sound and is
 * scored.
 */
extern void mp_fuzz_load(const uint8_t *data, size_t size);

/* Scores 100 rows of a checked forest with every evaluator, which must agree. */
extern void mp_fuzz_score(const MpForest *forest);

/* Says what went wrong and aborts unless the condition holds. */
#define MP_FUZZ_REQUIRE(condition) \
	do { if (!(condition)) mp_fuzz_failed(__FILE__, __LINE__, #condition); } while (0)

extern void mp_fuzz_failed(const char *file, int line, const char *what);

#endif
