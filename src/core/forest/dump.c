/*
 * dump.c: a tree as text and as a Graphviz digraph.
 *
 * Trees are walked with a stack of our own, kept in an MpVec: they can be deep.
 */
#include "core/forest/dump.h"

#include <math.h>
#include <string.h>

#define MAX_LABELS_TEXT 100
#define MAX_LABELS_DOT 6
#define MAX_LEAF_VALUES 8
#define MAX_TABS 100			/* more depth than a reader can follow, and it costs its square */

typedef struct Dump
{
	const MpForest *forest;
	const MpTree *tree;
	const MpNode *nodes;
	const float *gain;
	const float *cover;
	MpVec	   *out;
	MpVec		stack;			/* Visit */
} Dump;

typedef struct Visit
{
	int32_t		node;
	int32_t		depth;
} Visit;

/* How a condition is written. */
typedef struct Style
{
	const char *less;
	const char *among;
	const char *comma;
	MpEscape	escape;
	uint32_t	max_labels;
} Style;

static const Style text_style = {"<", ":{", ",", MP_ESCAPE_NONE, MAX_LABELS_TEXT};

static uint32_t
feature_of(const MpNode *node)
{
	return node->feature & MP_NODE_FEATURE_MASK;
}

bool
mp_feature_text(const MpForest *forest, int feature, MpEscape escape, MpVec *out)
{
	const MpFeature *f = &mp_forest_features(forest)[feature];

	if (forest->n_feature_names == 0)
		return mp_text_format(out, "f%d", feature);
	return mp_text_escaped(out, mp_forest_string(forest, f->name, f->name_length), escape);
}

static bool
add_label(const MpForest *forest, uint32_t feature, uint32_t code, const Style *style, MpVec *out)
{
	const MpFeature *f = &mp_forest_features(forest)[feature];
	const MpCategory *category;

	if (code >= f->n_categories)
		return mp_text_format(out, "%u", code);
	category = &mp_forest_categories(forest, f)[code];
	return mp_text_escaped(out, mp_forest_string(forest, category->label, category->label_length),
						   style->escape);
}

static bool
add_set(const MpForest *forest, const MpNode *node, const Style *style, MpVec *out)
{
	const MpCatSet *set = MP_SECTION(forest, MP_SECTION_CATSETS, MpCatSet) + node->value_bits;
	const uint32_t *words = MP_SECTION(forest, MP_SECTION_CATWORDS, uint32_t) + set->first;
	uint32_t	n_codes = set->is_list ? set->length : set->length * 32;
	uint32_t	n_written = 0;
	uint32_t	n_others = 0;
	bool		ok = mp_text_add(out, style->among);

	for (uint32_t i = 0; ok && i < n_codes; i++)
	{
		uint32_t	code = set->is_list ? words[i] : i;

		if (!set->is_list && !(words[i / 32] >> (i % 32) & 1))
			continue;
		if (n_written == style->max_labels)
		{
			n_others++;
			continue;
		}
		ok = (n_written++ == 0 || mp_text_add(out, style->comma)) &&
			add_label(forest, feature_of(node), code, style, out);
	}
	if (ok && n_others > 0)
		ok = mp_text_format(out, "%s... %u more", style->comma, n_others);
	return ok && mp_text_add(out, "}");
}

/* Whole numbers are compared: x < 2.5 is x < 3. */
static bool
add_threshold(const MpForest *forest, const MpNode *node, MpVec *out)
{
	float		value = node->value;

	if (mp_forest_features(forest)[feature_of(node)].type == MP_FEATURE_INTEGER &&
		fabsf(value) < 1e9f)
		return mp_text_format(out, "%.0f", ceil(value));
	return mp_text_float(out, value);
}

static bool
add_condition(const MpForest *forest, const MpNode *node, const Style *style, MpVec *out)
{
	if (!mp_feature_text(forest, feature_of(node), style->escape, out))
		return false;
	if (node->feature & MP_NODE_CATEGORICAL)
		return add_set(forest, node, style, out);
	return mp_text_add(out, style->less) && add_threshold(forest, node, out);
}

bool
mp_split_text(const MpForest *forest, const MpNode *split, MpEscape escape, MpVec *out)
{
	/* a literal < is markup in XML */
	Style		style = {escape == MP_ESCAPE_XML ? " &lt; " : " < ", " in {", ", ", escape,
		escape == MP_ESCAPE_NONE ? MAX_LABELS_TEXT : MAX_LABELS_DOT};

	return add_condition(forest, split, &style, out);
}

static bool
add_leaf_value(const Dump *dump, const MpNode *leaf)
{
	int			n = dump->forest->n_outputs;
	const float *values;

	if (!dump->forest->vector_leaf)
		return mp_text_float(dump->out, leaf->value);

	values = MP_SECTION(dump->forest, MP_SECTION_LEAVES, float) + (size_t) leaf->value_bits * n;
	if (!mp_text_add(dump->out, "["))
		return false;
	for (int i = 0; i < n && i < MAX_LEAF_VALUES; i++)
	{
		if (!(i == 0 || mp_text_add(dump->out, ", ")) || !mp_text_float(dump->out, values[i]))
			return false;
	}
	if (n > MAX_LEAF_VALUES &&
		!mp_text_format(dump->out, ", ... %d more", n - MAX_LEAF_VALUES))
		return false;
	return mp_text_add(dump->out, "]");
}

