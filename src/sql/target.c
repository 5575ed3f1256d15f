/*
 * target.c: the columns that a scoring trigger fills: its arguments, and the
 * casts to the columns' types.
 *
 *   score(reference [, column] [, answer, column] ... [, option, value] ...)
 *
 * A cast is an assignment's, made once: with the column's length and a
 * domain's constraints, which PostgreSQL does not check after triggers.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/string.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "glue/error.h"
#include "sql/target.h"

#define DEFAULT_REASONS 3

static bool
parse_boolean(const char *option, const char *value)
{
	bool		result;

	if (!parse_bool(value, &result))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("invalid value for option \"%s\" of a scoring trigger: \"%s\"", option, mp_shown(value)),
				errhint("Use 'true' or 'false'."));
	return result;
}

static bool
parse_on_error(const char *value)
{
	if (strcmp(value, "null") == 0)
		return true;
	if (strcmp(value, "error") == 0)
		return false;
	ereport(ERROR,
			errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			errmsg("invalid value for option \"on_error\" of a scoring trigger: \"%s\"", mp_shown(value)),
			errhint("Use 'null' or 'error'."));
}

static int
parse_top(const char *value)
{
	char	   *end;
	int			top;

	errno = 0;
	top = strtoint(value, &end, 10);
	if (end == value || *end != '\0' || errno == ERANGE || top < 1)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("the number of reasons of a scoring trigger must be at least 1, not \"%s\"", mp_shown(value)),
				errhint("Write 'reasons:5' for five of them; 'reasons' alone means three."));
	return top;
}

static MpTarget *
add_target(MpTargets *t, const MpAnswer *answer, const char *column)
{
	MpTarget   *target = &t->targets[t->n++];

	target->answer = answer;
	target->class = -1;
	target->top = DEFAULT_REASONS;
	target->name = column;
	return target;
}

/* "class", "proba_of:LABEL", "reasons:5": false where it is no answer that a column can hold. */
static bool
parse_answer(MpTargets *t, const char *what, const char *column)
{
	size_t		length = strcspn(what, ":");
	const char *given = what[length] == ':' ? what + length + 1 : NULL;
	const MpAnswer *answer = mp_answer_named(what, length);
	MpTarget   *target;

	if (answer == NULL || answer->type == FLOAT8ARRAYOID ||
		(given == NULL && answer->needs == MP_NEEDS_CLASS) ||
		(given != NULL && answer->needs == MP_NEEDS_NOTHING))
		return false;
	target = add_target(t, answer, column);
	target->label = given;
	if (given != NULL && answer->needs == MP_NEEDS_NUMBER)
		target->top = parse_top(given);
	return true;
}

/* An answer and its column, or an option and its value. */
static void
parse_pair(MpTargets *t, const char *what, const char *value)
{
	if (parse_answer(t, what, value))
		return;
	if (strcmp(what, "on_error") == 0)
		t->null_on_error = parse_on_error(value);
	else if (strcmp(what, "only_if_changed") == 0)
		t->only_if_changed = parse_boolean(what, value);
	else
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("a scoring trigger does not know \"%s\"", mp_shown(what)),
				errhint("After the model and, where wanted, a column for its value come pairs: 'value', 'class', 'proba_of:LABEL', 'reasons' or 'version' with a column, 'on_error' with 'null', 'only_if_changed' with 'true'."));
}

/* An even number: the second is the column of the value. */
static void
parse_arguments(MpTargets *t, const Trigger *trigger)
{
	int			n = trigger->tgnargs;
	int			i = 1;

	if (n > 0)
	{
		t->reference = trigger->tgargs[0];
		t->reference_length = strlen(t->reference);
		t->targets = palloc0(sizeof(MpTarget) * n);
		if (n % 2 == 0)
			add_target(t, &mp_answers[MP_ANSWER_VALUE], trigger->tgargs[i++]);
		for (; i < n; i += 2)
			parse_pair(t, trigger->tgargs[i], trigger->tgargs[i + 1]);
	}
	if (t->n == 0)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("a scoring trigger needs a model and at least one column"),
				errdetail_plural("It was created with %d argument.", "It was created with %d arguments.", n, n),
				errhint("Write EXECUTE FUNCTION model_predict.score('model', 'column')."));
}

/* Types that lose nothing that matters: a score in an integer column would be rounded to 0 or 1. */
static bool
can_hold(Oid type, const MpAnswer *answer)
{
	bool		is_integer = type == INT2OID || type == INT4OID || type == INT8OID;
	bool		is_string = TypeCategory(type) == TYPCATEGORY_STRING;

	if (answer->type == FLOAT8OID)
		return type == FLOAT8OID || type == FLOAT4OID || type == NUMERICOID;
	if (answer->type == INT4OID)
		return is_integer;
	if (answer->id == MP_ANSWER_CLASS)
		return is_string || type_is_enum(type) || type == BOOLOID || is_integer;
	return is_string;
}

