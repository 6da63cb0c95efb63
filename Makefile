# Tutti. One file builds everything; every target works from a clone on a fresh Debian 12.
#
#   make            the program, its plug-ins            make test     everything, under prove
#   make demo       the main job, end to end             make lint     format, tidy, layers, sizes
#   make setup      install what is missing (apt)        make bench    whole-process figures; bench-instructions
#   make install    PREFIX=/usr/local DESTDIR=           make fuzz     TIME=60
#
#   make torture    every fault point, failing and killed
#   make random     TIME=600 SEED=N: environments, commands and disasters, drawn at random
#
#   SAN=1           build with ASan, UBSan, LSan         CC=clang      another compiler

VERSION := 0.1.0
PREFIX  ?= /usr/local
SAN     ?=
ifeq ($(origin CC),default)
CC := gcc
endif
O       ?= build$(if $(filter-out gcc,$(CC)),-$(notdir $(CC)))$(if $(SAN),-san)

CPPFLAGS := -D_GNU_SOURCE -DTUTTI_VERSION='"$(VERSION)"' -DTUTTI_LIBDIR='"$(PREFIX)/lib/tutti"' \
            -DTUTTI_SHAREDIR='"$(PREFIX)/share/tutti"' -Isrc -I.
CFLAGS   ?= -O2 -g
STRICT   := -std=c17 -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
            -Wvla -Werror -fno-strict-overflow
HARDEN   := $(if $(SAN),,-D_FORTIFY_SOURCE=2) -fstack-protector-strong -fPIC
COMMA    := ,
SANFLAGS := $(if $(SAN),-fsanitize=address$(COMMA)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
ALLFLAGS  = $(STRICT) $(CFLAGS) $(HARDEN) $(SANFLAGS) $(CPPFLAGS) -MMD -MP
LDFLAGS  += -Wl,-z,relro $(SANFLAGS)
LDLIBS   := -lssh2 -luv -lsqlite3 -lyaml -ljansson -lmpfr -lgmp -lpcre2-8 -lutf8proc \
            -lcrypt -lz -lssl -lcrypto -lpthread -ldl -lm

PACKAGES := gcc make libc6-dev libcurl4-openssl-dev libssl-dev libjansson-dev libssh2-1-dev libyaml-dev \
            libuv1-dev libsqlite3-dev libmicrohttpd-dev libmpfr-dev libgmp-dev libpcre2-dev libutf8proc-dev \
            libcrypt-dev zlib1g-dev libexpat1-dev openssh-server openssh-client ca-certificates curl jq perl

# The program is src/, state/ and the practice cloud's server; every other folder of providers/ with C
# files in it is a plug-in of that name.
ROOMS    := base lang template plan io run serve cli
SRC      := $(foreach r,$(ROOMS),$(wildcard src/$(r)/*.c)) $(wildcard state/*.c providers/sandbox/*.c)
OBJ      := $(SRC:%.c=$(O)/obj/%.o)
EMBED    := $(patsubst state/schema/%.sql,$(O)/gen/%.sql.h,$(wildcard state/schema/*.sql))
PLUGINS  := $(filter-out sandbox,$(patsubst providers/%/,%,$(sort $(dir $(wildcard providers/*/*.c)))))
PLUGINSO := $(PLUGINS:%=$(O)/providers/%.so)
LIBS_rest := -lyaml -lexpat -lcrypto
LIBS_ssh  := -lcrypto
MORE_ssh  := providers/exec/command.c