static bool
add_number(const Dump *dump, const char *name, float x)
{
	if (!dump->forest->has_stats)
		return true;
	return mp_text_add(dump->out, name) && mp_text_float(dump->out, x);
}

/* The child that a true condition leads to. */
static int32_t
yes_of(const MpNode *node)
{
	return node->left + ((node->feature & MP_NODE_CATEGORICAL) != 0);
}

static int32_t
no_of(const MpNode *node)
{
	return node->left + ((node->feature & MP_NODE_CATEGORICAL) == 0);
}

static int32_t
missing_of(const MpNode *node)
{
	return node->left + ((node->feature & MP_NODE_DEFAULT_LEFT) == 0);
}

static bool
text_node(const Dump *dump, const Visit *visit)
{
	const MpNode *node = &dump->nodes[visit->node];
	MpVec	   *out = dump->out;

	for (int i = 0; i < visit->depth && i < MAX_TABS; i++)
	{
		if (!mp_text_add(out, "\t"))
			return false;
	}
	if (node->left == 0)
		return mp_text_format(out, "%d:leaf=", visit->node) &&
			add_leaf_value(dump, node) &&
			add_number(dump, ",cover=", dump->cover[visit->node]) &&
			mp_text_add(out, "\n");
	return mp_text_format(out, "%d:[", visit->node) &&
		add_condition(dump->forest, node, &text_style, out) &&
		mp_text_format(out, "] yes=%d,no=%d,missing=%d", yes_of(node), no_of(node),
					   missing_of(node)) &&
		add_number(dump, ",gain=", dump->gain[visit->node]) &&
		add_number(dump, ",cover=", dump->cover[visit->node]) &&
		mp_text_add(out, "\n");
}

static bool
dot_edge(const Dump *dump, int32_t from, int32_t to, const char *answer, bool missing)
{
	return mp_text_format(dump->out, "\tn%d -> n%d [label=\"%s%s\"%s]\n", from, to, answer,
						  missing ? ", missing" : "", missing ? ", style=bold" : "");
}

static bool
dot_node(const Dump *dump, const Visit *visit)
{
	const MpNode *node = &dump->nodes[visit->node];
	MpVec	   *out = dump->out;

	if (node->left == 0)
		return mp_text_format(out, "\tn%d [shape=ellipse, label=\"", visit->node) &&
			add_leaf_value(dump, node) &&
			add_number(dump, "\\ncover ", dump->cover[visit->node]) &&
			mp_text_add(out, "\"]\n");
	return mp_text_format(out, "\tn%d [label=\"", visit->node) &&
		mp_split_text(dump->forest, node, MP_ESCAPE_DOT, out) &&
		add_number(dump, "\\ngain ", dump->gain[visit->node]) &&
		add_number(dump, ", cover ", dump->cover[visit->node]) &&
		mp_text_add(out, "\"]\n") &&
		dot_edge(dump, visit->node, yes_of(node), "yes", yes_of(node) == missing_of(node)) &&
		dot_edge(dump, visit->node, no_of(node), "no", no_of(node) == missing_of(node));
}

static bool
push(Dump *dump, int32_t node, int32_t depth)
{
	Visit	   *visit = mp_vec_add(&dump->stack, sizeof(Visit));

	if (visit == NULL)
		return false;
	visit->node = node;
	visit->depth = depth;
	return true;
}

/* Every node, a parent before its children and left before right. */
static bool
each_node(Dump *dump, bool (*write) (const Dump *dump, const Visit *visit))
{
	uint32_t	n_visited = 0;
	bool		ok = push(dump, 0, 0);

	while (ok && dump->stack.size > 0)
	{
		Visit		visit;
		int32_t		left;

		dump->stack.size -= sizeof(Visit);
		visit = *(Visit *) ((char *) dump->stack.data + dump->stack.size);
		left = dump->nodes[visit.node].left;
		if (n_visited++ % 1024 == 0)
			mp_alloc_poll(dump->out->alloc);
		ok = write(dump, &visit);
		if (ok && left != 0)
			ok = push(dump, left + 1, visit.depth + 1) && push(dump, left, visit.depth + 1);
	}
	mp_vec_release(&dump->stack);
	return ok;
}

static Dump
dump_of(const MpForest *forest, int tree, MpVec *out)
{
	Dump		dump = {.forest = forest, .out = out, .stack = {.alloc = out->alloc}};

	dump.tree = &mp_forest_trees(forest)[tree];
	dump.nodes = mp_forest_nodes(forest, dump.tree);
	dump.gain = MP_SECTION(forest, MP_SECTION_GAIN, float) + dump.tree->first;
	dump.cover = MP_SECTION(forest, MP_SECTION_COVER, float) + dump.tree->first;
	return dump;
}

bool
mp_tree_text(const MpForest *forest, int tree, MpVec *out)
{
	Dump		dump = dump_of(forest, tree, out);

	return each_node(&dump, text_node);
}

bool
mp_tree_dot(const MpForest *forest, int tree, MpVec *out)
{
	Dump		dump = dump_of(forest, tree, out);

	return mp_text_format(out, "digraph \"tree %d\" {\n", tree) &&
		mp_text_add(out, "\tnode [shape=box, style=rounded, fontname=\"sans-serif\"]\n"
					"\tedge [fontname=\"sans-serif\"]\n") &&
		each_node(&dump, dot_node) &&
		mp_text_add(out, "}\n");
}
