/*
 * planner.c: what the planner is told of the scoring functions.
 *
 * Cost: the model's real work, so that plans go parallel and cheap filters run
 * first. Read from the version's row under the rule of rights that a call
 * obeys; where the model is absent, forbidden or not known yet the answer is
 * one default, so that EXPLAIN tells nothing.
 *
 * Simplification: predict(m, t) with a whole row of a table would copy the row
 * and detoast all of it. It becomes predict(m, '{a,b,...}'::model_predict.columns,
 * t.a, t.b, ...), the same function with names before the values; source.c knows
 * that form, which means the same wherever a plan is shown or sent as text. The
 * plan holds nothing of the model, so it stays right whatever is deployed later. A
 * subquery's row keeps its names in this way, too.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/prep.h"
#include "parser/parsetree.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"

#include "glue/compat.h"
#include "plan/planner.h"
#include "row/source.h"
#include "score/moment.h"
#include "store/lookup.h"

/* Work of one row, in operators, where the model is not known. */
#define DEFAULT_WORK 100
/* A row's own work: resolving, reading, the link. */
#define ROW_WORK 10
/* Steps down a tree that take as long as one of PostgreSQL's operators: measured, near 0.5 ns and 10 ns. */
#define STEPS_PER_OPERATOR 20
/* A row's contributions take as long as this many scores: measured, 10 to 60, by the trees. */
#define EXPLAIN_FACTOR 30

/* Steps of all trees for a row, or -1. */
static double
steps_of_version(int64 model, int32 version, Snapshot snapshot)
{
	MpScan		scan;
	HeapTuple	tuple;
	double		steps = -1;

	mp_scan_begin(&scan, "stored_version", snapshot);
	mp_scan_key_int8(&scan, "model", model);
	mp_scan_key_int4(&scan, "version", version);
	tuple = mp_scan_next(&scan);
	if (tuple != NULL)
	{
		double		trees = DatumGetInt32(mp_scan_value_not_null(&scan, tuple, "n_trees"));
		double		rounds = DatumGetInt32(mp_scan_value_not_null(&scan, tuple, "rounds"));
		double		used = DatumGetInt32(mp_scan_value_not_null(&scan, tuple, "rounds_used"));
		double		depth = DatumGetInt32(mp_scan_value_not_null(&scan, tuple, "max_depth"));
		double		features = DatumGetInt32(mp_scan_value_not_null(&scan, tuple, "features"));

		steps = trees * (rounds > 0 ? used / rounds : 1) * Max(depth, 1) + features;
	}
	mp_scan_end(&scan);
	return steps;
}

/* Never an error: a plan may be made before the model is registered. */
static double
find_work(const char *text)
{
	Snapshot	snapshot;
	MpReference ref;
	MpModelRow	model;
	int32		version;
	double		steps;

	if (!mp_reference_try_parse(text, &ref) || !mp_catalog_installed())
		return DEFAULT_WORK;
	snapshot = GetActiveSnapshot();
	if (!mp_lookup_find(ref.name, GetUserId(), snapshot, &model))
		return DEFAULT_WORK;
	version = ref.version;
	if (ref.alias != NULL && !mp_lookup_alias(model.id, ref.alias, snapshot, &version))
		return DEFAULT_WORK;
	steps = steps_of_version(model.id, version, snapshot);
	return steps < 0 ? DEFAULT_WORK : ROW_WORK + steps / STEPS_PER_OPERATOR;
}

/* The planner asks many times for one plan: the last answer is kept while it holds. */
static double
work_of_reference(const char *text)
{
	static MpMoment moment;
	static char *asked;
	static double answer;
	char	   *copy;

	if (!ActiveSnapshotSet())
		return DEFAULT_WORK;
	if (asked != NULL && strcmp(asked, text) == 0 && mp_moment_is_now(&moment))
		return answer;
	answer = find_work(text);
	copy = MemoryContextStrdup(TopMemoryContext, text);
	if (asked != NULL)
		pfree(asked);
	asked = copy;
	mp_moment_set(&moment, TopMemoryContext);
	return answer;
}

/* What the argument will be, as far as that is known without calling a function, which might fail. */
static Node *
known_value(PlannerInfo *root, Node *argument)
{
	Node	   *inner = argument;

	while (IsA(inner, RelabelType))
		inner = (Node *) ((RelabelType *) inner)->arg;
	if (root != NULL && IsA(inner, Param))
		return estimate_expression_value(root, argument);
	return argument;
}

static bool
estimate_cost(SupportRequestCost *request, int factor)
{
	Node	   *reference;
	double		work = DEFAULT_WORK;

	if (request->node == NULL || !IsA(request->node, FuncExpr))
		return false;
	reference = known_value(request->root, linitial(((FuncExpr *) request->node)->args));
	if (IsA(reference, Const) && !((Const *) reference)->constisnull)
		work = work_of_reference(TextDatumGetCString(((Const *) reference)->constvalue));
	request->startup = 0;
	request->per_tuple = work * factor * cpu_operator_cost;
	return true;
}

