/*
 * replay.c: runs a fuzz target over files and folders, without a fuzzer, so
 * that the corpus is an ordinary test with any compiler.
 */
#include "fuzz.h"
#include "harness.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int	n_run;

static void
run_path(const char *path)
{
	struct stat status;
	struct dirent **entries;
	int			n;

	if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
	{
		n = scandir(path, &entries, NULL, alphasort);
		for (int i = 0; i < n; i++)
		{
			char		inner[1024];

			snprintf(inner, sizeof(inner), "%s/%s", path, entries[i]->d_name);
			if (entries[i]->d_name[0] != '.')
				run_path(inner);
			free(entries[i]);
		}
		free(entries);
	}
	else
	{
		size_t		size;
		uint8_t    *data = mp_test_read(path, &size);

		if (data == NULL)
		{
			fprintf(stderr, "cannot read %s\n", path);
			exit(1);
		}
		fprintf(stderr, "%s\n", path);	/* the last one is the one that failed */
		LLVMFuzzerTestOneInput(data, size);
		free(data);
		n_run++;
	}
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		run_path(argv[i]);
	printf("%d passed, %d failed\n", n_run, n_run == 0);
	return n_run == 0;
}
