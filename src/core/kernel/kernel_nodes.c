/*
 * kernel_nodes.c: see kernel_nodes.h.
 */
#include "core/kernel/kernel_nodes.h"

#include <string.h>

uint32_t
mp_encode_node(const MpCompiler *c, const MpTree *tree, int32_t split)
{
	const MpNode *node;
	MpConditionPlace place;
	uint32_t	bound;
	uint32_t	cell;
	bool		left;

	if (split < 0)
		return mp_kernel_none(c->width) << mp_kernel_cell_bits(c->width);
	node = mp_forest_nodes(c->forest, tree) + split;
	place = c->conditions.places[c->numbers[tree->first + split]];
	left = (node->feature & MP_NODE_DEFAULT_LEFT) != 0;
	bound = place.index + (left ? 1 : 0);
	if (c->width == MP_BYTES)
		cell = place.slot + (left ? 0 : mp_byte_right(c->image.data));
	else
		cell = place.slot * 2 + (left ? 0 : 1);
	return cell | bound << mp_kernel_cell_bits(c->width);
}

uint32_t
mp_leaf_bits(const MpCompiler *c, const MpTree *tree, const MpNode *leaf)
{
	float		value;
	uint32_t	bits;

	if (c->forest->vector_leaf)
		return leaf->value_bits;
	if (c->forest->precision == MP_PRECISION_DOUBLE)
		return c->numbers[leaf - MP_SECTION(c->forest, MP_SECTION_NODES, MpNode)];
	value = leaf->value * tree->weight;
	memcpy(&bits, &value, sizeof(bits));
	return bits;
}
