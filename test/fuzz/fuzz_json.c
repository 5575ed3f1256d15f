/*
 * fuzz_json.c: loads models from JSON documents.
 */
#include "fuzz.h"
#include "core/load/sniff.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	MpFormat	format;
	MpError		error;

	if (mp_sniff(data, size, &format, &error) && format == MP_FORMAT_JSON)
		mp_fuzz_load(data, size);
	return 0;
}
