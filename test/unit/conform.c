/*
 * conform.c: holds the core against folders of golden models, any number of
 * them: `conform FOLDER...`. Ends with "N passed, N failed".
 */
#include "golden.h"
#include "harness.h"

#include <stdlib.h>

static int	n_passed;
static int	n_failed;

static void
check_folder(const char *folder)
{
	static const char *const formats[] = {"ubj", "json", "deprecated"};
	MpGolden   *golden = mp_golden_open(folder);

	if (golden == NULL)
	{
		printf("not ok %s: incomplete\n", folder);
		n_failed++;
		return;
	}
	for (int i = 0; i < 3; i++)
	{
		MpError		error;
		MpForest   *forest = mp_golden_load(golden, formats[i], &error);
		char		first[200];

		if (forest == NULL && error.code == MP_OK)
			continue;
		if (forest == NULL)
			printf("not ok %s %s: %s (tree %d, node %d, byte %lld)\n", folder, formats[i],
				   error.message, error.tree, error.node, (long long) error.offset);
		else if (mp_golden_compare(golden, forest, first, sizeof(first)) > 0)
			printf("not ok %s %s: %s\n", folder, formats[i], first);
		else
		{
			n_passed++;
			free(forest);
			continue;
		}
		n_failed++;
		free(forest);
	}
	mp_golden_close(golden);
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		mp_golden_walk(argv[i], check_folder);
	printf("%d passed, %d failed\n", n_passed, n_failed);
	return n_failed > 0 || n_passed == 0;
}
