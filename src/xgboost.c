/*
 * xgboost.c: libxgboost, asked for and kept at arm's length.
 *
 * The only file that knows its C API. The library is not linked: it is opened
 * at first need, in a backend, never in the postmaster, and stays open, since
 * OpenMP does not survive being unloaded. Around every call all signals are
 * blocked, OpenMP is held to one thread (else it starts more, which PostgreSQL's
 * signal handlers must not run in), and the floating-point environment is put
 * back. What the library has to say is cut to its first line and becomes an
 * error's detail, or a debug message after the call.
 *
 * The library trusts the files that it reads, misreads newer ones without a
 * word, and takes the process with it where it fails badly. So it is given
 * only what our own reader has passed, nothing that was saved by a newer
 * XGBoost, and it must first show what it has understood: the model that it
 * saves again has to have the same trees.
 *
 * A model in the library belongs to a memory context, by a callback registered
 * before it is made: a booster's for its life, a short-lived one's for the
 * first reading.
 */
#include "postgres.h"

#include <dlfcn.h>
#include <fenv.h>
#include <math.h>
#include <signal.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "xgboost.h"

#define MESSAGE_SIZE 200
#define CONFIG_SIZE 200

/* The functions that we use, by the declarations of xgboost/c_api.h. */
typedef struct Library
{
	void	   *handle;			/* NULL: none is open */
	char	   *path;
	int			version[3];
	char		version_text[32];
	void		(*XGBoostVersion) (int *major, int *minor, int *patch);
	const char *(*XGBGetLastError) (void);
	int			(*XGBRegisterLogCallback) (void (*callback) (const char *));
	int			(*XGBoosterCreate) (void *const *dmats, uint64_t n, void **out);
	int			(*XGBoosterFree) (void *booster);
	int			(*XGBoosterSetParam) (void *booster, const char *name, const char *value);
	int			(*XGBoosterLoadModelFromBuffer) (void *booster, const void *data, uint64_t size);
	int			(*XGBoosterSaveModelToBuffer) (void *booster, const char *config, uint64_t *size,
											   const char **data);
	int			(*XGBoosterPredictFromDense) (void *booster, const char *values, const char *config,
											  void *dmatrix, const uint64_t **shape, uint64_t *dim,
											  const float **result);
	int			(*XGBoosterPredictFromDMatrix) (void *booster, void *dmatrix, const char *config,
												const uint64_t **shape, uint64_t *dim,
												const float **result);
	int			(*XGDMatrixCreateFromMat) (const float *data, uint64_t rows, uint64_t columns,
										   float missing, void **out);
	int			(*XGDMatrixFree) (void *dmatrix);
	/* of OpenMP; NULL: the library was built without it */
	void		(*omp_set_num_threads) (int n);
	int			(*omp_get_max_threads) (void);
} Library;

#define SYMBOL(name) {#name, offsetof(Library, name)}

static const struct
{
	const char *name;
	size_t		place;
}			symbols[] = {
	SYMBOL(XGBoostVersion),
	SYMBOL(XGBGetLastError),
	SYMBOL(XGBRegisterLogCallback),
	SYMBOL(XGBoosterCreate),
	SYMBOL(XGBoosterFree),
	SYMBOL(XGBoosterSetParam),
	SYMBOL(XGBoosterLoadModelFromBuffer),
	SYMBOL(XGBoosterSaveModelToBuffer),
	SYMBOL(XGBoosterPredictFromDense),
	SYMBOL(XGBoosterPredictFromDMatrix),
	SYMBOL(XGDMatrixCreateFromMat),
	SYMBOL(XGDMatrixFree)
};

/* A model in the library. */
typedef struct MpXgboost
{
	void	   *handle;			/* the library's booster; NULL: none */
	MemoryContextCallback callback;
	Size		bytes;			/* of memory outside our contexts, by a rule of thumb */
	char		margin_config[CONFIG_SIZE];
	char		value_config[CONFIG_SIZE];
} MpXgboost;

/* The state of the process around a call. */
typedef struct Guard
{
	sigset_t	signals;
	fenv_t		floating;
	int			threads;
} Guard;

int			mp_engine_setting = MP_ENGINE_AUTO;

static char *library_setting;
static Library library;
static char last_message[MESSAGE_SIZE]; /* of the log callback */

static const struct config_enum_entry engine_options[] = {
	{"auto", MP_ENGINE_AUTO, false},
	{"native", MP_ENGINE_NATIVE, false},
	{"xgboost", MP_ENGINE_XGBOOST, false},
	{NULL, 0, false}
};

