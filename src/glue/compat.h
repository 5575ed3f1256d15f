/*
 * compat.h: the one place that knows how PostgreSQL's versions differ. Call
 * sites read like the newest version; what older ones lack is added here.
 */
#ifndef MP_COMPAT_H
#define MP_COMPAT_H

#if PG_VERSION_NUM < 140000
#error "model_predict needs PostgreSQL 14 or later"
#endif

/* 16: variable-length values left postgres.h */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* 15: reserved prefixes of settings got their name */
#if PG_VERSION_NUM < 150000
#define MarkGUCPrefixReserved(prefix) EmitWarningsOnPlaceholders(prefix)
#endif

/* 15: functions that return a tuplestore got a common beginning, named so in 15.1 */
#if PG_VERSION_NUM < 150000
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/tuplestore.h"

#define MAT_SRF_USE_EXPECTED_DESC 1

static inline void
InitMaterializedSRF(FunctionCallInfo fcinfo, bits32 flags)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	bool		as_expected = (flags & MAT_SRF_USE_EXPECTED_DESC) != 0;
	MemoryContext old;

	if (rsinfo == NULL || !IsA(rsinfo, ReturnSetInfo) ||
		(rsinfo->allowedModes & SFRM_Materialize) == 0 ||
		(as_expected && rsinfo->expectedDesc == NULL))
		ereport(ERROR,
				errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				errmsg("set-valued function called in context that cannot accept a set"));
	old = MemoryContextSwitchTo(rsinfo->econtext->ecxt_per_query_memory);
	if (as_expected)
		rsinfo->setDesc = CreateTupleDescCopy(rsinfo->expectedDesc);
	else if (get_call_result_type(fcinfo, NULL, &rsinfo->setDesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "a function that returns rows has no row type");
	rsinfo->returnMode = SFRM_Materialize;
	rsinfo->setResult = tuplestore_begin_heap((rsinfo->allowedModes & SFRM_Materialize_Random) != 0,
											  false, work_mem);
	MemoryContextSwitchTo(old);
}
#elif PG_VERSION_NUM < 150001
#define InitMaterializedSRF(fcinfo, flags) SetSingleFuncCall(fcinfo, flags)
#define MAT_SRF_USE_EXPECTED_DESC SRF_SINGLE_USE_EXPECTED
#endif

/* 15: shared memory is asked for when a hook says so, no longer while a library is loaded */
#if PG_VERSION_NUM >= 150000
#define MP_SHMEM_REQUEST_HOOK
#endif

/* 15: what a custom scan can project is no longer taken for granted */
#if PG_VERSION_NUM < 150000
#define CUSTOMPATH_SUPPORT_PROJECTION 0
#endif

/* 15: heap_fetch() can keep the buffer of a row that is not visible */
#if PG_VERSION_NUM >= 150000
#define mp_heap_fetch(rel, snapshot, tuple, buffer) heap_fetch(rel, snapshot, tuple, buffer, false)
#else
#define mp_heap_fetch(rel, snapshot, tuple, buffer) heap_fetch(rel, snapshot, tuple, buffer)
#endif

/* 15: window functions can stop before their input ends */
#if PG_VERSION_NUM >= 150000
#define mp_window_may_stop(window) ((window)->runCondition != NIL)
#else
#define mp_window_may_stop(window) false
#endif

/* 15: MERGE */
#if PG_VERSION_NUM >= 150000
#define mp_merge_actions(modify) ((modify)->mergeActionLists)
#else
#define mp_merge_actions(modify) NIL
#endif

/* 16: relation file nodes became locators */
#if PG_VERSION_NUM >= 160000
#define mp_relation_file(rel) ((rel)->rd_locator.relNumber)
#define mp_relation_locator(rel) ((rel)->rd_locator)
#else
#define mp_relation_file(rel) ((rel)->rd_node.relNode)
#define mp_relation_locator(rel) ((rel)->rd_node)
#endif

/* 16: inner joins can be asked for apart from outer ones */
#if PG_VERSION_NUM >= 160000
#define mp_relids_in_jointree(tree) get_relids_in_jointree(tree, true, true)
#else
#define mp_relids_in_jointree(tree) get_relids_in_jointree(tree, true)
#endif