/* Whether an outer join can replace the relation's rows by nulls. */
static bool
is_nullable(Node *jointree, Index relation)
{
	ListCell   *cell;

	if (IsA(jointree, FromExpr))
	{
		foreach(cell, ((FromExpr *) jointree)->fromlist)
			if (is_nullable(lfirst(cell), relation))
				return true;
	}
	else if (IsA(jointree, JoinExpr))
	{
		JoinExpr   *join = (JoinExpr *) jointree;
		bool		left = join->jointype == JOIN_RIGHT || join->jointype == JOIN_FULL;
		bool		right = join->jointype == JOIN_LEFT || join->jointype == JOIN_FULL;

		if ((left && bms_is_member(relation, mp_relids_in_jointree(join->larg))) ||
			(right && bms_is_member(relation, mp_relids_in_jointree(join->rarg))))
			return true;
		return is_nullable(join->larg, relation) || is_nullable(join->rarg, relation);
	}
	return false;
}

/*
 * The planner simplifies the condition of an EXISTS that it does not turn into
 * a join with its outer query's root at hand, whose relations and joins are
 * others.
 */
static bool
is_nullable_in_exists(Node *node, void *relation)
{
	if (node == NULL)
		return false;
	if (IsA(node, SubLink) && ((SubLink *) node)->subLinkType == EXISTS_SUBLINK)
	{
		Query	   *query = castNode(Query, ((SubLink *) node)->subselect);

		if (is_nullable((Node *) query->jointree, *(Index *) relation))
			return true;
	}
	return expression_tree_walker(node, is_nullable_in_exists, relation);
}

/* Whether a grouping set can replace the relation's rows by nulls. */
static bool
is_grouped(const Query *query, Index relation)
{
	ListCell   *cell;

	if (query->groupingSets == NIL)
		return false;
	foreach(cell, query->targetList)
	{
		const TargetEntry *entry = lfirst(cell);
		const Var  *var = (const Var *) entry->expr;

		if (entry->ressortgroupref != 0 && IsA(var, Var) &&
			var->varno == relation && var->varattno == InvalidAttrNumber)
			return true;
	}
	return false;
}

/* Whether the row may be another than the one that its columns are of: a null, or one of RETURNING's. */
static bool
may_be_replaced(Query *query, const Var *row)
{
	Index		relation = row->varno;

	return mp_var_is_nullable(row) || mp_var_is_old_or_new(row) ||
		is_nullable((Node *) query->jointree, relation) || is_grouped(query, relation) ||
		(query->hasSubLinks && query_tree_walker(query, is_nullable_in_exists, &relation, 0));
}

/* What a whole row has. */
typedef struct Expansion
{
	List	   *names;			/* char * */
	List	   *values;			/* expressions */
} Expansion;

static void
add_column(Expansion *row, char *name, void *value)
{
	row->names = lappend(row->names, name);
	row->values = lappend(row->values, value);
}

static bool
is_relation(const RangeTblEntry *rte, const Var *row)
{
	return rte->rtekind == RTE_RELATION &&
		(rte->relkind == RELKIND_RELATION || rte->relkind == RELKIND_PARTITIONED_TABLE ||
		 rte->relkind == RELKIND_MATVIEW || rte->relkind == RELKIND_FOREIGN_TABLE) &&
		get_rel_type_id(rte->relid) == row->vartype;
}

/*
 * False where a column is virtual: the planner replaces such columns, and whole
 * rows that have them, by their expressions at a time of its own.
 */
static bool
expand_relation(const Var *row, Expansion *expansion)
{
	TupleDesc	desc = lookup_rowtype_tupdesc(row->vartype, -1);
	bool		possible = true;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (att->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL)
			possible = false;
		if (!att->attisdropped)
			add_column(expansion, pstrdup(NameStr(att->attname)),
					   makeVar(row->varno, att->attnum, att->atttypid, att->atttypmod, att->attcollation, 0));
	}
	ReleaseTupleDesc(desc);
	return possible;
}

static bool
expand_subquery(const Var *row, const RangeTblEntry *rte, Expansion *expansion)
{
	ListCell   *entry;
	ListCell   *name = list_head(rte->eref->colnames);

	foreach(entry, rte->subquery->targetList)
	{
		const TargetEntry *column = lfirst(entry);

		if (column->resjunk)
			continue;
		if (name == NULL)
			return false;
		add_column(expansion, strVal(lfirst(name)), makeVarFromTargetEntry(row->varno, unconstify(TargetEntry *, column)));
		name = lnext(rte->eref->colnames, name);
	}
	return true;
}

