/*
 * test_golden.c: the models of test/data/models give the scores that XGBoost gave,
 * bit for bit, in every format.
 */
#include "golden.h"
#include "harness.h"

#include <stdlib.h>

static int	n_models;

static void
check_folder(const char *folder)
{
	static const char *const formats[] = {"ubj", "json", "deprecated"};
	MpGolden   *golden = mp_golden_open(folder);

	CHECK_SAY(golden != NULL, "%s is incomplete", folder);
	for (int i = 0; golden != NULL && i < 3; i++)
	{
		MpError		error;
		MpForest   *forest = mp_golden_load(golden, formats[i], &error);
		char		first[200];

		CHECK_SAY(error.code == MP_OK, "%s %s: %s", folder, formats[i], error.message);
		if (forest == NULL)
			continue;
		CHECK_SAY(mp_golden_compare(golden, forest, first, sizeof(first)) == 0,
				  "%s %s: %s", folder, formats[i], first);
		n_models++;
		free(forest);
	}
	if (golden != NULL)
		mp_golden_close(golden);
}

MP_TEST(golden_models)
{
	int			n_folders = mp_golden_walk(mp_test_models(), check_folder);

	CHECK_SAY(n_folders > 0, "no models in %s", mp_test_models());
	CHECK(n_models > n_folders);
}
