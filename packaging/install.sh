#!/usr/bin/env bash
# Installs gyre, and takes away what was installed: `make install`, `make uninstall`. The one idea: a
# list in share/gyre/installed names every file that was put there with its checksum, and every folder
# that was made. So a file that is not gyre's, or was changed, is neither replaced nor removed.
#
#   packaging/install.sh install|uninstall
#
# PREFIX    where; an absolute path (default /usr/local). The folder can be moved as a whole.
# DESTDIR   put before it, to make a package; an absolute path
# O         the build folder whose gyre is installed (default build/cpu)
set -eu
export LC_ALL=C
umask 022
prefix=${PREFIX-/usr/local} build=${O:-build/cpu}
root=${DESTDIR:-}$prefix
list=share/gyre/installed

die() {
    echo "gyre: error: $*" >&2
    exit 1
}

case $prefix in
/*) ;;
*) die "PREFIX is '$prefix': an absolute path was expected, as \`make $* PREFIX=\$HOME/.local\`" ;;
esac
case ${DESTDIR:-/} in
/*) ;;
*) die "DESTDIR is '$DESTDIR': an absolute path was expected, as \`make $* DESTDIR=\$PWD/$DESTDIR\`" ;;
esac
cd "$(dirname "$0")/.."

# ---- what is installed

put() { # mode, file, place below the prefix
    install -D -m "$1" "$2" "$stage/$3"
}

# Files of these folders with suffixes that gyre's own have: notes and data of the user's stay out.
put_files() { # place, folder...
    local place=$1 file mode
    shift
    while IFS= read -r file; do
        mode=644
        [ ! -x "$file" ] || mode=755
        put "$mode" "$file" "$place/$file"
    done < <(find "$@" -type f -name '[!.]*' -regex '.*\.\(md\|json\|jsonl\|csv\|svg\|png\|html\|txt\|toml\|sh\|sbatch\|py\|safetensors\)\|.*/features\.h5' |
        sort)
}

put_pages() {
    local command
    mkdir -p "$stage/share/man/man1" "$stage/share/man/man5"
    "$build/gyre" help --man >"$stage/share/man/man1/gyre.1"
    for command in $("$build/gyre" --complete ""); do
        "$build/gyre" help "$command" --man >"$stage/share/man/man1/gyre-$command.1"
    done
    "$build/gyre" help config --man >"$stage/share/man/man5/gyre-config.5"
}

put_all() {
    put 755 "$build/gyre" bin/gyre
    put_files share/gyre configs slurm python/README.md python/pyproject.toml python/gyre_exchange
    put_files share/doc/gyre docs benchmarks/results tests/gpu/README.md
    put 644 README.md share/doc/gyre/README.md
    put 644 LICENSE share/doc/gyre/LICENSE
    ln -s ../../gyre/configs ../../gyre/slurm ../../gyre/python "$stage/share/doc/gyre/"
    put_pages
    put 644 packaging/completion/gyre.bash share/bash-completion/completions/gyre
    put 644 packaging/completion/_gyre share/zsh/site-functions/_gyre
    put 644 packaging/modules/gyre "share/gyre/modulefiles/gyre/$("$build/gyre" --version | cut -d ' ' -f 2)"
}

# ---- the list: "file SHA256 PLACE", "link TARGET PLACE", "folder PLACE", "above PREFIX COUNT"

