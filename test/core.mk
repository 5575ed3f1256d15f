# core.mk: objects of the core and of what stands beside it, for programs that need
# no server; unit/Makefile and fuzz/Makefile share them. Two variants:
#
#     plain        -O2
#     sanitized    -O1 under AddressSanitizer and UndefinedBehaviorSanitizer
#
# Without -fno-var-tracking gcc spends most of its time on finding where variables
# live in the sanitized kernels (37 s for batch_portable.c, 4 s with it).

CC = gcc
SRC = ../../src
CORE = $(wildcard $(SRC)/core/*)
OUT = ../../build/test
WARNINGS = -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers
FLAGS = -std=gnu11 -g -fno-var-tracking -ffp-contract=off $(WARNINGS) -I$(SRC) -I../unit -I../fuzz
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all
HEADERS = $(wildcard $(CORE:%=%/*.h) ../unit/*.h ../fuzz/*.h)
CORE_FILES = $(notdir $(sort $(wildcard $(CORE:%=%/*.c))))

# objects of a variant: $(call objects,plain,a.c b.c)
objects = $(patsubst %.c,$(OUT)/$(1)/%.o,$(CORE_FILES) $(2))

vpath %.c $(CORE) ../unit ../fuzz

$(OUT)/plain/%.o: %.c $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(FLAGS) -O2 -c -o $@ $<

$(OUT)/sanitized/%.o: %.c $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(FLAGS) -O1 $(SANITIZE) -fno-omit-frame-pointer -c -o $@ $<

# make keeps what it needs again
.SECONDARY:
