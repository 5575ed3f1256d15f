/*
 * module.c: what happens when the library is loaded: each module says what it
 * needs. Nothing here may fail or be slow: the postmaster may be the loader.
 */
#include "postgres.h"

#include "utils/guc.h"

#include "glue/compat.h"
#include "libxgboost/engine.h"
#include "model/cache.h"
#include "model/shared.h"
#include "model/usage.h"
#include "plan/batch_plan.h"
#include "plan/batch_scan.h"
#include "plan/run.h"
#include "score/moment.h"
#include "sql/predict.h"
#include "sql/register.h"

PG_MODULE_MAGIC_EXT(.name = "model_predict");

void		_PG_init(void);

void
_PG_init(void)
{
	mp_cache_init();
	mp_shared_init();
	mp_usage_init();
	mp_moment_init();
	mp_predict_init();
	mp_register_init();
	mp_xgboost_init();
	mp_engine_init();
	mp_batch_scan_init();
	mp_batch_plan_init();
	mp_run_init();
	MarkGUCPrefixReserved("model_predict");
}
