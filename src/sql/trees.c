/*
 * trees.c: a model's trees for people: one as text or as a Graphviz graph, or
 * all of them as a table of nodes. They tell as much as the model's bytes, so
 * whoever may only score with the model does not see them.
 *
 * Trees, nodes and outputs are numbered from 0, as XGBoost does.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "core/forest/dump.h"
#include "glue/compat.h"
#include "glue/error.h"
#include "glue/memory.h"
#include "model/cache.h"
#include "score/score.h"
#include "store/catalog.h"
#include "store/lookup.h"

/* The forest of the reference in argument 0. */
static const MpForest *
open_trees(FunctionCallInfo fcinfo, const MpModel **model)
{
	Snapshot	snapshot = mp_catalog_snapshot();
	MpFound		found;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				errmsg("the model must not be null"));
	found = mp_lookup(text_to_cstring(PG_GETARG_TEXT_PP(0)), MP_RIGHT_READ_TREES, GetUserId(), snapshot);
	*model = mp_cache_get(&found, snapshot);
	if ((*model)->forest->booster == MP_BOOSTER_GBLINEAR)
		ereport(ERROR,
				errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				errmsg("model \"%s\" version %d has no trees: its booster is gblinear",
					   found.name, found.version),
				errhint("The coefficients are the column weight of view model_predict.features."));
	return mp_cache_trees(*model, snapshot);
}

static bool
wants_dot(const char *format)
{
	if (strcmp(format, "text") != 0 && strcmp(format, "dot") != 0)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("unknown format of a tree: \"%s\"", mp_shown(format)),
				errhint("Formats are 'text' and 'dot'."));
	return strcmp(format, "dot") == 0;
}

PG_FUNCTION_INFO_V1(mp_tree);
Datum
mp_tree(PG_FUNCTION_ARGS)
{
	const MpModel *model;
	const MpForest *forest = open_trees(fcinfo, &model);
	MpVec		out = {mp_alloc_context(CurrentMemoryContext)};
	int32		n;
	bool		dot;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	n = PG_GETARG_INT32(1);
	dot = wants_dot(text_to_cstring(PG_GETARG_TEXT_PP(2)));
	if (n < 0 || n >= forest->n_trees)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("model \"%s\" version %d has no tree %d",
					   model->name, model->version, n),
				forest->n_trees > 0 ?
				errdetail("Its trees are numbered from 0 to %d.", forest->n_trees - 1) :
				errdetail("It has none at all."));
	if (!(dot ? mp_tree_dot : mp_tree_text) (forest, n, &out))
		ereport(ERROR, errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory"));
	if (!AllocSizeIsValid(out.size + VARHDRSZ))
		ereport(ERROR,
				errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				errmsg("tree %d of model \"%s\" version %d is too large for a text",
					   n, model->name, model->version),
				errhint("Use model_predict.trees()."));
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.size));
}

typedef enum NodeColumn
{
	NODE_TREE,
	NODE_USED,
	NODE_OUTPUT,
	NODE_WEIGHT,
	NODE_NODE,
	NODE_PARENT,
	NODE_DEPTH,
	NODE_POSITION,
	NODE_FEATURE,
	NODE_THRESHOLD,
	NODE_CATEGORIES,
	NODE_YES,
	NODE_NO,
	NODE_MISSING,
	NODE_LEAF,
	NODE_LEAVES,
	NODE_GAIN,
	NODE_COVER,
	NODE_COLUMNS
} NodeColumn;

/* A node to be put out, and how it was reached. */
typedef struct Visit
{
	int32		node;
	int32		parent;			/* -1: the root */
	int32		depth;
} Visit;

/* What rows are made of, one after the other. */
typedef struct NodeTable
{
	const MpModel *model;
	const MpForest *forest;
	const MpTree *tree;
	int			number;			/* of the tree */
	ReturnSetInfo *rsinfo;
	Datum		values[NODE_COLUMNS];
	bool		nulls[NODE_COLUMNS];
} NodeTable;

static void
set(NodeTable *t, NodeColumn column, Datum value)
{
	t->values[column] = value;
	t->nulls[column] = false;
}

static Datum
category_label(const MpForest *forest, const MpFeature *feature, uint32 code)
{
	const MpCategory *category;
	MpString	label;

	if (code >= feature->n_categories)
		return CStringGetTextDatum(psprintf("%u", code));
	category = mp_forest_categories(forest, feature) + code;
	label = mp_forest_string(forest, category->label, category->label_length);
	return PointerGetDatum(cstring_to_text_with_len(label.data, label.length));
}

/* The labels of a set, or the codes where no labels are known. */
static Datum
categories_of(const MpForest *forest, const MpFeature *feature, uint32 number)
{
	const MpCatSet *s = MP_SECTION(forest, MP_SECTION_CATSETS, MpCatSet) + number;
	const uint32 *words = MP_SECTION(forest, MP_SECTION_CATWORDS, uint32) + s->first;
	Size		n_codes = s->is_list ? s->length : (Size) s->length * 32;
	Datum	   *labels = MemoryContextAllocHuge(CurrentMemoryContext,
											   sizeof(Datum) * Max(n_codes, 1));
	int			n = 0;

	for (uint32 i = 0; i < n_codes; i++)
	{
		if (s->is_list)
			labels[n++] = category_label(forest, feature, words[i]);
		else if (words[i / 32] >> (i % 32) & 1)
			labels[n++] = category_label(forest, feature, i);
	}
	return PointerGetDatum(construct_array(labels, n, TEXTOID, -1, false, TYPALIGN_INT));
}

static Datum
node_id(const NodeTable *t, int32 node)
{
	return Int32GetDatum(mp_forest_node_id(t->forest, t->tree, node));
}