static const char *
types_for(const MpAnswer *answer)
{
	if (answer->type == FLOAT8OID)
		return "double precision, real or numeric";
	if (answer->type == INT4OID)
		return "integer, bigint or smallint";
	if (answer->id == MP_ANSWER_CLASS)
		return "text, another string type, an enum, or, where labels read so, an integer or boolean";
	return "text";
}

/*
 * The cast of an answer to the column's type, with its length and a domain's
 * constraints, or NULL where there is nothing to do.
 */
static ExprState *
cast_for(const MpAnswer *answer, Form_pg_attribute att)
{
	CaseTestExpr *given = makeNode(CaseTestExpr);
	Oid			base = getBaseType(att->atttypid);
	bool		is_string = TypeCategory(base) == TYPCATEGORY_STRING;
	CoercionContext context;
	Node	   *expr;

	given->typeId = answer->type;
	given->typeMod = -1;
	given->collation = get_typcollation(given->typeId);
	/*
	 * Assignment to strings, so that a label too long is an error; explicit to
	 * enums and the like, which have no other.
	 */
	context = answer->id == MP_ANSWER_CLASS && !is_string ? COERCION_EXPLICIT : COERCION_ASSIGNMENT;
	expr = coerce_to_target_type(NULL, (Node *) given, given->typeId, att->atttypid, att->atttypmod,
								 context, COERCE_IMPLICIT_CAST, -1);
	if (expr == NULL)
		elog(ERROR, "no cast from %s to %s",
			 format_type_be(given->typeId), format_type_be(att->atttypid));
	expr = (Node *) expression_planner((Expr *) expr);
	if (IsA(expr, CaseTestExpr) ||
		(IsA(expr, RelabelType) && IsA(((RelabelType *) expr)->arg, CaseTestExpr)))
		return NULL;
	return ExecInitExpr((Expr *) expr, NULL);
}

static int
find_column(Relation rel, const char *name)
{
	TupleDesc	desc = RelationGetDescr(rel);

	for (int i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped &&
			strcmp(NameStr(TupleDescAttr(desc, i)->attname), name) == 0)
			return i;
	ereport(ERROR,
			errcode(ERRCODE_UNDEFINED_COLUMN),
			errmsg("column \"%s\" of table \"%s\" does not exist", name, RelationGetRelationName(rel)),
			errhint("Add it, or create the trigger with the column that shall hold the answer; names are case-sensitive here."));
}

static void
open_target(const MpTargets *t, MpTarget *target, Relation rel)
{
	Form_pg_attribute att;

	target->column = find_column(rel, target->name);
	att = TupleDescAttr(RelationGetDescr(rel), target->column);
	if (att->attgenerated)
		ereport(ERROR,
				errcode(ERRCODE_GENERATED_ALWAYS),
				errmsg("column \"%s\" of table \"%s\" is generated and cannot be filled by a trigger",
					   target->name, RelationGetRelationName(rel)));
	if (!can_hold(getBaseType(att->atttypid), target->answer))
		ereport(ERROR,
				errcode(ERRCODE_DATATYPE_MISMATCH),
				errmsg("column \"%s\" of table \"%s\" cannot hold the model's answer: it is of type %s",
					   target->name, RelationGetRelationName(rel), format_type_be(att->atttypid)),
				errhint("Make it %s.", types_for(target->answer)));
	for (const MpTarget *other = t->targets; other < target; other++)
		if (other->column == target->column)
			ereport(ERROR,
					errcode(ERRCODE_DUPLICATE_COLUMN),
					errmsg("column \"%s\" of table \"%s\" is given for two answers", target->name, RelationGetRelationName(rel)));
	target->cast = cast_for(target->answer, att);
}

MpTargets *
mp_targets_open(const Trigger *trigger, Relation rel)
{
	MpTargets  *t = palloc0(sizeof(MpTargets));

	parse_arguments(t, trigger);
	t->econtext = CreateStandaloneExprContext();
	for (int i = 0; i < t->n; i++)
		open_target(t, &t->targets[i], rel);
	return t;
}

bool
mp_targets_have(const MpTargets *t, int column)
{
	for (int i = 0; i < t->n; i++)
		if (t->targets[i].column == column)
			return true;
	return false;
}

void
mp_target_cast(const MpTargets *t, const MpTarget *target, Datum *value, bool *isnull)
{
	if (target->cast == NULL)
		return;
	t->econtext->caseValue_datum = *value;
	t->econtext->caseValue_isNull = *isnull;
	*value = ExecEvalExpr(target->cast, t->econtext, isnull);
}
