"""Sits at a terminal: runs the command in argv in a new one, of 30 rows and 100 columns.

What it shows goes to stdout, what comes on stdin is typed. A line `ROWS COLUMNS` on descriptor 3 changes the
size. At the end the terminal's modes are told on descriptor 4, and the exit code is that of the command.
"""
import fcntl
import os
import pty
import select
import struct
import sys
import termios


def resize(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


main, other = pty.openpty()
resize(main, 30, 100)
child = os.fork()
if child == 0:
    os.setsid()
    fcntl.ioctl(other, termios.TIOCSCTTY, 0)
    for fd in (0, 1, 2):
        os.dup2(other, fd)
    os.closerange(3, 256)
    os.execvp(sys.argv[1], sys.argv[1:])

sources = [main, 0, 3]
ended = None
while True:
    ready = select.select(sources, [], [], 0.05)[0]
    if main in ready:
        os.write(1, os.read(main, 65536))
    elif ended is not None:
        break
    if 0 in ready:
        typed = os.read(0, 65536)
        if typed:
            os.write(main, typed)
        else:
            sources.remove(0)
    if 3 in ready:
        line = os.read(3, 100).decode().split()
        if line:
            resize(main, int(line[-2]), int(line[-1]))
        else:
            sources.remove(3)
    if ended is None:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            ended = os.waitstatus_to_exitcode(status)
modes = termios.tcgetattr(other)
lflag, oflag = modes[3], modes[1]
os.write(4, b"%s%s%s" % (b"echo " if lflag & termios.ECHO else b"", b"lines " if lflag & termios.ICANON else b"", b"opost" if oflag & termios.OPOST else b""))
sys.exit(ended if ended >= 0 else 128 - ended)