static void
set_split(NodeTable *t, const MpNode *node, int32 i)
{
	int			feature = node->feature & MP_NODE_FEATURE_MASK;
	const MpFeature *f = mp_forest_features(t->forest) + feature;
	MpString	name = mp_forest_string(t->forest, f->name, f->name_length);
	bool		categorical = (node->feature & MP_NODE_CATEGORICAL) != 0;
	bool		default_left = (node->feature & MP_NODE_DEFAULT_LEFT) != 0;

	set(t, NODE_POSITION, Int32GetDatum(feature + 1));
	if (t->forest->n_feature_names > 0)
		set(t, NODE_FEATURE, PointerGetDatum(cstring_to_text_with_len(name.data, name.length)));
	else
		set(t, NODE_FEATURE, CStringGetTextDatum(psprintf("f%d", feature)));
	if (categorical)
		set(t, NODE_CATEGORIES, categories_of(t->forest, f, node->value_bits));
	else
		set(t, NODE_THRESHOLD, Float8GetDatum(mp_forest_threshold(t->forest, t->tree, i)));
	/* what is less goes left, what is in the set right */
	set(t, NODE_YES, node_id(t, node->left + categorical));
	set(t, NODE_NO, node_id(t, node->left + !categorical));
	set(t, NODE_MISSING, node_id(t, node->left + !default_left));
}

/* Of a linear leaf, its constant. */
static void
set_leaf(NodeTable *t, const MpNode *node, int32 i)
{
	const MpForest *f = t->forest;
	int			n = f->n_outputs;
	Datum	   *values;

	if (!f->vector_leaf)
	{
		set(t, NODE_LEAF, Float8GetDatum(f->linear_leaf ?
										 MP_SECTION(f, MP_SECTION_LINEAR, MpLinearLeaf)[node->value_bits].constant :
										 mp_forest_value(f, t->tree, i)));
		return;
	}
	values = palloc(sizeof(Datum) * n);
	for (int k = 0; k < n; k++)
		values[k] = Float8GetDatum(mp_forest_real(f, MP_SECTION_LEAVES, (Size) node->value_bits * n + k));
	set(t, NODE_LEAVES,
		PointerGetDatum(construct_array(values, n, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)));
}

/* The class whose margin the tree adds to, or the output's number; none where there is but one. */
static void
set_output(NodeTable *t)
{
	if (t->forest->n_outputs > 1 && !t->forest->vector_leaf)
		set(t, NODE_OUTPUT, CStringGetTextDatum(mp_score_label(t->model, t->tree->output)));
}

static void
put_node(NodeTable *t, const Visit *visit)
{
	const MpNode *node = mp_forest_nodes(t->forest, t->tree) + visit->node;
	uint32		n = t->tree->first + visit->node;

	memset(t->nulls, true, sizeof(t->nulls));
	set(t, NODE_TREE, Int32GetDatum(t->number));
	set(t, NODE_USED, BoolGetDatum(t->number < t->forest->n_trees_used));
	set_output(t);
	set(t, NODE_WEIGHT, Float4GetDatum(t->tree->weight));
	set(t, NODE_NODE, node_id(t, visit->node));
	if (visit->parent >= 0)
		set(t, NODE_PARENT, node_id(t, visit->parent));
	set(t, NODE_DEPTH, Int32GetDatum(visit->depth));
	if (node->left != 0)
		set_split(t, node, visit->node);
	else
		set_leaf(t, node, visit->node);
	if (t->forest->has_stats)
	{
		if (node->left != 0)
			set(t, NODE_GAIN, Float4GetDatum(MP_SECTION(t->forest, MP_SECTION_GAIN, float)[n]));
		set(t, NODE_COVER, Float8GetDatum(mp_forest_real(t->forest, MP_SECTION_COVER, n)));
	}
	tuplestore_putvalues(t->rsinfo->setResult, t->rsinfo->setDesc, t->values, t->nulls);
}

/* The nodes that the root leads to, each before those below it, left before right. */
static void
put_tree(NodeTable *t, MemoryContext row_context)
{
	const MpNode *nodes = mp_forest_nodes(t->forest, t->tree);
	Visit	   *stack = MemoryContextAllocHuge(CurrentMemoryContext,
											   sizeof(Visit) * (t->tree->n_nodes + 1));
	int			n = 0;

	stack[n++] = (Visit) {0, -1, 0};
	while (n > 0)
	{
		Visit		visit = stack[--n];
		int32		left = nodes[visit.node].left;
		MemoryContext old = MemoryContextSwitchTo(row_context);

		CHECK_FOR_INTERRUPTS();
		put_node(t, &visit);
		MemoryContextSwitchTo(old);
		MemoryContextReset(row_context);
		if (left == 0)
			continue;
		stack[n++] = (Visit) {left + 1, visit.node, visit.depth + 1};
		stack[n++] = (Visit) {left, visit.node, visit.depth + 1};
	}
	pfree(stack);
}

PG_FUNCTION_INFO_V1(mp_trees);
Datum
mp_trees(PG_FUNCTION_ARGS)
{
	const MpModel *model;
	NodeTable	t = {.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo};
	MemoryContext row_context;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	t.forest = open_trees(fcinfo, &model);
	t.model = model;
	row_context = AllocSetContextCreate(CurrentMemoryContext, "model_predict node",
										ALLOCSET_SMALL_SIZES);
	for (t.number = 0; t.number < t.forest->n_trees; t.number++)
	{
		t.tree = mp_forest_trees(t.forest) + t.number;
		put_tree(&t, row_context);
	}
	MemoryContextDelete(row_context);
	return (Datum) 0;
}
