# model_predict: score rows with tree models in SQL

EXTENSION = model_predict
MODULE_big = model_predict
DATA = $(wildcard sql/model_predict--*.sql)
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/*/*.c src/core/*/*.c)))

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
# PGXS's own target of that name only says that it is not supported
ifeq ($(MAKECMDGOALS),check)
.PHONY: check
check: unit
	$(MAKE) installcheck
else
include $(PGXS)
endif

# its own functions are bound when it is linked, not again in every session
ifeq ($(PORTNAME), linux)
SHLIB_LINK += -Wl,-Bsymbolic-functions
endif

# PGXS tracks headers only where PostgreSQL was built to
$(OBJS) $(OBJS:.o=.bc): $(wildcard src/*/*.h src/core/*/*.h)

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

# the core's own tests need no server
.PHONY: unit
unit:
	$(MAKE) -C test/unit check