void
mp_xgboost_init(void)
{
	DefineCustomEnumVariable("model_predict.engine",
							 "Engine that sums the margins of predictions.",
							 "\"auto\" is the native one, and lets verify() compare it with libxgboost; \"native\" never loads libxgboost.",
							 &mp_engine_setting, MP_ENGINE_AUTO, engine_options,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("model_predict.xgboost_library",
							   "File name or path of libxgboost.",
							   "It is loaded when it is first asked for; a session keeps the one that it has loaded.",
							   &library_setting, "libxgboost.so.0",
							   PGC_SUSET, 0, NULL, NULL, NULL);
}

const char *
mp_xgboost_version(void)
{
	return library.handle ? library.version_text : NULL;
}

static void
guard(Guard *state)
{
	sigset_t	all;

	/* a fault of the processor is not put off: it would come back for ever */
	sigfillset(&all);
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGFPE);
	sigdelset(&all, SIGILL);
	sigdelset(&all, SIGABRT);
	sigdelset(&all, SIGTRAP);
	sigprocmask(SIG_SETMASK, &all, &state->signals);
	fegetenv(&state->floating);
	if (library.omp_set_num_threads)
	{
		state->threads = library.omp_get_max_threads();
		library.omp_set_num_threads(1);
	}
}

static void
unguard(const Guard *state)
{
	if (library.omp_set_num_threads)
		library.omp_set_num_threads(state->threads);
	fesetenv(&state->floating);
	sigprocmask(SIG_SETMASK, &state->signals, NULL);
}

/* Skips "[10:11:12] ../src/learner.cc:123: ", which the library puts before what it says. */
static const char *
skip_place(const char *text)
{
	const char *p = text;
	const char *end;

	if (*p == '[')
	{
		end = strstr(p, "] ");
		if (end != NULL)
			p = end + 2;
	}
	end = strstr(p, ": ");
	if (end != NULL && end > p && end[-1] >= '0' && end[-1] <= '9')
	{
		const char *digit = end - 1;

		while (digit > p && *digit >= '0' && *digit <= '9')
			digit--;
		if (*digit == ':')
			return end + 2;
	}
	return p;
}

/* The first line of what the library says, in printable ASCII: never throws, may run within a call. */
static void
first_line(const char *text, char *line)
{
	int			n = 0;

	for (text = skip_place(text); *text != '\0' && *text != '\n' && n < MESSAGE_SIZE - 1; text++)
		line[n++] = *text >= 0x20 && *text < 0x7f ? *text : '?';
	line[n] = '\0';
}

static void
note_message(const char *text)
{
	if (text != NULL)
		first_line(text, last_message);
}

/* What the library said beside its answers: for who looks for it. */
static void
pass_message(void)
{
	if (last_message[0] == '\0')
		return;
	ereport(DEBUG1, errmsg_internal("libxgboost says: %s", last_message));
	last_message[0] = '\0';
}

static bool
fail(MpXgboostFault *fault, int sqlstate, char *message, char *detail, char *hint)
{
	fault->sqlstate = sqlstate;
	fault->message = message;
	fault->detail = detail;
	fault->hint = hint;
	return false;
}

static bool
fail_call(MpXgboostFault *fault, const MpBooster *booster, const char *what)
{
	char		line[MESSAGE_SIZE];

	first_line(library.XGBGetLastError(), line);
	pass_message();
	return fail(fault, ERRCODE_EXTERNAL_ROUTINE_EXCEPTION,
				psprintf("libxgboost %s could not %s model \"%s\" version %d",
						 library.version_text, what, booster->name, booster->version),
				psprintf("It says: %s", line), NULL);
}

static bool
find_symbols(Library *lib, const char *path, MpXgboostFault *fault)
{
	for (int i = 0; i < lengthof(symbols); i++)
	{
		void	   *symbol = dlsym(lib->handle, symbols[i].name);

		if (symbol == NULL)
			return fail(fault, ERRCODE_UNDEFINED_FUNCTION,
						psprintf("library \"%s\" has no function %s", path, symbols[i].name), NULL,
						pstrdup("model_predict.xgboost_library must name a libxgboost of version 1.7 or later."));
		memcpy((char *) lib + symbols[i].place, &symbol, sizeof(symbol));
	}
	lib->omp_set_num_threads = (void (*) (int)) dlsym(lib->handle, "omp_set_num_threads");
	lib->omp_get_max_threads = (int (*) (void)) dlsym(lib->handle, "omp_get_max_threads");
	if (lib->omp_get_max_threads == NULL)
		lib->omp_set_num_threads = NULL;
	return true;
}

