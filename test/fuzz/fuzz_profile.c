/*
 * fuzz_profile.c: reads profiles of rows, which anybody may give. What is read
 * is written to the same text again, pooled, and compared with itself.
 */
#include "fuzz.h"
#include "core/metrics/drift.h"

#include <string.h>

static void
compare(const MpProfileInput *input)
{
	MpDrift		drift;

	MP_FUZZ_REQUIRE(mp_drift(input, input, &drift));
	MP_FUZZ_REQUIRE(!(drift.psi > 0));
}

static void
release_input(MpProfileInput *input)
{
	mp_histogram_end(&input->histogram);
	mp_names_end(&input->labels);
}

static void
release(MpProfile *profile)
{
	for (size_t i = 0; i < mp_vec_count(&profile->inputs, MpProfileInput); i++)
		release_input(mp_vec_at(&profile->inputs, MpProfileInput, i));
	if (profile->has_score)
		release_input(&profile->score);
	mp_names_end(&profile->names);
	mp_vec_release(&profile->inputs);
	mp_vec_release(&profile->model);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	MpProfile	profile;
	MpProfile	copy;
	MpError		error;
	MpVec		once = {&mp_alloc_malloc};
	MpVec		twice = {&mp_alloc_malloc};

	mp_profile_begin(&profile, &mp_alloc_malloc);
	mp_profile_begin(&copy, &mp_alloc_malloc);
	if (mp_profile_read(&profile, (MpString) {(const char *) data, size}, &error))
	{
		MP_FUZZ_REQUIRE(mp_profile_write(&profile, &once));
		MP_FUZZ_REQUIRE(mp_profile_read(&copy, (MpString) {once.data, once.size}, &error));
		MP_FUZZ_REQUIRE(mp_profile_write(&copy, &twice));
		MP_FUZZ_REQUIRE(once.size == twice.size && memcmp(once.data, twice.data, once.size) == 0);
		for (size_t i = 0; i < mp_vec_count(&profile.inputs, MpProfileInput); i++)
			compare(mp_vec_at(&profile.inputs, MpProfileInput, i));
		MP_FUZZ_REQUIRE(mp_profile_merge(&copy, &profile, &error));
		MP_FUZZ_REQUIRE(mp_profile_pool(&copy));
	}
	else
		MP_FUZZ_REQUIRE(error.code != MP_OK && error.message[0] != '\0');
	release(&profile);
	release(&copy);
	mp_vec_release(&once);
	mp_vec_release(&twice);
	return 0;
}
