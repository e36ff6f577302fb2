/* Limits that a container, a Slurm job or systemd set for this process: Linux's control groups. */
#ifndef GYRE_CONTROL_GROUPS_H
#define GYRE_CONTROL_GROUPS_H

#include <stdint.h>

/* Calls `each` for the folder of every group that this process is in, from the innermost outwards:
 * a limit of any of them holds. `self` is /proc/self/cgroup, `root` where version 2 is mounted. */
void gyre_control_groups(const char *self, const char *root,
                         void (*each)(const char *folder, void *context), void *context);

/* Bytes that the groups of this process allow together; 0: no limit. Version 2 and version 1. */
uint64_t gyre_control_groups_memory(const char *self, const char *root);

#define GYRE_CONTROL_GROUPS_SELF "/proc/self/cgroup"
#define GYRE_CONTROL_GROUPS_ROOT "/sys/fs/cgroup"

/* Bytes of memory that this process may use: the machine's, or what its groups allow of it. 0 when
 * Linux does not tell. */
uint64_t gyre_memory_allowed(void);

#endif
