#!/usr/bin/env python3
"""What the machine code of kernels does with memory, for static.sh.

    cuobjdump -sass FILE.o ... | sass.py

One line a kernel and GPU: loads and stores of global memory, how many of them move 128 bits, how many
loads are issued before one of their results is used (at most, in the order of the code), accesses to
local memory.
"""
import re, subprocess, sys

INSTRUCTION = re.compile(r"^\s+/\*[0-9a-f]{4,}\*/\s+(@!?\w+ )?([A-Z][\w.]*)\s*([^;]*);")
REGISTER = re.compile(r"\bR(\d+)\b")


def width(name):
    return next((int(w) // 32 for w in ("128", "64") if "." + w in name + "."), 1)


class Kernel:
    def __init__(self, name, arch):
        self.name, self.arch = name, arch
        self.loads = self.loads_wide = self.stores = self.stores_wide = self.local = self.flight = 0
        self.waiting = []  # registers of each load whose result nobody has used

    def see(self, name, operands):
        wide = ".128" in name
        registers = [int(r) for r in REGISTER.findall(operands)]
        if name.startswith("LDG"):
            self.use(registers[1:])
            first = registers[0] if registers else -1
            self.waiting.append(range(first, first + width(name)))
            self.flight = max(self.flight, len(self.waiting))
            self.loads += 1
            self.loads_wide += wide
            return
        self.use(registers)
        if name.startswith("STG"):
            self.stores += 1
            self.stores_wide += wide
        if name.startswith(("LDL", "STL")):
            self.local += 1

    def use(self, registers):
        """Loads come back in order: the one that is waited for, and all before it."""
        for i in reversed(range(len(self.waiting))):
            if any(r in self.waiting[i] for r in registers):
                del self.waiting[: i + 1]
                return

    def line(self):
        return "%s: %s, loads %d (128 bits: %d), stores %d (128 bits: %d), %d in flight, %d local" % (
            self.name, self.arch, self.loads, self.loads_wide, self.stores, self.stores_wide, self.flight, self.local)


def plain_name(mangled):
    depth, name = 0, mangled[5:] if mangled.startswith("void ") else mangled
    for i, c in enumerate(name):
        depth += (c == "<") - (c == ">")
        if c == "(" and depth == 0:
            return name[:i]
    return name


def main():
    kernels, arch = [], "?"
    for line in sys.stdin:
        if line.startswith("arch = "):
            arch = line.split()[2]
        elif "Function :" in line:
            kernels.append(Kernel(line.split()[-1], arch))
        else:
            found = INSTRUCTION.match(line)
            if found and kernels:
                kernels[-1].see(found.group(2), found.group(3))
    names = subprocess.run(["c++filt"], input="\n".join(k.name for k in kernels), capture_output=True, text=True,
                           check=True).stdout.split("\n")
    for k, name in zip(kernels, names):
        k.name = plain_name(name)
    print("\n".join(sorted(k.line() for k in kernels)))


main()