/* 16: a Var knows the outer joins that may make it null */
#if PG_VERSION_NUM >= 160000
#define mp_var_is_nullable(var) (!bms_is_empty((var)->varnullingrels))
#else
#define mp_var_is_nullable(var) false
#endif

/* 16: rights on objects are checked by one function for all kinds */
#if PG_VERSION_NUM < 160000
#define object_aclcheck(class, oid, role, mode) pg_proc_aclcheck(oid, role, mode)
#endif

/* 16: belonging to a role and the right to become it were told apart */
#if PG_VERSION_NUM < 160000
#define check_can_set_role(member, role) check_is_member_of_role(member, role)
#endif

/* 18: RETURNING can ask for the row before or after the change, and there may be none */
#if PG_VERSION_NUM >= 180000
#define mp_var_is_old_or_new(var) ((var)->varreturningtype != VAR_RETURNING_DEFAULT)
#else
#define mp_var_is_old_or_new(var) false
#endif

/* 18: what EXPLAIN prints with has headers of its own */
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#endif

/* 18: the executor runs a query once only where it does not say otherwise */
#if PG_VERSION_NUM >= 180000
#define MP_RUN_PARAMETERS QueryDesc *query, ScanDirection direction, uint64 count
#define MP_RUN_ARGUMENTS query, direction, count
#else
#define MP_RUN_PARAMETERS QueryDesc *query, ScanDirection direction, uint64 count, bool once
#define MP_RUN_ARGUMENTS query, direction, count, once
#endif

/* 18: plans count their disabled nodes; EXPLAIN finds a custom scan's in its list of children */
#if PG_VERSION_NUM >= 180000
#define mp_plan_count_disabled(node, child) \
	do { \
		(node)->scan.plan.disabled_nodes = (child)->disabled_nodes; \
		if ((child)->disabled_nodes > 0) \
		{ \
			Result	   *count_ = makeNode(Result); \
\
			count_->plan.disabled_nodes = (child)->disabled_nodes; \
			(node)->custom_plans = list_make1(count_); \
		} \
	} while (0)
#else
#define mp_plan_count_disabled(node, child) ((void) 0)
#endif

/* 18: generated columns need not be stored */
#if PG_VERSION_NUM < 180000
#define ATTRIBUTE_GENERATED_VIRTUAL 'v'
#endif

/* 18: a library can tell its name */
#if PG_VERSION_NUM < 180000
#define PG_MODULE_MAGIC_EXT(...) PG_MODULE_MAGIC
#endif

/* 18: said before a declaration, not after it */
#if PG_VERSION_NUM < 180000
#define pg_noreturn _Noreturn
#endif

/* 19: a jsonb value is built in a state that holds the result, too */
#if PG_VERSION_NUM < 190000
#include "utils/jsonb.h"

typedef struct JsonbInState
{
	JsonbParseState *parseState;
	JsonbValue *result;			/* complete after the last of the values */
} JsonbInState;

static inline void
mp_push_jsonb_value(JsonbInState *state, JsonbIteratorToken token, JsonbValue *value)
{
	state->result = pushJsonbValue(&state->parseState, token, value);
}
#define pushJsonbValue(state, token, value) mp_push_jsonb_value(state, token, value)
#endif

/* 19: a tranche of locks gets its number and its name at once */
#if PG_VERSION_NUM >= 190000
#define mp_new_tranche(name) LWLockNewTrancheId(name)
#define mp_name_tranche(tranche, name) ((void) 0)
#else
#define mp_new_tranche(name) LWLockNewTrancheId()
#define mp_name_tranche(tranche, name) LWLockRegisterTranche(tranche, name)
#endif

/* 19: the planner is told what EXPLAIN asks for */
#if PG_VERSION_NUM >= 190000
#define MP_PLAN_PARAMETERS Query *query, const char *text, int options, ParamListInfo params, ExplainState *explain
#define MP_PLAN_ARGUMENTS query, text, options, params, explain
#else
#define MP_PLAN_PARAMETERS Query *query, const char *text, int options, ParamListInfo params
#define MP_PLAN_ARGUMENTS query, text, options, params
#endif

/* By which our own errors are told from PostgreSQL's: what ereport() notes of where an error is from. */
#undef TEXTDOMAIN
#define TEXTDOMAIN "model_predict"

#endif