/* Opens the library that the setting names; `library` is filled in only when all is well. */
static bool
open_library(MpXgboostFault *fault)
{
	Library		lib = {0};
	Guard		state;
	char		line[MESSAGE_SIZE] = "";
	const char *path = library_setting;

	if (library.handle != NULL)
	{
		if (strcmp(library.path, path) == 0)
			return true;
		return fail(fault, ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
					psprintf("library \"%s\" cannot be loaded: this session has loaded libxgboost %s from \"%s\"",
							 path, library.version_text, library.path), NULL,
					pstrdup("Connect anew to use another libxgboost."));
	}
	if (!IsUnderPostmaster && IsPostmasterEnvironment)
		elog(ERROR, "libxgboost must not be loaded in the postmaster");
	guard(&state);
	lib.handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (lib.handle == NULL)
		first_line(dlerror(), line);
	unguard(&state);
	if (lib.handle == NULL)
		return fail(fault, ERRCODE_UNDEFINED_FILE,
					psprintf("libxgboost could not be loaded from \"%s\"", path),
					psprintf("The loader says: %s.", line),
					pstrdup("Install it (on Debian: apt install libxgboost0), or let a superuser name its file by model_predict.xgboost_library; model_predict.engine = 'native' does without."));
	if (!find_symbols(&lib, path, fault))
		return false;
	lib.XGBoostVersion(&lib.version[0], &lib.version[1], &lib.version[2]);
	snprintf(lib.version_text, sizeof(lib.version_text), "%d.%d.%d",
			 lib.version[0], lib.version[1], lib.version[2]);
	if (lib.version[0] < 1 || (lib.version[0] == 1 && lib.version[1] < 7))
		return fail(fault, ERRCODE_FEATURE_NOT_SUPPORTED,
					psprintf("libxgboost %s in \"%s\" is too old", lib.version_text, path), NULL,
					pstrdup("model_predict.xgboost_library must name a libxgboost of version 1.7 or later."));
	lib.path = MemoryContextStrdup(TopMemoryContext, path);
	library = lib;
	guard(&state);
	library.XGBRegisterLogCallback(note_message);
	unguard(&state);
	return true;
}

/* The library's copy goes with its memory context. */
static void
release_handle(void *arg)
{
	MpXgboost  *model = arg;
	Guard		state;

	if (model->handle == NULL)
		return;
	guard(&state);
	library.XGBoosterFree(model->handle);
	model->handle = NULL;
	unguard(&state);
#ifdef __GLIBC__
	malloc_trim(0);				/* what the library frees would stay with the process */
#endif
}

static MpXgboost *
make_model(MemoryContext context)
{
	MpXgboost  *model = MemoryContextAllocZero(context, sizeof(MpXgboost));

	model->callback.func = release_handle;
	model->callback.arg = model;
	MemoryContextRegisterResetCallback(context, &model->callback);
	return model;
}

static bool
load_model(MpXgboost *model, const MpBooster *booster, const bytea *blob, MpXgboostFault *fault)
{
	Guard		state;
	bool		ok;

	CHECK_FOR_INTERRUPTS();
	guard(&state);
	ok = library.XGBoosterCreate(NULL, 0, &model->handle) == 0;
	ok = ok && library.XGBoosterSetParam(model->handle, "nthread", "1") == 0;
	ok = ok && library.XGBoosterLoadModelFromBuffer(model->handle, VARDATA_ANY(blob),
													VARSIZE_ANY_EXHDR(blob)) == 0;
	unguard(&state);
	if (!ok)
		return fail_call(fault, booster, "read");
	pass_message();
	return true;
}

/* Whether both have the same trees, or weights, and base scores. */
static bool
same_model(const MpForest *a, const MpForest *b)
{
	static const MpSectionId sections[] = {
		MP_SECTION_BASE, MP_SECTION_TREES, MP_SECTION_NODES, MP_SECTION_CATSETS, MP_SECTION_CATWORDS,
		MP_SECTION_LEAVES, MP_SECTION_WEIGHTS
	};

	if (a->booster != b->booster || a->n_features != b->n_features || a->n_outputs != b->n_outputs)
		return false;
	for (int i = 0; i < lengthof(sections); i++)
	{
		const MpSection *x = &a->sections[sections[i]];
		const MpSection *y = &b->sections[sections[i]];

		if (x->size != y->size ||
			memcmp((const char *) a + x->offset, (const char *) b + y->offset, x->size) != 0)
			return false;
	}
	return true;
}

