# model_predict: score rows with XGBoost models in SQL

EXTENSION = model_predict
MODULE_big = model_predict
DATA = $(wildcard sql/model_predict--*.sql)
OBJS = \
	src/batch_plan.o \
	src/batch_scan.o \
	src/booster.o \
	src/cache.o \
	src/callsite.o \
	src/catalog.o \
	src/categories.o \
	src/contribs.o \
	src/core/base.o \
	src/core/batch.o \
	src/core/batch_avx2.o \
	src/core/batch_avx512.o \
	src/core/batch_portable.o \
	src/core/batch_x86.o \
	src/core/cpu.o \
	src/core/crc32c.o \
	src/core/depth.o \
	src/core/doc.o \
	src/core/draft.o \
	src/core/draft_features.o \
	src/core/draft_finish.o \
	src/core/dump.o \
	src/core/eval.o \
	src/core/forest.o \
	src/core/importance.o \
	src/core/json.o \
	src/core/kernel.o \
	src/core/kernel_avx2.o \
	src/core/kernel_avx512.o \
	src/core/kernel_check.o \
	src/core/kernel_compile.o \
	src/core/kernel_layout.o \
	src/core/kernel_portable.o \
	src/core/kernel_slots.o \
	src/core/kernel_tips.o \
	src/core/kernel_x86.o \
	src/core/load.o \
	src/core/load_binary.o \
	src/core/load_categories.o \
	src/core/load_document.o \
	src/core/load_tree.o \
	src/core/number.o \
	src/core/objective.o \
	src/core/probe.o \
	src/core/shap.o \
	src/core/shap_compile.o \
	src/core/shap_interactions.o \
	src/core/sniff.o \
	src/core/svg.o \
	src/core/text.o \
	src/core/tree.o \
	src/core/ubjson.o \
	src/core/unpack.o \
	src/deploy.o \
	src/engine.o \
	src/error.o \
	src/examples.o \
	src/explain.o \
	src/image.o \
	src/init.o \
	src/input_query.o \
	src/manage.o \
	src/match.o \
	src/memory.o \
	src/moment.o \
	src/options.o \
	src/picture.o \
	src/planner.o \
	src/predict.o \
	src/reasons.o \
	src/reference.o \
	src/register.o \
	src/rights.o \
	src/roles.o \
	src/row.o \
	src/row_json.o \
	src/score.o \
	src/shared.o \
	src/target.o \
	src/trees.o \
	src/trigger.o \
	src/value.o \
	src/verify.o \
	src/writer.o \
	src/xgboost.o

# no fused multiply-add: scores are the bits that XGBoost computes; here
# because CFLAGS does not reach the JIT bitcode
PG_CPPFLAGS = -ffp-contract=off -Isrc
PG_CFLAGS = -std=gnu11
SHLIB_LINK = -lm

REGRESS = $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test
# what pg_regress sets since 15, and what PostgreSQL set for prove before 16
export PG_ABS_SRCDIR = $(CURDIR)/test
export TESTDIR = $(CURDIR)
ISOLATION = $(patsubst test/isolation/specs/%.spec,%,$(sort $(wildcard test/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test/isolation
TAP_TESTS = 1
PROVE_TESTS = test/t/*.pl

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# its own functions are bound when it is linked, not again in every session
ifeq ($(PORTNAME), linux)
SHLIB_LINK += -Wl,-Bsymbolic-functions
endif

# PGXS tracks headers only where PostgreSQL was built to
$(OBJS) $(OBJS:.o=.bc): $(wildcard src/*.h src/core/*.h)

# PostgreSQL's flags are those of the compiler that built it, often gcc
ifneq ($(findstring clang,$(CC)),)
override CFLAGS += -Wno-ignored-attributes -Wno-ignored-optimization-argument \
	-Wno-unknown-warning-option
endif

# warnings are errors for us, not for a user with another compiler
ifdef WERROR
override CFLAGS += -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers -Werror
override BITCODE_CFLAGS += -Wall -Werror
endif

# the core's own tests: no server needed
.PHONY: unit
unit:
	$(MAKE) -C test/unit check
