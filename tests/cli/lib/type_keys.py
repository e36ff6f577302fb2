"""Types keys into an interactive shell and prints the command line that they come to.

type_keys.py KEYS SHELL [ARGUMENT...]; the shell's prompt ends with "READY>". "\t" in KEYS is a tab.
"""
import os
import pty
import select
import sys
import time


def read_until(fd, mark, seconds=20):
    text, end = b"", time.monotonic() + seconds
    while mark not in text:
        ready = select.select([fd], [], [], max(0, end - time.monotonic()))[0]
        if not ready:
            sys.exit(f"no {mark!r} in {text!r}")
        try:
            text += os.read(fd, 4096)
        except OSError:
            sys.exit(f"the shell ended: {text!r}")
    return text


def main(keys, shell):
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM="dumb", COLUMNS="300")
        os.execvp(shell[0], shell)
    read_until(fd, b"READY>")
    # Home, "echo <[", end, "]>": the line is printed and not run. The shell reads on when a
    # completion is done, so that nothing need be waited for.
    os.write(fd, keys.replace("\\t", "\t").encode() + b"\x01echo '<[\x05]>'; echo 'DO''NE'\n")
    text = read_until(fd, b"DONE").decode()
    print(text[text.rindex("<[") + 2 : text.rindex("]>")])
    os.close(fd)


main(sys.argv[1], sys.argv[2:])
