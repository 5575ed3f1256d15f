/*
 * pin.c: one version for a statement that runs on several nodes.
 *
 * Citus sends parts of a statement to other nodes as text, where each would look
 * the reference up by a snapshot of its own: a deploy in between would mix
 * versions. So before Citus plans a query over its tables, `churn` becomes
 * `churn@3`, as the planning role and snapshot see it. The plan depends on the
 * table of aliases, which each deploy invalidates, so prepared plans follow.
 *
 * Citus also drops columns of a whole row on the nullable side of an outer
 * join; such a call is refused.
 */
#include "postgres.h"

#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "plan/pin.h"
#include "plan/planner.h"
#include "store/catalog.h"
#include "store/citus.h"
#include "store/lookup.h"
#include "store/reference.h"

typedef struct Pins
{
	ParamListInfo params;
	List	   *nullable;		/* Bitmapsets of the range table's entries, the innermost query's first */
	bool		kept;			/* some table is */
	bool		pinned;
} Pins;

Oid
mp_pin_table(void)
{
	return mp_catalog_table("stored_alias");
}

/* Range table entries below the nullable side of an outer join. */
static void
find_nullable(Node *node, bool nullable, Bitmapset **found)
{
	JoinExpr   *join;
	ListCell   *cell;

	if (IsA(node, RangeTblRef))
	{
		if (nullable)
			*found = bms_add_member(*found, ((RangeTblRef *) node)->rtindex);
		return;
	}
	if (IsA(node, FromExpr))
	{
		foreach(cell, ((FromExpr *) node)->fromlist)
			find_nullable(lfirst(cell), nullable, found);
		return;
	}
	join = castNode(JoinExpr, node);
	find_nullable(join->larg, nullable || join->jointype == JOIN_RIGHT || join->jointype == JOIN_FULL, found);
	find_nullable(join->rarg, nullable || join->jointype == JOIN_LEFT || join->jointype == JOIN_FULL, found);
}

static bool
keeps_a_table(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, RangeTblEntry))
	{
		RangeTblEntry *entry = (RangeTblEntry *) node;

		return entry->rtekind == RTE_RELATION && mp_citus_keeps(entry->relid);
	}
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, keeps_a_table, context, QTW_EXAMINE_RTES_BEFORE);
	return expression_tree_walker(node, keeps_a_table, context);
}

static void
check_row(const FuncExpr *call, const Pins *pins)
{
	ListCell   *cell;

	foreach(cell, call->args)
	{
		Var		   *var = lfirst(cell);

		if (!IsA(var, Var) || var->varattno != 0 || var->varlevelsup >= list_length(pins->nullable) ||
			!bms_is_member(var->varno, list_nth(pins->nullable, var->varlevelsup)))
			continue;
		ereport(ERROR,
				errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				errmsg("a whole row from the nullable side of an outer join cannot be scored where Citus distributes its table"),
				errdetail("Citus loses columns of such a row."),
				errhint("Score it in a subquery over its table alone, and join that: LEFT JOIN (SELECT id, predict(...) AS score FROM ...) s."));
	}
}

/* The reference, where it is known while planning. */
static Const *
known_reference(Node *argument, const Pins *pins)
{
	PlannerInfo *root = makeNode(PlannerInfo);
	Node	   *known;

	root->glob = makeNode(PlannerGlobal);
	root->glob->boundParams = pins->params;
	known = estimate_expression_value(root, argument);
	return IsA(known, Const) ? (Const *) known : NULL;
}

/* name@version for this role and snapshot; NULL: it names none, as whoever executes it will say. */
static char *
pinned_reference(const char *text)
{
	Snapshot	snapshot = GetActiveSnapshot();
	MpReference ref;
	MpModelRow	model;
	int32		version;

	if (!mp_reference_try_parse(text, &ref) || ref.alias == NULL ||
		!mp_lookup_find(ref.name, GetUserId(), snapshot, &model) ||
		!mp_lookup_alias(model.id, ref.alias, snapshot, &version))
		return NULL;
	return psprintf("%s@%d", ref.name, version);
}

static void
pin(FuncExpr *call, Pins *pins)
{
	Const	   *known = known_reference(linitial(call->args), pins);
	char	   *reference;

	check_row(call, pins);
	if (known == NULL)
		ereport(ERROR,
				errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				errmsg("the reference to a model must be a constant where Citus distributes the table"),
				errdetail("Each node would look it up for itself, and might find another version than the others."),
				errhint("Write it out, such as 'churn' or 'churn@3'; of several models, select each from its own rows and join the results by UNION ALL."));
	if (known->constisnull)
		return;
	reference = pinned_reference(TextDatumGetCString(known->constvalue));
	pins->pinned = true;
	if (reference != NULL)
		linitial(call->args) = makeConst(TEXTOID, -1, known->constcollid, -1,
										 CStringGetTextDatum(reference), false, false);
}

static bool
pin_calls(Node *node, void *context)
{
	Pins	   *pins = context;
	bool		stop;

	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		Query	   *query = (Query *) node;
		Bitmapset  *nullable = NULL;

		if (query->jointree != NULL)
			find_nullable((Node *) query->jointree, false, &nullable);
		pins->nullable = lcons(nullable, pins->nullable);
		stop = query_tree_walker(query, pin_calls, pins, 0);
		pins->nullable = list_delete_first(pins->nullable);
		return stop;
	}
	if (IsA(node, FuncExpr) && mp_planner_supports(((FuncExpr *) node)->funcid))
		pin((FuncExpr *) node, pins);
	return expression_tree_walker(node, pin_calls, context);
}

Query *
mp_pin_references(Query *query, ParamListInfo params, bool *pinned)
{
	Pins		pins = {.params = params};

	*pinned = false;
	if (!OidIsValid(get_relname_relid("pg_dist_partition", PG_CATALOG_NAMESPACE)) ||
		!mp_catalog_installed() || !ActiveSnapshotSet() || !keeps_a_table((Node *) query, NULL))
		return query;
	query = copyObject(query);
	pin_calls((Node *) query, &pins);
	*pinned = pins.pinned;
	return query;
}