/* What our own reader makes of a file. */
static bool
read_model(const void *data, Size size, MpForest **forest, MpError *error)
{
	MpLoadOptions options = {.trees = MP_TREES_ALL};

	mp_error_clear(error);
	return mp_model_load(mp_alloc_context(CurrentMemoryContext), data, size, &options, forest, NULL, error);
}

/* Whether what the library saved is the model that it was given; `work` takes what it needs. */
static bool
same_file(const bytea *blob, const void *saved, Size size, MemoryContext work, const MpBooster *booster)
{
	MemoryContext old = MemoryContextSwitchTo(work);
	MpForest   *ours;
	MpForest   *theirs;
	MpError		error;
	bool		same;

	if (!read_model(VARDATA_ANY(blob), VARSIZE_ANY_EXHDR(blob), &ours, &error))
		mp_throw(&error, booster->name, booster->version);
	same = read_model(saved, size, &theirs, &error) && same_model(ours, theirs);
	MemoryContextSwitchTo(old);
	return same;
}

/* Whether the library, when it saves what it has read, writes the same model. */
static bool
understands(MpXgboost *model, const MpBooster *booster, const bytea *blob, MemoryContext work,
			MpXgboostFault *fault)
{
	Guard		state;
	uint64_t	size;
	const char *data;
	bool		ok;

	guard(&state);
	ok = library.XGBoosterSaveModelToBuffer(model->handle, "{\"format\": \"ubj\"}", &size, &data) == 0;
	unguard(&state);
	if (!ok)
		return fail_call(fault, booster, "write");
	pass_message();
	if (same_file(blob, data, size, work, booster))
		return true;
	return fail(fault, ERRCODE_FEATURE_NOT_SUPPORTED,
				psprintf("libxgboost %s reads model \"%s\" version %d otherwise than it is written",
						 library.version_text, booster->name, booster->version),
				pstrdup("What it saves after reading it is another model."),
				pstrdup("Use the native engine."));
}

static bool
is_newer(const int32 *version)
{
	for (int i = 0; i < 3; i++)
		if (version[i] != library.version[i])
			return version[i] > library.version[i];
	return false;
}

/* Whether the library may be given the model: decided from what our reader found, before it sees a byte. */
static bool
may_read(const MpBooster *booster, const bytea *blob, MpXgboostFault *fault)
{
	const MpForest *forest = booster->forest;
	const int32 *v = forest->version;
	const char *why = NULL;

	if (is_newer(v))
		why = psprintf("it was saved by XGBoost %d.%d.%d", v[0], v[1], v[2]);
	else if (forest->source == MP_FORMAT_BINARY)
	{
		if (library.version[0] > 3 || (library.version[0] == 3 && library.version[1] >= 1))
			why = "it is in the old binary format";
	}
	else if (v[0] == 0)
		why = "it does not say which XGBoost saved it";
	else if (*(char *) VARDATA_ANY(blob) != '{')
		why = "blanks precede it";
	if (why == NULL)
		return true;
	return fail(fault, ERRCODE_FEATURE_NOT_SUPPORTED,
				psprintf("libxgboost %s cannot read model \"%s\" version %d: %s",
						 library.version_text, booster->name, booster->version, why),
				NULL,
				is_newer(v) ? pstrdup("Use the native engine, or let a superuser name a newer libxgboost by model_predict.xgboost_library.") :
				pstrdup("Use the native engine."));
}

static void
write_configs(MpXgboost *model, const MpForest *forest)
{
	int			rounds = forest->n_rounds_used < forest->n_rounds ? forest->n_rounds_used : 0;

	for (int margin = 0; margin <= 1; margin++)
		snprintf(margin ? model->margin_config : model->value_config, CONFIG_SIZE,
				 "{\"type\": %d, \"training\": false, \"iteration_begin\": 0, \"iteration_end\": %d,"
				 " \"strict_shape\": true, \"cache_id\": 0, \"missing\": NaN}", margin, rounds);
}

/* Loads the booster's model into the library: once to see what it understands, then for good. */
static bool
admit(MpBooster *booster, const bytea *blob, MemoryContext work, MpXgboostFault *fault)
{
	MpXgboost  *trial = make_model(work);

	if (!may_read(booster, blob, fault) ||
		!load_model(trial, booster, blob, fault) ||
		!understands(trial, booster, blob, work, fault))
		return false;
	/* what it has saved stays with the trial: the booster gets a model without that */
	if (booster->xgboost == NULL)
		booster->xgboost = make_model(booster->context);
	if (!load_model(booster->xgboost, booster, blob, fault))
	{
		release_handle(booster->xgboost);
		return false;
	}
	booster->xgboost->bytes = 2 * VARSIZE_ANY_EXHDR(blob);
	write_configs(booster->xgboost, booster->forest);
	mp_booster_measure(booster);
	return true;
}