# lines_of FOLDER <PLACES: the line of each that is a file or a link there.
lines_of() {
    local place
    local -a files=()
    while IFS= read -r place; do
        if [ -L "$1/$place" ]; then
            echo "link $(readlink "$1/$place") $place"
        elif [ -f "$1/$place" ]; then
            files+=("$place")
        fi
    done
    [ ${#files[@]} -eq 0 ] || (cd "$1" && sha256sum -- "${files[@]}") | sed 's/^/file /; s/  / /'
}

declare -A installed=() present=() staged=() # place: its line, as the list has it, as it lies there, as it is to be
folders=()                                   # that were made, parents first
above=0                                      # how many were made above the prefix

# take_lines ARRAY <LINES
take_lines() {
    local -n array=$1
    local line place
    while IFS= read -r line; do
        place=${line#* }
        # shellcheck disable=SC2034 # it is the caller's
        array[${place#* }]=$line
    done
}

read_list() {
    local line place
    [ -f "$root/$list" ] || return 0
    while IFS= read -r line; do
        place=${line#* }
        case $line in
        "above $prefix "*) above=${line##* } && continue ;;
        "above "*) continue ;; # of where it lay before it was moved
        "folder "*) folders+=("$place") ;;
        "file "* | "link "*) place=${place#* } && installed[$place]=$line ;;
        *) die "'$root/$list' is damaged: '$line'" ;;
        esac
        case /$place/ in *//* | */../*) die "'$root/$list' is damaged: '$place' is no place below the prefix" ;; esac
    done <"$root/$list"
}

# Is what lies at the place the file that was installed, unchanged?
is_own() { [ -n "${installed[$1]:-}" ] && [ "${present[$1]:-}" = "${installed[$1]}" ]; }

is_there() { [ -e "$root/$1" ] || [ -L "$root/$1" ]; }

remove() { # the place of a file that was installed
    is_there "$1" || return 0
    if is_own "$1"; then
        rm "$root/$1"
    else
        echo "gyre: kept '$root/$1': it was changed after it was installed" >&2
    fi
}

# Of a folder that cannot be changed, or made, before anything is.
check_folder() { # path
    local path=$1
    while [ ! -e "$path" ] && [ ! -L "$path" ]; do path=$(dirname "$path"); done
    [ -d "$path" ] || die "'$path' is no folder, where '$1' is to be"
    { [ -w "$path" ] && [ -x "$path" ]; } ||
        die "nothing can be written in '$path'; be root, as by sudo, or name another place, as PREFIX=\$HOME/.local"
}

check_folders() { # <PLACES of files
    local place
    while IFS= read -r place; do check_folder "$root/$place"; done < <(sed 's|/[^/]*$||' | sort -u)
}

make_root() { # path
    [ ! -d "$1" ] || return 0
    make_root "$(dirname "$1")"
    mkdir "$1" || exit
    above=$((above + 1))
}

make_folder() { # place; "" is the prefix
    local place=$1
    [ ! -d "$root/$place" ] || return 0
    case $place in
    '') make_root "$(dirname "$root")" ;;
    */*) make_folder "${place%/*}" ;;
    *) make_folder '' ;;
    esac
    mkdir "$root${place:+/$place}" || exit
    folders+=("${place:-.}")
}

# replace FILE PLACE: at once. The copy is made beside the place, in a folder that nothing else is in.
replace() {
    beside=$(mktemp -d "$root/$2.XXXXXX")
    cp -P --preserve=mode "$1" "$beside/new"
    mv -fT "$beside/new" "$root/$2" # -T: not into a folder that a link leads to
    rmdir "$beside"
    beside=''
}

write_list() {
    local folder
    {
        for folder in ${folders[@]+"${folders[@]}"}; do echo "folder $folder"; done
        echo "above $prefix $above"
        printf '%s\n' "${staged[@]}" | sort -k 3
    } >"$scratch/list"
    replace "$scratch/list" "$list"
}

install_all() {
    local place
    [ -x "$build/gyre" ] || die "'$build/gyre' is not there: type \`make\` first"
    scratch=$(mktemp -d) beside=''
    stage=$scratch/tree
    trap 'rm -rf "$scratch" ${beside:+"$beside"}' EXIT
    put_all
    mapfile -t places < <(cd "$stage" && find . ! -type d | sed 's|^\./||' | sort)
    take_lines staged < <(printf '%s\n' "${places[@]}" | lines_of "$stage")
    take_lines present < <(printf '%s\n' "${places[@]}" "${!installed[@]}" | sort -u | lines_of "$root")
    for place in "${places[@]}"; do
        is_there "$place" && ! is_own "$place" && [ "${present[$place]:-}" != "${staged[$place]}" ] &&
            die "'$root/$place' is there, and is not what \`make install\` put there; move it away"
    done
    printf '%s\n' "$list" "${places[@]}" "${!installed[@]}" | check_folders
    for place in "${!installed[@]}"; do # of an earlier version
        [ -e "$stage/$place" ] || [ -L "$stage/$place" ] || remove "$place"
    done
    make_folder "${list%/*}"
    for place in "${places[@]}"; do
        make_folder "${place%/*}"
        replace "$stage/$place" "$place"
    done
    write_list
    echo "gyre $("$build/gyre" --version | cut -d ' ' -f 2) is in $root: ${#places[@]} files"
}

uninstall_all() {
    local place i
    [ -f "$root/$list" ] || die "nothing to remove: no '$root/$list', which \`make install\` writes"
    take_lines present < <(printf '%s\n' "${!installed[@]}" | lines_of "$root")
    printf '%s\n' "$list" "${!installed[@]}" | check_folders
    for place in "${!installed[@]}"; do remove "$place"; done
    rm "$root/$list"
    for ((i = ${#folders[@]} - 1; i >= 0; i--)); do
        rmdir --ignore-fail-on-non-empty "$(realpath -m "$root/${folders[i]}")" 2>/dev/null || true
    done
    place=$(realpath -m "$root")
    for ((i = 0; i < above; i++)); do
        place=$(dirname "$place")
        rmdir "$place" 2>/dev/null || break
    done
    echo "gyre is gone from $root"
}

case ${1:-} in
install) read_list && install_all ;;
uninstall) read_list && uninstall_all ;;
*) die "'install' or 'uninstall' was expected, found '${1:-}'" ;;
esac
