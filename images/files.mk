# What is installed, by hand or by the Debian packages (images/debian). Existing settings below /etc
# are kept.
PREFIX = /usr
UNITDIR = /usr/lib/systemd/system
share = $(DESTDIR)$(PREFIX)/share
etc = $(DESTDIR)/etc
# Units and documents name programs below /usr.
put = sed 's,/usr/bin/sekisho ,$(PREFIX)/bin/sekisho ,g; s,/usr/sbin/,$(PREFIX)/sbin/,g; s,/usr/lib/sekisho/,$(PREFIX)/lib/sekisho/,g' $(1) >$(2) && chmod 644 $(2)

# The units that wait for the settings of a program beside the daemon: its name, and what they are
# for.
settings_paths = "time|the clock's sources" "log|the log server" "ups|the UPS server" "notify|telling alarms" "inform|telling alarms by SNMP"

# Manual pages made from the reference, in English (box.5) and Japanese (box.ja.5).
PAGES = $(foreach p,policy box,$(B)/man/sekisho-$(p).5 $(B)/man/sekisho-$(p).ja.5)
$(B)/man/sekisho-%.ja.5: docs/policy-language.ja.md images/man
	@mkdir -p $(@D)
	$(Q)images/man $* ja >$@.new && mv $@.new $@
$(B)/man/sekisho-%.5: docs/policy-language.md images/man
	@mkdir -p $(@D)
	$(Q)images/man $* en >$@.new && mv $@.new $@
page = install -D -m 644 $(1).$(3) $(share)/man/man$(3)/$(2).$(3) && install -D -m 644 $(1).ja.$(3) $(share)/man/ja/man$(3)/$(2).$(3)

.PHONY: man install install-cli install-daemon install-doc deb image bundle release check-parts check-bundle check-lock check-image
man: $(PAGES)
deb:
	@images/deps build deb $(if $(RELEASE),fresh)
	@$(if $(RELEASE),$(AS_ROOT)) RELEASE='$(RELEASE)' images/deb
# The appliance's disk (docs/install.md), of Debian 13 unless RELEASE names another release.
# MANIFEST=FILE: with the versions of an earlier image. IMAGE_RELEASE=N: the image's number among
# those in which only Debian's packages are newer. UPDATE_KEYRING=FILE: the certificates that may
# sign updates; without it the box takes no updates.
image_settings = RELEASE='$(RELEASE)' MANIFEST='$(MANIFEST)' IMAGE_RELEASE='$(IMAGE_RELEASE)' UPDATE_KEYRING='$(if $(UPDATE_KEYRING),$(abspath $(UPDATE_KEYRING)))'
image: RELEASE := $(or $(RELEASE),trixie)
image: deb
	@images/deps image
	@$(AS_ROOT) $(image_settings) images/image/build
# A signed update to the image in build/image. UPDATE_KEY, UPDATE_CERT: files or PKCS#11 names.
bundle:
	@images/deps image
	@images/image/bundle build/image/slot build/image '$(UPDATE_KEY)' '$(UPDATE_CERT)'
# Packages for Debian 12 and 13, the image, lists of parts, checksums; signed where there is
# UPDATE_KEY. What is signed is a version that others can make again, so its commit gets a tag.
release:
	@$(if $(UPDATE_KEY),images/tag)
	@images/deps build deb image fresh
	@$(AS_ROOT) $(image_settings) UPDATE_KEY='$(if $(UPDATE_KEY),$(abspath $(UPDATE_KEY)))' UPDATE_CERT='$(if $(UPDATE_CERT),$(abspath $(UPDATE_CERT)))' images/release
	@$(if $(UPDATE_KEY),images/tag set)
# Which vulnerabilities of LIST (Debian's list as JSON) the image in build/image has; fetches
# nothing.
check-parts:
	@images/image/vulnerable build/image/sekisho.cdx.json '$(LIST)'
