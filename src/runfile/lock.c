/* Lock files: a flock on a file that stays. To remove it would let two processes hold two files of
 * one name. */
#include "gyre/run_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { PAUSE = 100000 }; /* microseconds */

gyre_status gyre_lock_take(const char *path, int tries, int *fd, gyre_lock_state *state) {
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (*fd < 0) return gyre_fail(GYRE_EIO, "cannot write '%s': %s", path, strerror(errno));
    int code = flock(*fd, LOCK_EX | LOCK_NB);
    for (int i = 1; code != 0 && errno == EWOULDBLOCK && i < tries; i++) {
        usleep(PAUSE);
        code = flock(*fd, LOCK_EX | LOCK_NB);
    }
    *state = code == 0 ? GYRE_LOCK_TAKEN : errno == EWOULDBLOCK ? GYRE_LOCK_HELD : GYRE_LOCK_NONE;
    if (*state != GYRE_LOCK_HELD) return GYRE_OK;
    close(*fd);
    *fd = -1;
    return GYRE_OK;
}
