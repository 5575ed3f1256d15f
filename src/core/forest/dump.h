/*
 * dump.h: trees for people, with the names of features and the labels of
 * categories.
 *
 * All append UTF-8 to `out` and return false when there is no memory. Sets of
 * categories are cut after some labels, with the number of the others.
 */
#ifndef MP_CORE_DUMP_H
#define MP_CORE_DUMP_H

#include "core/forest/forest.h"
#include "core/text/text.h"

/*
 * As Booster.get_dump(with_stats=True), a line per node, tabs by depth:
 *
 *     0:[tenure<12.5] yes=1,no=2,missing=1,gain=80.2,cover=400
 *         1:[contract:{Month-to-month,One year}] yes=4,no=3,missing=3,gain=...
 *             3:leaf=-0.25,cover=120
 *
 * As there, yes of a set is the right child. Numbers are the shortest that
 * read back as the same, in the forest's precision. LightGBM's nodes are called
 * split0 and leaf0, and compare by <=.
 */
extern bool mp_tree_text(const MpForest *forest, int tree, MpVec *out);

/* Graphviz. */
extern bool mp_tree_dot(const MpForest *forest, int tree, MpVec *out);

/* A feature's name; f0, f1, ... where the model has none. */
extern bool mp_feature_text(const MpForest *forest, int feature, MpEscape escape, MpVec *out);

#endif