# Debian's LIST as a signed list that a box compares with its parts (images/parts): a line for each
# vulnerability. RELEASE=NAME: for boxes with that release of Debian.
.PHONY: parts-list
parts-list:
	@images/image/vulnerable build/image/sekisho.cdx.json '$(LIST)' --release '$(or $(RELEASE),trixie)' --write build/image/parts
	@openssl cms -sign -binary -nodetach -outform DER -signer '$(UPDATE_CERT)' -inkey '$(UPDATE_KEY)' -in build/image/parts -out build/image/parts.cms
check-bundle:
	@images/deps image
	@$(AS_ROOT) $(PYTHON) tests/image/update
	@$(AS_ROOT) $(PYTHON) tests/image/install
check-lock:
	@images/deps image
	@$(AS_ROOT) $(PYTHON) tests/image/lock
# All image tests, which take hours. KEYS=FOLDER: made by `tests/image/signing.py FOLDER` before the
# image was made with UPDATE_KEYRING=FOLDER/keyring.pem; without it updates are not tested.
keys = $(if $(KEYS),--keys '$(abspath $(KEYS))')
check-image: check-bundle check-lock
	@images/deps image fresh peers unpacked
	@$(AS_ROOT) $(image_settings) $(PYTHON) tests/image/run $(keys) --again
	@$(AS_ROOT) $(PYTHON) tests/image/run --board all
	@$(AS_ROOT) $(PYTHON) tests/image/run $(keys) $(if $(KEYS),--server) --inform
	@$(AS_ROOT) $(PYTHON) tests/image/run --battery
	@$(AS_ROOT) $(PYTHON) tests/image/run --watched
	@$(AS_ROOT) $(PYTHON) tests/image/run --broken
	@$(AS_ROOT) $(PYTHON) tests/image/run --dead --lockout
	@$(AS_ROOT) $(PYTHON) tests/image/guide
	@$(AS_ROOT) $(PYTHON) tests/image/lock --machine
	@$(AS_ROOT) $(PYTHON) tests/image/power $(keys)
install: install-cli install-daemon install-doc

install-cli: $(B)/sekisho man
	install -D -m 755 $(B)/sekisho $(DESTDIR)$(PREFIX)/bin/sekisho
	$(call page,docs/sekisho,sekisho,1)
	for p in policy box; do $(call page,$(B)/man/sekisho-$$p,sekisho-$$p,5) || exit; done
	install -D -m 644 mgmt/completion/sekisho.bash $(share)/bash-completion/completions/sekisho

