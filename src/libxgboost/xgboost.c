/*
 * xgboost.c: libxgboost, kept at arm's length.
 *
 * The only file that knows its C API. The library is not linked: it is opened
 * at first need, in a backend, never in the postmaster, and stays open, since
 * OpenMP does not survive being unloaded. Around every call all signals are
 * blocked, OpenMP is held to one thread (else it starts more, which PostgreSQL's
 * signal handlers must not run in), and the floating-point environment is put
 * back. What the library has to say is cut to its first line and becomes an
 * error's detail, or a debug message after the call.
 *
 * A model in the library belongs to a memory context, by a callback registered
 * before it is made. Which models it is given is decided in engine.c.
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

#include "libxgboost/xgboost.h"

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

struct MpXgboost
{
	void	   *handle;			/* the library's booster; NULL: none */
	MemoryContextCallback callback;
	char		margin_config[CONFIG_SIZE];
	char		value_config[CONFIG_SIZE];
};

/* The state of the process around a call. */
typedef struct Guard
{
	sigset_t	signals;
	fenv_t		floating;
	int			threads;
} Guard;

static char *library_setting;
static Library library;
static char last_message[MESSAGE_SIZE]; /* of the log callback */

void
mp_xgboost_init(void)
{
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

int
mp_xgboost_compare_version(int major, int minor, int patch)
{
	const int	other[] = {major, minor, patch};

	for (int i = 0; i < 3; i++)
		if (library.version[i] != other[i])
			return library.version[i] < other[i] ? -1 : 1;
	return 0;
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

/* The first line of what the library says, in printable ASCII; runs within calls too. */
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

bool
mp_xgboost_fail(MpXgboostFault *fault, int sqlstate, char *message, char *detail, char *hint)
{
	fault->sqlstate = sqlstate;
	fault->message = message;
	fault->detail = detail;
	fault->hint = hint;
	return false;
}

static bool
fail_call(MpXgboostFault *fault, const MpModel *model, const char *what)
{
	char		line[MESSAGE_SIZE];

	first_line(library.XGBGetLastError(), line);
	pass_message();
	return mp_xgboost_fail(fault, ERRCODE_EXTERNAL_ROUTINE_EXCEPTION,
						   psprintf("libxgboost %s could not %s model \"%s\" version %d",
									library.version_text, what, model->name, model->version),
						   psprintf("It says: %s", line), NULL);
}

static bool
find_symbols(Library *lib, const char *path, MpXgboostFault *fault)
{
	for (int i = 0; i < lengthof(symbols); i++)
	{
		void	   *symbol = dlsym(lib->handle, symbols[i].name);

		if (symbol == NULL)
			return mp_xgboost_fail(fault, ERRCODE_UNDEFINED_FUNCTION,
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

/* `library` is filled in only when all is well. */
bool
mp_xgboost_load(MpXgboostFault *fault)
{
	Library		lib = {0};
	Guard		state;
	char		line[MESSAGE_SIZE] = "";
	const char *path = library_setting;

	if (library.handle != NULL)
	{
		if (strcmp(library.path, path) == 0)
			return true;
		return mp_xgboost_fail(fault, ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
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
		return mp_xgboost_fail(fault, ERRCODE_UNDEFINED_FILE,
					psprintf("libxgboost could not be loaded from \"%s\"", path),
					psprintf("The loader says: %s.", line),
					pstrdup("Install it (on Debian: apt install libxgboost0), or let a superuser name its file by model_predict.xgboost_library; model_predict.engine = 'native' does without."));
	if (!find_symbols(&lib, path, fault))
		return false;
	lib.XGBoostVersion(&lib.version[0], &lib.version[1], &lib.version[2]);
	snprintf(lib.version_text, sizeof(lib.version_text), "%d.%d.%d",
			 lib.version[0], lib.version[1], lib.version[2]);
	if (lib.version[0] < 1 || (lib.version[0] == 1 && lib.version[1] < 7))
		return mp_xgboost_fail(fault, ERRCODE_FEATURE_NOT_SUPPORTED,
					psprintf("libxgboost %s in \"%s\" is too old", lib.version_text, path), NULL,
					pstrdup("model_predict.xgboost_library must name a libxgboost of version 1.7 or later."));
	lib.path = MemoryContextStrdup(TopMemoryContext, path);
	library = lib;
	guard(&state);
	library.XGBRegisterLogCallback(note_message);
	unguard(&state);
	return true;
}

/* The model goes with its memory context. */
static void
release(void *arg)
{
	mp_xgboost_forget(arg);
}

MpXgboost *
mp_xgboost_create(MemoryContext context)
{
	MpXgboost  *copy = MemoryContextAllocZero(context, sizeof(MpXgboost));

	copy->callback.func = release;
	copy->callback.arg = copy;
	MemoryContextRegisterResetCallback(context, &copy->callback);
	return copy;
}

void
mp_xgboost_forget(MpXgboost *copy)
{
	Guard		state;

	if (copy->handle == NULL)
		return;
	guard(&state);
	library.XGBoosterFree(copy->handle);
	copy->handle = NULL;
	unguard(&state);
#ifdef __GLIBC__
	malloc_trim(0);				/* what the library frees would stay with the process */
#endif
}

bool
mp_xgboost_is_read(const MpXgboost *copy)
{
	return copy != NULL && copy->handle != NULL;
}

static void
write_configs(MpXgboost *copy, const MpForest *forest)
{
	int			rounds = forest->n_rounds_used < forest->n_rounds ? forest->n_rounds_used : 0;

	for (int margin = 0; margin <= 1; margin++)
		snprintf(margin ? copy->margin_config : copy->value_config, CONFIG_SIZE,
				 "{\"type\": %d, \"training\": false, \"iteration_begin\": 0, \"iteration_end\": %d,"
				 " \"strict_shape\": true, \"cache_id\": 0, \"missing\": NaN}", margin, rounds);
}

bool
mp_xgboost_read(MpXgboost *copy, const MpModel *model, const bytea *blob,
				MpXgboostFault *fault)
{
	Guard		state;
	bool		ok;

	CHECK_FOR_INTERRUPTS();
	write_configs(copy, model->forest);
	guard(&state);
	ok = library.XGBoosterCreate(NULL, 0, &copy->handle) == 0;
	ok = ok && library.XGBoosterSetParam(copy->handle, "nthread", "1") == 0;
	ok = ok && library.XGBoosterLoadModelFromBuffer(copy->handle, VARDATA_ANY(blob),
													VARSIZE_ANY_EXHDR(blob)) == 0;
	unguard(&state);
	if (!ok)
	{
		fail_call(fault, model, "read");
		mp_xgboost_forget(copy);
		return false;
	}
	pass_message();
	return true;
}

bool
mp_xgboost_save(MpXgboost *copy, const MpModel *model, const char **data, Size *size,
				MpXgboostFault *fault)
{
	Guard		state;
	uint64_t	length;
	bool		ok;

	guard(&state);
	ok = library.XGBoosterSaveModelToBuffer(copy->handle, "{\"format\": \"ubj\"}",
											&length, data) == 0;
	unguard(&state);
	if (!ok)
		return fail_call(fault, model, "write");
	pass_message();
	*size = length;
	return true;
}

/* What a prediction returns; the library's until its next call. */
typedef struct Answer
{
	const uint64_t *shape;
	uint64_t	dim;
	const float *numbers;
} Answer;

/* Called between guard and unguard, as the next. */
static int
predict_dense(MpXgboost *copy, const float *x, uint64 n, int n_features, const char *config,
			  Answer *answer)
{
	char		values[200];

	snprintf(values, sizeof(values),
			 "{\"data\": [%llu, true], \"shape\": [%llu, %d], \"typestr\": \"<f4\", \"version\": 3}",
			 (unsigned long long) (uintptr_t) x, (unsigned long long) n, n_features);
	return library.XGBoosterPredictFromDense(copy->handle, values, config, NULL,
											 &answer->shape, &answer->dim, &answer->numbers);
}

/*
 * The same by way of a matrix of the library's own: for gblinear, which it does
 * not do otherwise, and dart, of which it adds the trees in another order then
 * (1.7.4).
 */
static int
predict_matrix(MpXgboost *copy, const float *x, uint64 n, int n_features, const char *config,
			   Answer *answer)
{
	void	   *matrix;
	int			status = library.XGDMatrixCreateFromMat(x, n, n_features, NAN, &matrix);

	if (status != 0)
		return status;
	status = library.XGBoosterPredictFromDMatrix(copy->handle, matrix, config,
												 &answer->shape, &answer->dim, &answer->numbers);
	library.XGDMatrixFree(matrix);
	return status;
}

bool
mp_xgboost_predict(MpXgboost *copy, const MpModel *model, const float *x, uint64 n,
				   bool margin, float *out, MpXgboostFault *fault)
{
	const MpForest *forest = model->forest;
	uint64		expected = n * (margin ? forest->n_outputs : mp_forest_n_predictions(forest));
	const char *config = margin ? copy->margin_config : copy->value_config;
	uint64		got = 1;
	Answer		answer;
	Guard		state;
	int			status;

	guard(&state);
	status = (forest->booster == MP_BOOSTER_GBTREE ? predict_dense : predict_matrix)
		(copy, x, n, forest->n_features, config, &answer);
	if (status == 0)
	{
		for (uint64_t i = 0; i < answer.dim; i++)
			got *= answer.shape[i];
		if (got == expected)
			memcpy(out, answer.numbers, expected * sizeof(float));
	}
	unguard(&state);
	if (status != 0)
		return fail_call(fault, model, "score a row of");
	pass_message();
	if (got == expected)
		return true;
	return mp_xgboost_fail(fault, ERRCODE_EXTERNAL_ROUTINE_EXCEPTION,
						   psprintf("libxgboost %s gives " UINT64_FORMAT " numbers for " UINT64_FORMAT " rows of model \"%s\" version %d, not " UINT64_FORMAT,
									library.version_text, got, n, model->name, model->version,
									expected),
						   NULL, NULL);
}