/* The query is none, or an outer one, where the planner simplifies apart from a query. */
static bool
expand_var(Query *query, const Var *row, Expansion *expansion)
{
	const RangeTblEntry *rte;

	if (query == NULL || row->varattno != InvalidAttrNumber || row->varlevelsup != 0 ||
		IS_SPECIAL_VARNO(row->varno) || row->varno > list_length(query->rtable) ||
		may_be_replaced(query, row))
		return false;
	rte = rt_fetch(row->varno, query->rtable);
	if (row->vartype == RECORDOID)
		return rte->rtekind == RTE_SUBQUERY && rte->subquery != NULL &&
			expand_subquery(row, rte, expansion);
	return is_relation(rte, row) && expand_relation(row, expansion);
}

/* Whether the names are those that PostgreSQL gives to ROW(...), which has none. */
static bool
are_invented(const List *names)
{
	ListCell   *cell;

	foreach(cell, names)
		if (strcmp(strVal(lfirst(cell)), psprintf("f%d", foreach_current_index(cell) + 1)) != 0)
			return false;
	return true;
}

/* What the planner has made of a subquery's row: the names are the subquery's. */
static bool
expand_constructor(const RowExpr *row, Expansion *expansion)
{
	ListCell   *name;
	ListCell   *value;

	if (row->row_typeid != RECORDOID || row->row_format != COERCE_IMPLICIT_CAST ||
		list_length(row->colnames) != list_length(row->args) || are_invented(row->colnames))
		return false;
	forboth(name, row->colnames, value, row->args)
		add_column(expansion, strVal(lfirst(name)), lfirst(value));
	return true;
}

static Const *
make_names(const List *names, Oid type)
{
	int			n = list_length(names);
	Datum	   *values = palloc(sizeof(Datum) * n);
	ListCell   *cell;

	foreach(cell, names)
		values[foreach_current_index(cell)] = CStringGetTextDatum(lfirst(cell));
	return makeConst(type, -1, DEFAULT_COLLATION_OID, -1,
					 PointerGetDatum(construct_array(values, n, TEXTOID, -1, false, TYPALIGN_INT)), false, false);
}

static Node *
expand_row(SupportRequestSimplify *request)
{
	FuncExpr   *call = request->fcall;
	int			fixed = get_func_nargs(call->funcid) - 1;
	PlannerInfo *root = request->root;
	Expansion	row = {NIL, NIL};
	FuncExpr   *expanded;
	Node	   *last;
	Oid			type;

	if (root == NULL || call->funcvariadic || list_length(call->args) != fixed + 1)
		return NULL;
	last = llast(call->args);
	if (!(IsA(last, Var) && expand_var(root->parse, (Var *) last, &row)) &&
		!(IsA(last, RowExpr) && expand_constructor((RowExpr *) last, &row)))
		return NULL;
	type = mp_catalog_installed() ? mp_source_columns_type() : InvalidOid;
	if (row.values == NIL || list_length(row.values) > FUNC_MAX_ARGS - fixed - 1 || !OidIsValid(type))
		return NULL;
	expanded = makeNode(FuncExpr);
	*expanded = *call;
	expanded->args = list_truncate(list_copy(call->args), fixed);
	expanded->args = lappend(expanded->args, make_names(row.names, type));
	expanded->args = list_concat(expanded->args, row.values);
	return (Node *) expanded;
}

static uint64 questions = 0;

uint64
mp_planner_questions(void)
{
	return questions;
}

static Node *
support(Node *request, int factor)
{
	questions++;
	if (IsA(request, SupportRequestCost))
		return estimate_cost((SupportRequestCost *) request, factor) ? request : NULL;
	if (IsA(request, SupportRequestSimplify))
		return expand_row((SupportRequestSimplify *) request);
	return NULL;
}

PG_FUNCTION_INFO_V1(mp_planner_support);
Datum
mp_planner_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(support((Node *) PG_GETARG_POINTER(0), 1));
}

PG_FUNCTION_INFO_V1(mp_planner_support_explain);
Datum
mp_planner_support_explain(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(support((Node *) PG_GETARG_POINTER(0), EXPLAIN_FACTOR));
}

/* Ours are those whose support function is ours. */
bool
mp_planner_supports(Oid function)
{
	Oid			support_function = get_func_support(function);
	FmgrInfo	info;

	if (!OidIsValid(support_function))
		return false;
	fmgr_info(support_function, &info);
	return info.fn_addr == mp_planner_support || info.fn_addr == mp_planner_support_explain;
}

/* The function last asked about: a plan of many partitions asks about the same one. */
static Oid	last_function = InvalidOid;
static const MpAnswer *last_answer = NULL;

void
mp_planner_forget(void)
{
	last_function = InvalidOid;
}

const MpAnswer *
mp_planner_answer(Oid function)
{
	FmgrInfo	info;

	if (function == last_function)
		return last_answer;
	if (!mp_planner_supports(function))
		return NULL;
	fmgr_info(function, &info);
	last_answer = mp_answer_of(info.fn_addr);
	last_function = function;
	return last_answer;
}
