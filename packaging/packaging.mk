# Installing gyre, and packages of it (docs/install.md).
PREFIX ?= /usr/local
# As one word of the shell.
quoted = '$(subst ','\'',$(1))'
.PHONY: install uninstall
install: $(O)/gyre
	@O=$(call quoted,$(O)) PREFIX=$(call quoted,$(PREFIX)) DESTDIR=$(call quoted,$(DESTDIR)) packaging/install.sh install
uninstall:
	@O=$(call quoted,$(O)) PREFIX=$(call quoted,$(PREFIX)) DESTDIR=$(call quoted,$(DESTDIR)) packaging/install.sh uninstall

# A Debian package in the build folder.
.PHONY: deb
deb: $(O)/gyre
	@O=$(call quoted,$(O)) packaging/deb.sh
