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
	const char *at_most;
	const char *among;
	const char *comma;
	MpEscape	escape;
	uint32_t	max_labels;
} Style;

static const Style text_style = {"<", "<=", ":{", ",", MP_ESCAPE_NONE, MAX_LABELS_TEXT};
static const Style dot_style = {" < ", " <= ", " in {", ", ", MP_ESCAPE_DOT, MAX_LABELS_DOT};

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

/* A number in the forest's precision. */
static bool
add_real(const MpForest *forest, double x, MpVec *out)
{
	return forest->precision == MP_PRECISION_DOUBLE ? mp_text_double(out, x) :
		mp_text_float(out, (float) x);
}

/* Whole numbers are compared: x < 2.5 is x < 3. */
static bool
add_threshold(const Dump *dump, int32_t i)
{
	double		value = mp_forest_threshold(dump->forest, dump->tree, (uint32_t) i);
	uint32_t	feature = feature_of(&dump->nodes[i]);

	if (mp_forest_features(dump->forest)[feature].type == MP_FEATURE_INTEGER && fabs(value) < 1e9)
		return mp_text_format(dump->out, "%.0f", ceil(value));
	return add_real(dump->forest, value, dump->out);
}

static bool
add_condition(const Dump *dump, int32_t i, const Style *style)
{
	const MpNode *node = &dump->nodes[i];
	bool		wide = dump->forest->precision == MP_PRECISION_DOUBLE;

	if (!mp_feature_text(dump->forest, feature_of(node), style->escape, dump->out))
		return false;
	if (node->feature & MP_NODE_CATEGORICAL)
		return add_set(dump->forest, node, style, dump->out);
	return mp_text_add(dump->out, wide ? style->at_most : style->less) && add_threshold(dump, i);
}

/* One number, or of a vector all; of a linear leaf its constant, and how many terms it has. */
static bool
add_leaf_value(const Dump *dump, int32_t i)
{
	const MpForest *f = dump->forest;
	int			n = f->n_outputs;
	size_t		first = (size_t) dump->nodes[i].value_bits * n;

	if (f->linear_leaf)
	{
		const MpLinearLeaf *linear = MP_SECTION(f, MP_SECTION_LINEAR, MpLinearLeaf) +
			dump->nodes[i].value_bits;

		return add_real(f, linear->constant, dump->out) &&
			(linear->n_terms == 0 || mp_text_format(dump->out, "+%u terms", linear->n_terms));
	}
	if (!f->vector_leaf)
		return add_real(f, mp_forest_value(f, dump->tree, (uint32_t) i), dump->out);

	if (!mp_text_add(dump->out, "["))
		return false;
	for (int k = 0; k < n && k < MAX_LEAF_VALUES; k++)
	{
		if (!(k == 0 || mp_text_add(dump->out, ", ")) ||
			!add_real(f, mp_forest_real(f, MP_SECTION_LEAVES, first + k), dump->out))
			return false;
	}
	if (n > MAX_LEAF_VALUES &&
		!mp_text_format(dump->out, ", ... %d more", n - MAX_LEAF_VALUES))
		return false;
	return mp_text_add(dump->out, "]");
}

static bool
add_gain(const Dump *dump, const char *name, int32_t i)
{
	if (!dump->forest->has_stats)
		return true;
	return mp_text_add(dump->out, name) &&
		mp_text_float(dump->out,
					  MP_SECTION(dump->forest, MP_SECTION_GAIN, float)[dump->tree->first + i]);
}

static bool
add_cover(const Dump *dump, const char *name, int32_t i)
{
	if (!dump->forest->has_stats)
		return true;
	return mp_text_add(dump->out, name) &&
		add_real(dump->forest, mp_forest_real(dump->forest, MP_SECTION_COVER,
											  dump->tree->first + i), dump->out);
}

/* A node's name: its number, where splits and leaves are numbered together. */
static bool
add_id(const Dump *dump, const char *before, int32_t i)
{
	const char *kind = "";

	if (dump->forest->library == MP_LIBRARY_LIGHTGBM)
		kind = dump->nodes[i].left == 0 ? "leaf" : "split";
	return mp_text_format(dump->out, "%s%s%d", before, kind,
						  mp_forest_number(dump->forest, dump->tree, i));
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
	if (!add_id(dump, "", visit->node))
		return false;
	if (node->left == 0)
		return mp_text_add(out, ":leaf=") &&
			add_leaf_value(dump, visit->node) &&
			add_cover(dump, ",cover=", visit->node) &&
			mp_text_add(out, "\n");
	return mp_text_add(out, ":[") &&
		add_condition(dump, visit->node, &text_style) &&
		add_id(dump, "] yes=", yes_of(node)) &&
		add_id(dump, ",no=", no_of(node)) &&
		add_id(dump, ",missing=", missing_of(node)) &&
		add_gain(dump, ",gain=", visit->node) &&
		add_cover(dump, ",cover=", visit->node) &&
		mp_text_add(out, "\n");
}

static bool
dot_edge(const Dump *dump, int32_t from, int32_t to, const char *answer, bool missing)
{
	return add_id(dump, "\tn", from) && add_id(dump, " -> n", to) &&
		mp_text_format(dump->out, " [label=\"%s%s\"%s]\n", answer, missing ? ", missing" : "",
					   missing ? ", style=bold" : "");
}

static bool
dot_node(const Dump *dump, const Visit *visit)
{
	const MpNode *node = &dump->nodes[visit->node];
	MpVec	   *out = dump->out;

	if (!add_id(dump, "\tn", visit->node))
		return false;
	if (node->left == 0)
		return mp_text_add(out, " [shape=ellipse, label=\"") &&
			add_leaf_value(dump, visit->node) &&
			add_cover(dump, "\\ncover ", visit->node) &&
			mp_text_add(out, "\"]\n");
	return mp_text_add(out, " [label=\"") &&
		add_condition(dump, visit->node, &dot_style) &&
		add_gain(dump, "\\ngain ", visit->node) &&
		add_cover(dump, ", cover ", visit->node) &&
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
