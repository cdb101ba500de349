# What is installed, by hand or by the Debian packages (images/debian). Settings below /etc that are there already stay.
PREFIX = /usr
UNITDIR = /lib/systemd/system
share = $(DESTDIR)$(PREFIX)/share
etc = $(DESTDIR)/etc
# Units and documents name programs below /usr.
put = sed 's,/usr/sbin/,$(PREFIX)/sbin/,g' $(1) >$(2) && chmod 644 $(2)

.PHONY: install install-cli install-daemon install-doc
install: install-cli install-daemon install-doc

install-cli: $(B)/sekisho
	install -D -m 755 $(B)/sekisho $(DESTDIR)$(PREFIX)/bin/sekisho
	install -D -m 644 docs/sekisho.1 $(share)/man/man1/sekisho.1
	install -D -m 644 docs/sekisho.ja.1 $(share)/man/ja/man1/sekisho.1
	install -D -m 644 mgmt/completion/sekisho.bash $(share)/bash-completion/completions/sekisho

install-daemon: $(B)/sekishod $(B)/sekisho-compile
	install -D -m 755 $(B)/sekishod $(DESTDIR)$(PREFIX)/sbin/sekishod
	install -D -m 755 $(B)/sekisho-compile $(DESTDIR)$(PREFIX)/sbin/sekisho-compile
	install -d $(DESTDIR)$(UNITDIR) $(DESTDIR)$(PREFIX)/lib/sysusers.d $(DESTDIR)$(PREFIX)/lib/tmpfiles.d $(etc)/sekisho $(etc)/default
	for unit in sekisho-base sekishod; do $(call put,images/systemd/$$unit.service,$(DESTDIR)$(UNITDIR)/$$unit.service) || exit; done
	install -m 644 images/systemd/sysusers.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/sekisho.conf
	install -m 644 images/systemd/tmpfiles.conf $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/sekisho.conf
	for f in site.cfg box.cfg; do [ -e $(etc)/sekisho/$$f ] || install -m 644 images/etc/$$f $(etc)/sekisho/$$f || exit; done
	[ -e $(etc)/default/sekishod ] || install -m 644 images/etc/default $(etc)/default/sekishod

install-doc:
	install -d $(share)/doc/sekisho/protocols
	install -m 644 README.md README.ja.md $(wildcard docs/*.md) $(share)/doc/sekisho
	install -m 644 $(wildcard docs/protocols/*.md) $(share)/doc/sekisho/protocols
