#!/usr/bin/env bash
# What the program offers to a shell that completes a command line, and that bash and zsh take it.
set -u
. "$(dirname "$0")/lib/common.sh"
source=$PWD lib=$PWD/tests/cli/lib
case $GYRE in /*) ;; *) GYRE=$PWD/$GYRE ;; esac

# offers "LINES" WORD...: these lines, sorted, for the last word.
offers() {
    local lines=$1
    shift
    "$GYRE" --complete "$@" >"$T/out" || fail "--complete $*"
    [ "$(LC_ALL=C sort "$T/out" | paste -sd ' ')" = "$lines" ] || fail "$*: $(cat "$T/out") instead of $lines"
}

# Commands are those of the help, and so are the options of each.
[ "$("$GYRE" --complete '')" = "$("$GYRE" help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p')" ] || fail "commands"
for command in $("$GYRE" --complete ''); do
    "$GYRE" help "$command" | sed -n 's/^  \(--[a-z-]*\).*/\1/p' | sort >"$T/explained"
    # No operand is typed, so that the options of every form fit.
    "$GYRE" --complete "$command" -- | grep -v '^--help$' | sort >"$T/offered"
    cmp "$T/explained" "$T/offered" || fail "options of $command"
done
offers "train" tr
offers "--help --version" --
offers "--version" --v
offers "" nothing ''
offers "array cifar folder idx" data import ''
offers ":folders" data import folder ''
offers "crop pad stretch" data import folder d --fit ''
offers "--fit=pad" data import folder d --fit=p
offers "--fit --force" data import folder d -q --f
offers "--force" data import array x y --f
offers "" data info f --o
offers "--set --stop-after" train --set a=1 --out d --s
offers ":files json :folders" train ''
offers "" train c.json ''
offers ":folders" plot a b ''
"$GYRE" --complete export '' >"$T/out"
for line in :folders csv tensorboard; do grep -qx -- "$line" "$T/out" || fail "export: $(cat "$T/out")"; done # of [csv] RUN
offers ":folders" export csv ''
offers "--output" export run --o
offers "--follow" plot run --f
offers "" plot run --follow=
offers "" train c.json --stop-after ''
offers "--hash=state" inspect --hash=s
offers "schedule.base_lr=" train c.json --set schedule.ba
offers "length.cycles= length.epochs= length.steps=" train c.json --set length.
offers "model.batch_norm=frozen model.batch_norm=train" train c.json --set model.batch_norm=
offers "tf32=true" train c.json --set=x --set tf32=t
offers "--set=tf32=true" train c.json --set=tf32=t
offers "model.name=mlp" train c.json --set model.name=ml
offers "model.loss=huber" train c.json --set model.loss=hub
offers "" train c.json --set nothing=
offers "" train c.json --set nothing.at.all
# A path of a config is relative to the config's folder.
mkdir -p "$T/at/home/data" "$T/at/home/.hidden" && cd "$T/at" || exit 1
touch home/c.json home/data/one.h5 "home/data/my pictures.h5" here.h5
offers "data.path=c.json data.path=data/" train home/c.json --set data.path=
offers "data.path=data/one.h5" train home/c.json --set data.path=data/o
offers "data.path=here.h5 data.path=home/" train --set data.path=
offers "data.path=$T/at/home/" train home/c.json --set "data.path=$T/at/ho"
offers "" train home/c.json --set data.path=none/
[ "$("$GYRE" --complete)" = "" ] || fail "no word at all"

# ---- in shells
ln -s "$GYRE" gyre
cat >rc <<RC
PS1='READY>' PATH=$T/at:\$PATH
. $source/packaging/completion/gyre.bash
RC
types() { # the line that is to come, keys, shell...
    local line=$1
    shift
    python3 "$lib/type_keys.py" "$@" >"$T/typed" || fail "$* : $(cat "$T/typed")"
    [ "$(sed 's/ $//' "$T/typed")" = "$line" ] || fail "$* : '$(cat "$T/typed")' instead of '$line'"
}
in_shell() { # shell...
    types "gyre train" 'gyre tr\t' "$@"
    types "gyre train home/c.json --set schedule.policy=one_cycle" 'gyre train home/c\t--set schedule.pol\tone\t' "$@"
    types "gyre train home/c.json --set data.path=data/my\\ pictures.h5" 'gyre train home/c.json --set data.path=data/m\t' "$@"
    types "gyre model resnet20" 'gyre model resnet2\t' "$@"
    types "gyre inspect --hash=parameters here.h5" 'gyre inspect --hash=p\ther\t' "$@"
    types "gyre data info home/data/my\\ pictures.h5" 'gyre data info home/data/my\t' "$@"
    types "gyre find home/c.json --set seed=" "gyre find 'home/c.json' --set see\\t" "$@"
}
in_shell bash --noprofile --rcfile rc -i
if [ -z "$(command -v zsh)" ]; then
    echo "zsh is not there: its script was not run"
    exit 0
fi
mkdir z && cat >z/.zshrc <<RC
PS1='READY>' PATH=$T/at:\$PATH
bindkey -e
fpath=($source/packaging/completion \$fpath)
autoload -U compinit && compinit -u -D
RC
export ZDOTDIR=$T/at/z
in_shell zsh -d -i
exit 0
