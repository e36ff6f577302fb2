# Installing gyre, and packages of it (docs/install.md).
PREFIX ?= /usr/local
.PHONY: install uninstall
install: $(O)/gyre
	@O='$(O)' PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' packaging/install.sh install
uninstall:
	@O='$(O)' PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' packaging/install.sh uninstall

# A Debian package in the build folder.
.PHONY: deb
deb: $(O)/gyre
	@O='$(O)' packaging/deb.sh
