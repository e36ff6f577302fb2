"""on_terminal.py COLUMNS ROWS COMMAND...: runs it with a terminal of this size as its stderr, prints
what that got, and ends with its exit code."""
import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

columns, rows = int(sys.argv[1]), int(sys.argv[2])
ours, theirs = pty.openpty()
fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
command = subprocess.Popen(sys.argv[3:], stdin=subprocess.DEVNULL, stderr=theirs)
os.close(theirs)
try:
    while piece := os.read(ours, 65536):
        sys.stdout.buffer.write(piece)
except OSError:  # the last one has closed it
    pass
sys.exit(command.wait())
