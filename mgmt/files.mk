# The journal's code is in CLI_SRC because `sekisho journal verify` reads records by it.
CLI_SRC = $(wildcard mgmt/cli/*.c mgmt/cli/*/*.c mgmt/state/*.c mgmt/words/*.c mgmt/picture/*.c mgmt/report/*.c appliance/seal/*.c) $(addprefix appliance/journal/,chain.c checkpoint.c filter.c segment.c verify.c) build/controls/files.c
MGMT_SRC = $(wildcard mgmt/web/*.c mgmt/web/api/*.c mgmt/web/pages/*.c mgmt/state/*.c mgmt/words/*.c mgmt/picture/*.c mgmt/report/*.c) $(addprefix mgmt/cli/screen/,table.c wrap.c) build/ui/files.c build/controls/files.c

# A program that sends alarms by mail: the state in words, and libcurl.
NOTIFY_SRC = $(wildcard mgmt/notify/*.c mgmt/state/*.c mgmt/words/*.c) $(BASE_SRC) $(WIRE_SRC)
# A program that sends alarms by SNMP: the state in words, and libnetsnmp.
INFORM_SRC = $(wildcard mgmt/inform/*.c mgmt/state/*.c mgmt/words/*.c) $(addprefix mgmt/notify/,ledger.c outlet.c settings.c) $(BASE_SRC) $(WIRE_SRC)

# A program that turns each record line into EVE for a log server.
EVE_SRC = $(wildcard mgmt/eve/*.c mgmt/state/*.c mgmt/words/*.c) mgmt/cli/shut/shut.c $(BASE_SRC) $(WIRE_SRC)

# What a browser gets (mgmt/ui), as a part of the daemon. esbuild and the modules of d3 come from
# Debian; nothing else is needed.
build/ui/script: mgmt/files.mk $(wildcard mgmt/ui/*.ts)
	$(call say,UI,$@)
	@mkdir -p $(@D)
	$(Q)NODE_PATH=/usr/share/nodejs esbuild mgmt/ui/main.ts --bundle --minify --format=iife --target=es2020 --charset=utf8 --log-level=warning --metafile=build/ui/parts.json --outfile=$@.new && mv $@.new $@
build/ui/style: mgmt/ui/style.css
	@mkdir -p $(@D)
	$(Q)esbuild $< --minify --charset=utf8 --log-level=warning --outfile=$@.new && mv $@.new $@
build/ui/files.c: mgmt/files.mk mgmt/ui/embed build/ui/script build/ui/style mgmt/ui/page.html mgmt/ui/help.html mgmt/ui/icon.svg docs/openapi.json
	$(Q)mgmt/ui/embed mgmt/web/pages/page.h ui script=build/ui/script style=build/ui/style page=mgmt/ui/page.html help=mgmt/ui/help.html icon=mgmt/ui/icon.svg openapi=docs/openapi.json >$@.new && mv $@.new $@

# What reports say of the source documents, as a part of the command line and of the daemon.
CONTROLS = port cpsf nisc sisac self_check
build/controls/files.c: mgmt/files.mk mgmt/ui/embed $(CONTROLS:%=docs/controls/%.json)
	@mkdir -p $(@D)
	$(Q)mgmt/ui/embed mgmt/report/clauses.h controls $(foreach c,$(CONTROLS),$(c)=docs/controls/$(c).json) >$@.new && mv $@.new $@

# The test of the command line runs the program itself.
$(B)/tests/test_cli_verbs: | $(B)/sekisho
