/*
 * model_predict.h: what the files of the extension share.
 *
 * Include after postgres.h. Prototypes are grouped by the file that has them.
 */
#ifndef MODEL_PREDICT_H
#define MODEL_PREDICT_H

#include "access/tupdesc.h"
#include "datatype/timestamp.h"
#include "fmgr.h"
#include "utils/snapshot.h"

#include "glue/compat.h"
#include "core/forest/forest.h"
#include "core/kernel/kernel.h"
#include "core/load/load.h"
#include "core/forest/objective.h"

#define MP_SCHEMA "model_predict"
#define MP_DEFAULT_ALIAS "default"

typedef enum MpOnAbsent
{
	MP_ABSENT_ERROR,
	MP_ABSENT_MISSING
} MpOnAbsent;

typedef enum MpOnUnseen
{
	MP_UNSEEN_ERROR,
	MP_UNSEEN_MISSING,
	MP_UNSEEN_NULL
} MpOnUnseen;

typedef enum MpOnInfinity
{
	MP_INFINITY_ERROR,
	MP_INFINITY_SCORE,
	MP_INFINITY_MISSING
} MpOnInfinity;

/* How rows of a version are read: the options of register() beyond the file. */
typedef struct MpRowOptions
{
	MpOnAbsent	absent_feature;
	MpOnUnseen	unseen_category;
	MpOnInfinity infinity;
	bool		has_missing;
	float		missing;		/* a value that means missing, where has_missing */
	float		threshold;
	int			n_classes;		/* 0: not given */
	char	  **classes;
} MpRowOptions;

/* From category labels and numbers to codes; see categories.c. */
typedef struct MpCategoryIndex MpCategoryIndex;

/*
 * A version loaded in this backend. Lives in a memory context of its own and
 * is never freed while `pins` > 0.
 */
typedef struct MpBooster
{
	/* identity, and what messages and views say of it */
	int64		model;			/* model_predict.model.id */
	int32		version;
	char	   *name;			/* of the model when it was loaded */
	TimestampTz loaded;
	double		load_ms;
	uint64		loads;			/* how often this backend has loaded this version */
	uint64		rows;			/* scored */
	/* contents */
	MpForest   *forest;			/* all of it, or just the head */
	bool		whole;			/* it is all of it */
	MpForest   *trees;			/* all of it, once mp_booster_forest was asked and !whole */
	MpKernel   *kernel;
	MpTask		task;
	MpRowOptions options;
	bool		plain;			/* no categories and no value that means missing: numbers as they are */
	MpCategoryIndex *categories;	/* NULL: no feature has any */
	struct MpShap *shap;		/* NULL until first used */
	bool		warn_of_faults; /* while a trigger reads a row: a fault of its values is a warning and no answer */
	struct MpXgboost *xgboost;	/* libxgboost's copy; NULL until first used */
	Size		xgboost_bytes;	/* memory that it takes, by a rule of thumb */
	/* scratch of one row */
	float	   *x;				/* n_features */
	float	   *margin;			/* n_outputs */
	float	   *prediction;		/* n_outputs */
	/* bookkeeping */
	MemoryContext context;
	MpAlloc    *alloc;			/* from that context */
	Size		bytes;
	Size		shared_bytes;	/* of these, in memory that all sessions share */
	int			pins;
	bool		stale;			/* no longer in the cache: freed at the last unpin */
} MpBooster;

/* What a reference like churn@champion says. */
typedef struct MpReference
{
	char	   *name;
	char	   *alias;			/* NULL where a version number was given */
	int32		version;
} MpReference;

/* A row of model_predict.model. */
typedef struct MpModelRow
{
	int64		id;
	Oid			owner;
	int32		last_version;
} MpModelRow;

/* in reference.c */
extern MpReference mp_reference_parse(const char *text);	/* errors where it is no reference */
extern bool mp_reference_try_parse(const char *text, MpReference *ref);	/* false there */
extern void mp_check_name(const char *name, const char *what);	/* errors where it is no name for a model or alias */

/* in catalog.c: reads our tables, under the given snapshot; needs no right on them */
extern bool mp_catalog_installed(void);	/* in this database */
extern Oid	mp_catalog_schema(void);	/* errors where the extension is not installed */
extern Oid	mp_catalog_table(const char *name);
extern Snapshot mp_catalog_snapshot(void);	/* the active one */
extern bool mp_catalog_model(const char *name, Snapshot snapshot, MpModelRow *row);
extern bool mp_catalog_alias(int64 model, const char *alias, Snapshot snapshot, int32 *version);
extern bool mp_catalog_permitted(int64 model, Oid role, Snapshot snapshot);
extern bool mp_catalog_may_predict(const MpModelRow *row, Oid role, Snapshot snapshot);
extern bool mp_catalog_may_manage(const MpModelRow *row, Oid role);

/*
 * The version that the reference names for this role, or an error, the same one
 * whether it does not exist or may not be used.
 */
extern int32 mp_catalog_resolve(const char *reference, Oid role, Snapshot snapshot,
								MpModelRow *model, char **name);

/*
 * in rights.c: as mp_catalog_resolve, for those who may read what the model
 * consists of (`what`: "bytes", "trees"), not just score with it; with NULL,
 * for those who see the model in the views
 */
extern int32 mp_rights_resolve(const char *reference, const char *what, Snapshot snapshot,
							   MpModelRow *model, char **name);

/* in cache.c */
extern int	mp_kernel_setting;	/* MpKernelKind */
extern void mp_cache_init(void);
extern MpBooster *mp_cache_get(const char *name, int64 model, int32 version, Snapshot snapshot);
extern const MpForest *mp_booster_forest(MpBooster *booster, Snapshot snapshot);	/* with its trees */

extern bytea *mp_booster_blob(const MpBooster *booster, Snapshot snapshot);

/* in booster.c */
extern void mp_booster_measure(MpBooster *booster);
extern void mp_booster_pin(MpBooster *booster);
extern void mp_booster_unpin(MpBooster *booster);

/* in categories.c: codes, or -1 for a category that the model does not know */
extern MpCategoryIndex *mp_categories_index(MemoryContext context, const MpForest *forest);
extern int64 mp_category_by_label(const MpCategoryIndex *index, int feature, const char *label, size_t length);
extern int64 mp_category_by_number(const MpCategoryIndex *index, int feature, double number);

/* in memory.c */
extern MpAlloc *mp_alloc_context(MemoryContext context);
extern void mp_memory_populate(void *block, Size size);
extern void mp_memory_seal(void *pages, Size size);

/* in error.c */
extern const char *mp_shown(const char *text);	/* what a caller gave, for a message */
pg_noreturn extern void mp_throw(const MpError *error, const char *model, int32 version);
pg_noreturn extern void mp_throw_unexplained(const MpError *error, const MpBooster *booster);

/* in register.c */
extern void mp_register_init(void);
extern bytea *mp_sha256(const void *data, Size size);

/* in rights.c */
extern bool mp_rights_may_see(int64 model); /* for the current role */

/* in roles.c */
#define MP_ROLE_NOBODY InvalidOid
#define MP_ROLE_PUBLIC ((Oid) 0xFFFFFFFF)

extern Oid	mp_role_type(void);	/* of model_predict.role */
extern Oid	mp_role_find(const char *name); /* a role or public; errors where there is none */
extern char *mp_role_name(Oid role);	/* as the type shows it */

#endif
