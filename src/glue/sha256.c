/*
 * sha256.c: the SHA-256 of any number of bytes, which can be cancelled.
 */
#include "postgres.h"

#include "common/cryptohash.h"
#include "common/sha2.h"
#include "miscadmin.h"

#include "glue/compat.h"
#include "glue/sha256.h"

#define STEP (4 * 1024 * 1024)	/* bytes between two looks for a cancel */

bytea *
mp_sha256(const void *data, Size size)
{
	bytea	   *result = palloc(VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	pg_cryptohash_ctx *ctx = pg_cryptohash_create(PG_SHA256);
	const uint8 *p = data;
	bool		ok = ctx != NULL && pg_cryptohash_init(ctx) == 0;

	while (ok && size > 0)
	{
		Size		step = Min(size, STEP);

		CHECK_FOR_INTERRUPTS();
		ok = pg_cryptohash_update(ctx, p, step) == 0;
		p += step;
		size -= step;
	}
	ok = ok && pg_cryptohash_final(ctx, (uint8 *) VARDATA(result), PG_SHA256_DIGEST_LENGTH) == 0;
	pg_cryptohash_free(ctx);
	if (!ok)
		elog(ERROR, "could not compute SHA-256");
	SET_VARSIZE(result, VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	return result;
}