UNIT     := $(patsubst tests/unit/%.c,$(O)/tests/%.t,$(wildcard tests/unit/test_*.c))
FUZZ     := $(patsubst tests/fuzz/%.c,$(O)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
BENCH    := $(patsubst tests/bench/%.c,$(O)/bench/%,$(wildcard tests/bench/bench_*.c))

# V=1 shows the commands.
Q        := $(if $(V),,@)
say       = $(if $(V),,@echo "  $(1)")

all: $(O)/tutti $(PLUGINSO)

$(O)/tutti: $(O)/obj/src/main.o $(O)/libtutti.a
	$(call say,LINK $@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(O)/libtutti.a: $(OBJ)
	$(call say,AR   $@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(O)/obj/%.o: %.c
	$(call say,CC   $<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALLFLAGS) -I$(O)/gen -c -o $@ $<

# The schema is embedded, so that the program needs no files of its own to open a store.
$(O)/gen/%.sql.h: state/schema/%.sql Makefile
	@mkdir -p $(@D)
	$(Q){ sed -e 's/\\/\\\\/g; s/"/\\"/g; s/^/"/; s/$$/\\n"/' $<; echo ,; } > $@
$(O)/obj/state/sqlite.o: $(EMBED)

define plugin
$(O)/providers/$(1).so: $(patsubst %.c,$(O)/obj/%.o,$(wildcard providers/$(1)/*.c) $(MORE_$(1)))
	$$(call say,LINK $$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) -shared $$(LDFLAGS) $$(if $$(SAN),,-Wl,--no-undefined) -o $$@ $$^ $$(LIBS_$(1))
endef
$(foreach p,$(PLUGINS),$(eval $(call plugin,$(p))))

$(O)/tests/%.t: tests/unit/%.c $(O)/libtutti.a
	$(call say,CC   $<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALLFLAGS) -Itests $(LDFLAGS) -o $@ $< $(O)/libtutti.a $(LDLIBS)

# The interpreter's tests look into it.
REST := $(patsubst %.c,$(O)/obj/%.o,$(wildcard providers/rest/*.c))
$(O)/tests/test_rest_%.t: tests/unit/test_rest_%.c $(REST) $(O)/libtutti.a | $(O)/tutti
	$(call say,CC   $<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALLFLAGS) -Itests $(LDFLAGS) -o $@ $< $(REST) $(O)/libtutti.a $(LDLIBS) -lexpat -lcurl

$(O)/bench/%: tests/bench/%.c $(O)/libtutti.a
	$(call say,CC   $<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALLFLAGS) $(LDFLAGS) -o $@ $< $(O)/libtutti.a $(LDLIBS)

# One room's objects and unit tests, while others are in motion: make unit T=lang
unit: $(filter $(O)/tests/test_$(T)%.t,$(UNIT))
	prove $^

-include $(OBJ:.o=.d) $(wildcard $(O)/obj/providers/*/*.d $(O)/tests/*.d $(O)/obj/src/main.d)

.PHONY: all unit

# Setting up: says what it will install, and installs what is missing. Only Debian and its kin are known by name.
LINT_PACKAGES := clang clang-format clang-tidy cppcheck
missing = for p in $(1); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q '^install ok installed' || printf ' %s' $$p; done
define install
@if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then \
        echo "This system has no apt-get. Install the equivalents of: $(1)"; exit 0; fi; \
missing="$$($(call missing,$(1)))"; [ -n "$$missing" ] || exit 0; \
echo "Installing with apt-get:$$missing"; \
as_root=; [ "$$(id -u)" = 0 ] || as_root=sudo; \
$$as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$as_root apt-get install -y -qq --no-install-recommends $$missing >/dev/null
endef

setup:
	$(call install,$(PACKAGES))

setup-lint: setup
	$(call install,$(LINT_PACKAGES))

# The main job, end to end, on the practice cloud.
demo: setup
	@$(MAKE) --no-print-directory all
	@examples/demo/run $(abspath $(O))/tutti

# Everything that needs no long time, under prove. SAN=1 runs it under the sanitizers.
TIMER :=
test: setup
	@$(MAKE) --no-print-directory test-run

test-run: all $(UNIT)
	TUTTI=$(abspath $(O))/tutti TUTTI_BUILD=$(abspath $(O)) TUTTI_STRICT=1 ASAN_OPTIONS=detect_leaks=1 \
	prove -j4 --timer $(UNIT) $(sort $(wildcard tests/cases/*.t))

lint: setup-lint
	@$(MAKE) --no-print-directory lint-run

C_FILES := $(wildcard src/*.c src/*/*.[ch] state/*.[ch] providers/*.h providers/*/*.[ch] tests/*.h tests/*/*.[ch])
lint-run: $(EMBED)
	tests/lint/layers
	tests/lint/sizes $(C_FILES)
	clang-format --dry-run -Werror $(C_FILES)
	cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr --suppressions-list=tests/lint/cppcheck.txt \
	  --enable=warning,performance,portability -j2 -Isrc -I. -I$(O)/gen $(filter %.c,$(C_FILES))
	printf '%s\n' $(filter-out tests/%,$(filter %.c,$(C_FILES))) | \
	  xargs -P2 -n4 sh -c 'clang-tidy --quiet "$$@" -- -std=c17 -Isrc -I. -I$(O)/gen $(subst ",\",$(subst ',,$(CPPFLAGS))) 2>/dev/null' tidy

# TIME: seconds for each target.
TIME ?= 60
$(O)/fuzz/%: tests/fuzz/%.c $(SRC)
	@mkdir -p $(@D)
	clang -std=c17 -g -O1 -fsanitize=fuzzer,address,undefined $(CPPFLAGS) -I$(O)/gen -Itests -o $@ $< $(SRC) $(LDLIBS)

$(O)/fuzz/fuzz_rest_%: tests/fuzz/fuzz_rest_%.c $(SRC) $(wildcard providers/rest/*.c)
	@mkdir -p $(@D)
	clang -std=c17 -g -O1 -fsanitize=fuzzer,address,undefined $(CPPFLAGS) -I$(O)/gen -Itests -o $@ $< $(SRC) \
	  $(wildcard providers/rest/*.c) $(LDLIBS) -lexpat

fuzz: $(EMBED) $(FUZZ)
	@for f in $(FUZZ); do n=$$(basename $$f | sed s/fuzz_//); mkdir -p $(O)/corpus/$$n; echo "$$n"; \
	  words=; [ ! -f tests/fuzz/$$n.dict ] || words=-dict=tests/fuzz/$$n.dict; \
	  $$f $$words -max_total_time=$(TIME) -timeout=5 -rss_limit_mb=2048 -print_final_stats=0 $(O)/corpus/$$n tests/fuzz/corpus/$$n || exit 1; done

# Every fault point fails once, and the process dies at every one once; see docs/torture.md. A sample of it is in `test`.
# kill-aws waits nearly all the time, for what a cloud may take to show, and so runs beside the others.
torture: all
	@tests/torture/kill-aws $(abspath $(O))/tutti $(KILLS) >$(O)/kill-aws.tap 2>&1 & beside=$$!; \
	tests/torture/run $(abspath $(O))/tutti $(STORIES) && tests/torture/race $(abspath $(O))/tutti && \
	  tests/torture/disasters $(abspath $(O))/tutti; code=$$?; \
	[ $$code = 0 ] || kill $$beside; wait $$beside || code=1; cat $(O)/kill-aws.tap; exit $$code

# Stories drawn at random until one breaks a rule or the time is up; see docs/random.md. Those that found something are in `test`.
random: all
	@TIME=$(TIME) tests/random/run $(abspath $(O))/tutti

bench: all $(BENCH)
	tests/bench/run $(abspath $(O))

# The one part of it that a busy machine does not change: instructions of fixed work, beside those of the baseline.
bench-instructions: all $(O)/bench/bench_commit
	tests/bench/instructions $(abspath $(O))

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/tutti/providers $(DESTDIR)$(PREFIX)/share/tutti/providers \
	  $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	install -m 755 $(O)/tutti $(DESTDIR)$(PREFIX)/bin/tutti
	install -m 644 $(PLUGINSO) $(DESTDIR)$(PREFIX)/lib/tutti/providers
	for d in $(sort $(dir $(wildcard providers/*/*.yaml))); do \
	  install -d $(DESTDIR)$(PREFIX)/share/tutti/$$d && install -m 644 $$d*.yaml $(DESTDIR)$(PREFIX)/share/tutti/$$d; done
	install -d $(DESTDIR)$(PREFIX)/share/tutti/templates
	install -m 644 $(wildcard templates/*.yaml) $(DESTDIR)$(PREFIX)/share/tutti/templates
	install -d $(DESTDIR)$(PREFIX)/include/tutti/providers
	install -m 644 providers/provider.h $(DESTDIR)$(PREFIX)/include/tutti/providers
	install -m 644 docs/tutti.1 $(DESTDIR)$(PREFIX)/share/man/man1/tutti.1
	install -m 644 docs/completion.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/tutti

clean:
	rm -rf build build-*

.PHONY: setup setup-lint demo test test-run lint lint-run fuzz torture random bench bench-instructions install clean
