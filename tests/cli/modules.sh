#!/usr/bin/env bash
# The module file of an installation, as Lmod and Environment Modules read it, also where it was moved.
set -u
. "$(dirname "$0")/lib/common.sh"
lmod=$(find /usr/share/lmod -path '*/init/bash' 2>/dev/null | head -n 1)
modulecmd=$(find /usr/lib /usr/share/modules -name modulecmd.tcl 2>/dev/null | head -n 1)
[ -n "$lmod" ] || [ -n "$modulecmd" ] || { echo "neither lmod nor environment-modules is there"; exit 77; }
version=$("$GYRE" --version | cut -d ' ' -f 2)
O=${GYRE%/gyre} PREFIX=/opt/first DESTDIR=$T packaging/install.sh install >/dev/null || fail "install"
mv "$T/opt/first" "$T/opt/moved"
modules=$T/opt/moved/share/gyre/modulefiles
[ -f "$modules/gyre/$version" ] || fail "no module file: $(find "$modules")"

# checked NAME COMMANDS: `module` is there in this bash.
checked() {
    cat >"$T/script" <<SCRIPT
unset MODULEPATH LOADEDMODULES GYRE_HOME
$2
module use $modules
module load gyre
[ "\$(command -v gyre)" = "$T/opt/moved/bin/gyre" ] || { echo "PATH is \$PATH"; exit 1; }
[ "\$GYRE_HOME" = "$T/opt/moved/share/gyre" ] || { echo "GYRE_HOME is \$GYRE_HOME"; exit 1; }
[ "\$(gyre --version)" = "gyre $version" ] || exit 1
module list 2>&1 | grep -q "gyre/$version" || exit 1
module help gyre 2>&1 | grep -q 'cyclical learning rates' || exit 1
module unload gyre
! command -v gyre >/dev/null && [ -z "\${GYRE_HOME:-}" ] || { echo "it is still there"; exit 1; }
SCRIPT
    PATH=/usr/bin:/bin bash --norc "$T/script" >"$T/out" 2>&1 || fail "$1: $(cat "$T/out")"
}
[ -z "$lmod" ] || checked lmod ". $lmod"
[ -z "$modulecmd" ] || checked environment-modules "module() { eval \"\$(tclsh $modulecmd bash \"\$@\")\"; }"
exit 0
