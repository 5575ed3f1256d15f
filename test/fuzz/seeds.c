/*
 * seeds.c: writes small models in every format into folders of their own, for
 * a fuzzer to begin with: `seeds FOLDER`.
 */
#include "craft.h"
#include "harness.h"
#include "core/kernel/kernel_compile.h"
#include "core/kernel/kernel_image.h"
#include "random_forest.h"
#include "random_steps.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *folder;

static void
write_seed(const char *kind, const char *name, const void *data, size_t size)
{
	char		path[1024];
	FILE	   *file;

	snprintf(path, sizeof(path), "%s/%s", folder, kind);
	mkdir(path, 0777);
	snprintf(path, sizeof(path), "%s/%s/%s", folder, kind, name);
	file = fopen(path, "wb");
	if (file == NULL || fwrite(data, 1, size, file) != size || fclose(file) != 0)
	{
		perror(path);
		exit(1);
	}
}

static void
write_forest(const char *name, const void *data, size_t size)
{
	MpOutcome	outcome = mp_craft_load(data, size, NULL, 0);

	if (outcome.forest == NULL)
	{
		fprintf(stderr, "%s: %s\n", name, outcome.error.message);
		exit(1);
	}
	write_seed("forest", name, outcome.forest, outcome.forest->size);
	free(outcome.forest);
}

static void
write_document(const char *name, const char *json)
{
	MpBlob		ubjson = mp_craft_ubjson(json, strlen(json));

	write_seed("json", name, json, strlen(json));
	write_seed("ubjson", name, ubjson.data, ubjson.size);
	write_forest(name, json, strlen(json));
	mp_blob_free(&ubjson);
}

static void
write_binaries(void)
{
	MpBlob		linear = mp_craft_binary_linear();

	for (int dart = 0; dart < 2; dart++)
	{
		MpCraftBinary binary;

		mp_craft_binary(&binary, dart);
		write_seed("binary", dart ? "dart" : "trees", binary.blob.data, binary.blob.size);
		write_forest(dart ? "binary-dart" : "binary-trees", binary.blob.data, binary.blob.size);
		mp_blob_free(&binary.blob);
	}
	write_seed("binary", "linear", linear.data, linear.size);
	mp_blob_free(&linear);
}

/* Kernels of every form of tree and every width, as small as they come. */
static void
write_kernels(void)
{
	static const struct
	{
		MpShape		shape;
		MpKernelWidth width;
	}			seeds[] = {
		{{"lone-leaves", 3, 2, 0, 1, 1}, MP_BYTES},
		{{"flat", 3, 9, 3, 6, 5, .missing = 0.1}, MP_BYTES},
		{{"subtrees-1", 4, 3, 6, 30, 9}, MP_BYTES},
		{{"subtrees-3", 4, 3, 7, 40, 9}, MP_BYTES},
		{{"deep", 4, 2, 20, 60, 9, .skinny = true}, MP_BYTES},
		{{"slots", 1, 2, 6, 60, 1000}, MP_BYTES},
		{{"classes", 3, 7, 2, 4, 5, .n_outputs = 3, .outputs = MP_SHAPE_ANY}, MP_BYTES},
		{{"vectors", 3, 3, 3, 6, 5, .n_outputs = 2, .vector_leaf = true}, MP_BYTES},
		{{"categories", 6, 4, 4, 9, 5, .n_categories = 9}, MP_BYTES},
		{{"far-categories", 6, 2, 4, 9, 5, .n_categories = 500000}, MP_BYTES},
		{{"doubles", 3, 5, 5, 20, 9, .doubles = true}, MP_BYTES},
		{{"doubles-classes", 4, 4, 7, 40, 9, .n_outputs = 3, .doubles = true}, MP_BYTES},
		{{"doubles-wide", 4, 3, 9, 40, 9, .n_categories = 9, .doubles = true}, MP_WIDE},
		{{"wide", 4, 3, 7, 40, 9}, MP_WIDE},
		{{"wide-deep", 4, 2, 20, 60, 9, .skinny = true}, MP_WIDE},
	};
	MpRandom	random = {7};

	for (size_t i = 0; i < sizeof(seeds) / sizeof(*seeds); i++)
	{
		const MpShape *shape = &seeds[i].shape;
		MpForest   *forest = mp_random_forest(&random, shape);
		MpError		error;
		size_t		size;
		void	   *image = mp_kernel_compile_as(&mp_alloc_malloc, forest, seeds[i].width, &size,
												 &error);

		if (image == NULL)
		{
			fprintf(stderr, "%s: %s\n", shape->name, error.message);
			exit(1);
		}
		write_seed("kernel", shape->name, image, size);
		mp_alloc_release(&mp_alloc_malloc, image);
		free(forest);
	}
}

/* Preprocessing: documents, and the programs of some. */
static void
write_steps(void)
{
	MpRandom	random = {11};

	for (int i = 0; i < 24; i++)
	{
		MpVec		document = mp_random_document(&random);
		char		name[32];
		MpSteps    *steps;
		MpError		error;

		snprintf(name, sizeof(name), "document-%d", i);
		write_seed("steps", name, document.data, document.size);
		if (i % 3 == 0 && mp_steps_read(&mp_alloc_malloc, document.data, document.size, &steps, &error))
		{
			snprintf(name, sizeof(name), "program-%d", i);
			write_seed("steps", name, steps, steps->size);
			mp_alloc_release(&mp_alloc_malloc, steps);
		}
		mp_vec_release(&document);
	}
}

int
main(int argc, char **argv)
{
	MpBlob		numbers = mp_craft_edit(mp_craft_trees,
										"learner.gradient_booster.model.cats.enc[2]",
										"{\"type\":15,\"values\":[30,-10,20,5]}");
	MpBlob		python = mp_craft_edit(mp_craft_dart, "learner.attributes+",
									   "\"scikit_learn\":\"{\\\"missing\\\": -999.0}\",");

	folder = argc == 2 ? argv[1] : ".";
	mkdir(folder, 0777);
	write_document("trees", mp_craft_trees);
	write_document("dart", mp_craft_dart);
	write_document("linear", mp_craft_linear);
	write_document("vectors", mp_craft_vectors);
	write_document("numbers", numbers.data);
	write_document("python", python.data);
	write_binaries();
	write_kernels();
	write_steps();
	mp_blob_free(&numbers);
	mp_blob_free(&python);
	return 0;
}
