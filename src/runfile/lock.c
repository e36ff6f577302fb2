/* Lock files: a flock on a file that stays. To remove it would let two processes hold two files of
 * one name. */
#include "gyre/run_folder.h"

#include "gyre/file.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
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

/* Asked of the lock's text: to try the lock would keep out a job that begins at that moment. */
bool gyre_run_folder_at_work(const char *dir) {
    char line[256], host[128] = "", here[128] = "";
    long process = 0;
    char *path = gyre_path_join(dir, GYRE_LOCK_FILE);
    bool held = path != NULL && gyre_file_first_line(path, line, sizeof line) &&
                sscanf(line, "host %127[^,], process %ld", host, &process) == 2;
    free(path);
    if (!held) return false;
    if (gethostname(here, sizeof here - 1) != 0 || strcmp(here, host) != 0) return true;
    return process <= 0 || kill((pid_t)process, 0) == 0 || errno != ESRCH;
}