bool
mp_xgboost_open(MpBooster *booster, Snapshot snapshot, MpXgboostFault *fault)
{
	MemoryContext work;
	MemoryContext old;
	bytea	   *blob;
	bool		ok;

	memset(fault, 0, sizeof(*fault));
	if (!open_library(fault))
		return false;
	if (booster->xgboost != NULL && booster->xgboost->handle != NULL)
		return true;
	work = AllocSetContextCreate(CurrentMemoryContext, "model_predict libxgboost", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(work);
	blob = mp_booster_blob(booster, snapshot);
	MemoryContextSwitchTo(old);
	ok = admit(booster, blob, work, fault);
	MemoryContextDelete(work);
	return ok;
}

Size
mp_xgboost_bytes(const MpBooster *booster)
{
	if (booster->xgboost == NULL || booster->xgboost->handle == NULL)
		return 0;
	return booster->xgboost->bytes;
}

/* Called between guard and unguard. */
static int
predict_dense(const MpBooster *booster, const float *x, uint64 n, const char *config,
			  const uint64_t **shape, uint64_t *dim, const float **result)
{
	char		values[200];

	snprintf(values, sizeof(values),
			 "{\"data\": [%llu, true], \"shape\": [%llu, %d], \"typestr\": \"<f4\", \"version\": 3}",
			 (unsigned long long) (uintptr_t) x, (unsigned long long) n, booster->forest->n_features);
	return library.XGBoosterPredictFromDense(booster->xgboost->handle, values, config, NULL,
											 shape, dim, result);
}

/*
 * The same by way of a matrix of the library's own: for gblinear, which it does
 * not do otherwise, and dart, of which it adds the trees in another order then
 * (1.7.4).
 */
static int
predict_matrix(const MpBooster *booster, const float *x, uint64 n, const char *config,
			   const uint64_t **shape, uint64_t *dim, const float **result)
{
	void	   *matrix;
	int			status;

	status = library.XGDMatrixCreateFromMat(x, n, booster->forest->n_features, NAN, &matrix);
	if (status != 0)
		return status;
	status = library.XGBoosterPredictFromDMatrix(booster->xgboost->handle, matrix, config,
												 shape, dim, result);
	library.XGDMatrixFree(matrix);
	return status;
}

bool
mp_xgboost_predict(MpBooster *booster, const float *x, uint64 n, bool margin, float *out,
				   MpXgboostFault *fault)
{
	uint64		expected = n * (margin ? booster->forest->n_outputs : mp_forest_n_predictions(booster->forest));
	const char *config = margin ? booster->xgboost->margin_config : booster->xgboost->value_config;
	bool		dense = booster->forest->booster == MP_BOOSTER_GBTREE;
	uint64		got = 1;
	const uint64_t *shape;
	uint64_t	dim;
	const float *result;
	Guard		state;
	int			status;

	memset(fault, 0, sizeof(*fault));
	guard(&state);
	status = (dense ? predict_dense : predict_matrix) (booster, x, n, config, &shape, &dim, &result);
	if (status == 0)
	{
		for (uint64_t i = 0; i < dim; i++)
			got *= shape[i];
		if (got == expected)
			memcpy(out, result, expected * sizeof(float));
	}
	unguard(&state);
	if (status != 0)
		return fail_call(fault, booster, "score a row of");
	pass_message();
	if (got == expected)
		return true;
	return fail(fault, ERRCODE_EXTERNAL_ROUTINE_EXCEPTION,
				psprintf("libxgboost %s gives " UINT64_FORMAT " numbers for " UINT64_FORMAT " rows of model \"%s\" version %d, not " UINT64_FORMAT,
						 library.version_text, got, n, booster->name, booster->version, expected),
				NULL, NULL);
}

void
mp_xgboost_margin(MpBooster *booster)
{
	MpXgboostFault fault;

	if ((booster->xgboost != NULL && booster->xgboost->handle != NULL) ||
		mp_xgboost_open(booster, GetActiveSnapshot(), &fault))
		if (mp_xgboost_predict(booster, booster->x, 1, true, booster->margin, &fault))
			return;
	ereport(ERROR,
			errcode(fault.sqlstate),
			errmsg("%s", fault.message),
			fault.detail ? errdetail("%s", fault.detail) : 0,
			fault.hint ? errhint("%s", fault.hint) : 0);
}