install-daemon: $(B)/sekishod $(B)/sekisho-compile $(B)/sekisho-webauthn $(B)/sekisho-fetch $(B)/sekisho-notify $(B)/sekisho-inform $(B)/sekisho-eve
	install -D -m 755 $(B)/sekishod $(DESTDIR)$(PREFIX)/sbin/sekishod
	install -D -m 755 $(B)/sekisho-compile $(DESTDIR)$(PREFIX)/sbin/sekisho-compile
	install -D -m 755 $(B)/sekisho-webauthn $(DESTDIR)$(PREFIX)/sbin/sekisho-webauthn
	install -D -m 755 $(B)/sekisho-fetch $(DESTDIR)$(PREFIX)/sbin/sekisho-fetch
	install -D -m 755 $(B)/sekisho-notify $(DESTDIR)$(PREFIX)/sbin/sekisho-notify
	install -D -m 755 $(B)/sekisho-inform $(DESTDIR)$(PREFIX)/sbin/sekisho-inform
	$(call page,docs/sekishod,sekishod,8)
	for p in compile fetch webauthn notify inform; do ln -sf sekishod.8 $(share)/man/man8/sekisho-$$p.8 && ln -sf sekishod.8 $(share)/man/ja/man8/sekisho-$$p.8 || exit; done
	install -d $(DESTDIR)$(UNITDIR) $(DESTDIR)$(PREFIX)/lib/sysusers.d $(DESTDIR)$(PREFIX)/lib/tmpfiles.d $(etc)/sekisho $(etc)/default $(etc)/apparmor.d
	for unit in sekisho-base sekishod sekisho-ups sekisho-notify sekisho-inform sekisho-backup; do $(call put,images/systemd/$$unit.service,$(DESTDIR)$(UNITDIR)/$$unit.service) || exit; done
	install -m 644 images/systemd/sekisho.slice $(wildcard images/systemd/sekisho-time.service images/systemd/sekisho-follow@.* images/systemd/sekisho-power-off.* images/systemd/sekisho-backup.timer images/systemd/sekisho-backup.path) $(DESTDIR)$(UNITDIR)
	for row in $(settings_paths); do name=$${row%%|*}; sed "s,@name@,$$name,; s,@what@,$${row#*|}," images/systemd/settings.path >$(DESTDIR)$(UNITDIR)/sekisho-$$name.path && chmod 644 $(DESTDIR)$(UNITDIR)/sekisho-$$name.path || exit; done
	sed 's,/usr/lib/sekisho/,$(PREFIX)/lib/sekisho/,g' images/systemd/sekisho-log.service >$(DESTDIR)$(UNITDIR)/sekisho-log.service
	chmod 644 $(DESTDIR)$(UNITDIR)/sekisho-log.service
	for unit in chrony systemd-timesyncd; do install -D -m 644 images/systemd/not-beside.conf $(DESTDIR)$(UNITDIR)/$$unit.service.d/sekisho.conf || exit; done
	install -D -m 755 images/ups $(DESTDIR)$(PREFIX)/lib/sekisho/ups
	install -D -m 755 images/log $(DESTDIR)$(PREFIX)/lib/sekisho/log
	install -D -m 755 images/parts $(DESTDIR)$(PREFIX)/lib/sekisho/parts
	install -D -m 755 $(B)/sekisho-eve $(DESTDIR)$(PREFIX)/lib/sekisho/eve
	[ ! -e $(B)/sekisho-once.o ] || install -D -m 644 $(B)/sekisho-once.o $(DESTDIR)$(PREFIX)/lib/sekisho/sekisho-once.o
	install -m 644 images/systemd/sysusers.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/sekisho.conf
	install -m 644 images/systemd/tmpfiles.conf $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/sekisho.conf
	for f in site.cfg box.cfg; do [ -e $(etc)/sekisho/$$f ] || install -m 644 images/etc/$$f $(etc)/sekisho/$$f || exit; done
	$(call put,images/apparmor/usr.sbin.sekishod,$(etc)/apparmor.d/usr.sbin.sekishod)
	[ -e $(etc)/default/sekishod ] || install -m 644 images/etc/default $(etc)/default/sekishod

install-doc:
	install -d $(share)/doc/sekisho/protocols $(share)/doc/sekisho/prometheus $(share)/doc/sekisho/pictures $(share)/doc/sekisho/decisions
	install -m 644 $(wildcard *.md) NOTICE docs/SEKISHO-MIB.txt $(wildcard docs/*.md docs/*.json) $(share)/doc/sekisho
	install -m 644 $(wildcard docs/protocols/*.md) $(share)/doc/sekisho/protocols
	install -m 644 $(wildcard docs/pictures/*) $(share)/doc/sekisho/pictures
	install -m 644 $(wildcard docs/decisions/*.md) $(share)/doc/sekisho/decisions
	install -m 644 mgmt/prometheus/*.yml mgmt/prometheus/board.json $(share)/doc/sekisho/prometheus
	install -D -m 644 mgmt/ansible/plugins/modules/sekisho_policy.py $(share)/doc/sekisho/ansible/plugins/modules/sekisho_policy.py
	install -m 644 mgmt/ansible/*.md $(share)/doc/sekisho/ansible
