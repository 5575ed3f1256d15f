/*
 * craft.h: small models made by hand, and ways to spoil them.
 */
#ifndef MP_TEST_CRAFT_H
#define MP_TEST_CRAFT_H

#include "core/forest/forest.h"
#include "core/load/load.h"

typedef struct MpBlob
{
	char	   *data;
	size_t		size;
} MpBlob;

extern MpBlob mp_blob_copy(const void *data, size_t size);
extern MpBlob mp_blob_text(const char *text);
extern void mp_blob_append(MpBlob *blob, const void *data, size_t size);
extern void mp_blob_free(MpBlob *blob);

/* Small sound models as JSON, by what is special in them. */
extern const char *const mp_craft_trees;	/* 3.4: names, types, categories, two trees */
extern const char *const mp_craft_dart; /* 1.7 */
extern const char *const mp_craft_linear;	/* 2.1, three classes */
extern const char *const mp_craft_vectors;	/* 3.4: leaves of two targets */

/*
 * The document with the value at `path` replaced by JSON text: "learner.
 * gradient_booster.model.trees[1].left_children[0]". A path that ends in "!"
 * replaces the last key instead, one in "+" puts text behind the bracket.
 * Leaves the process where the path is not there.
 */
extern MpBlob mp_craft_edit(const char *json, const char *path, const char *text);

/* The same document as UBJSON, with arrays of one type where XGBoost writes them. */
extern MpBlob mp_craft_ubjson(const char *json, size_t size);

/*
 * The model of mp_craft_trees or mp_craft_dart in the old binary format
 * (without categories, which it cannot hold), and where things are in it.
 */
typedef struct MpCraftBinary
{
	MpBlob		blob;
	size_t		param;			/* the model's parameters */
	size_t		objective;		/* length of the name */
	size_t		booster;
	size_t		gbtree;			/* the booster's parameters */
	size_t		tree[2];		/* parameters of each tree; its nodes follow 148 bytes later */
	size_t		outputs;
	size_t		weights;		/* dart: count of weights */
	size_t		attributes;
} MpCraftBinary;

extern void mp_craft_binary(MpCraftBinary *binary, bool dart);
extern MpBlob mp_craft_binary_linear(void);

/* What loading bytes came to; the forest, if any, belongs to the caller. */
typedef struct MpOutcome
{
	MpForest   *forest;
	MpError		error;
	MpModelInfo info;
	size_t		peak;
	size_t		n_requests;
	bool		leaked;
} MpOutcome;

/* Loads with an allocator that counts; fail_at: see MpCounting. */
extern MpOutcome mp_craft_load(const void *data, size_t size, const MpLoadOptions *options,
							   size_t fail_at);

/*
 * What must hold for any bytes: memory within bounds, nothing left behind, an
 * error with a sentence or a forest that is sound. Frees the forest.
 */
extern void mp_craft_check(MpOutcome *outcome, size_t size, const char *what);

/* Scores random rows with every evaluator, and holds them against each other. */
extern void mp_craft_score(const MpForest *forest, const char *what);

extern uint64_t mp_craft_random(uint64_t *state);

#endif
