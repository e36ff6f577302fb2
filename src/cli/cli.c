/* What the commands have in common: how they end, and how many ranks carry one out together. */
#include "cli.h"

#include "gyre/file.h"
#include "gyre/log.h"
#include "gyre/run.h"
#include "gyre/run_folder.h"
#include "gyre/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const gyre_status cli_exits_reading[] = {GYRE_EUSAGE, GYRE_EIO, GYRE_EDEVICE, GYRE_OK};
const gyre_status cli_exits_importing[] = {GYRE_EUSAGE, GYRE_EIO, GYRE_EDEVICE, GYRE_EINTERRUPTED,
                                           GYRE_OK};
const gyre_status cli_exits_computing[] = {GYRE_EUSAGE, GYRE_EIO, GYRE_EDEVICE, GYRE_EPEER,
                                           GYRE_OK};
const gyre_status cli_exits_training[] = {GYRE_EUSAGE,       GYRE_EIO,       GYRE_EDEVICE,
                                          GYRE_EPEER,        GYRE_EDIVERGED, GYRE_EPREEMPTED,
                                          GYRE_EINTERRUPTED, GYRE_OK};

int cli_fail(gyre_status status) {
    if (status == GYRE_EPREEMPTED) { /* a run that was asked to stop has not failed */
        fprintf(stderr, "gyre: %s\n", gyre_error_text());
    } else if (status != GYRE_OK) {
        gyre_error_print("");
    }
    return (int)status;
}

void cli_print_path(const char *path) {
    gyre_text_print(stdout, path, 0);
    putchar('\n');
}

gyre_status cli_flush(void) {
    if (fflush(stdout) == 0 && !ferror(stdout)) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "cannot write to stdout");
}

gyre_status cli_metrics_of(const char *run_dir, char **out) {
    char *metrics = gyre_path_join(run_dir, GYRE_METRICS_FILE);
    if (metrics == NULL) return gyre_no_memory("reading '%s'", run_dir);
    if (!gyre_file_exists(metrics)) {
        gyre_status status =
            gyre_fail(GYRE_EIO,
                      "'%s' holds no rows of a run: '%s' is not there; give the folder that "
                      "`gyre train --out` wrote",
                      run_dir, metrics);
        free(metrics);
        return status;
    }
    *out = metrics;
    return GYRE_OK;
}

/* ---- on many ranks */

/* Is it the option of this name and letter? `apart`: its value is the next argument. */
static bool is_option(const char *argument, const char *name, char letter, bool *apart) {
    size_t length = strlen(name);
    if (strncmp(argument, "--", 2) == 0 && strncmp(argument + 2, name, length) == 0) {
        *apart = argument[2 + length] == '\0';
        return *apart || argument[2 + length] == '=';
    }
    *apart = argument[0] == '-' && argument[1] == letter && argument[2] == '\0';
    return argument[0] == '-' && argument[1] == letter;
}

/* A rank that does something else than the others would leave them waiting. What --set says is
 * compared with the config; a folder may be another one on each host. */
static gyre_status check_alike(int argc, char **argv, gyre_comm *comm) {
    uint64_t hash = 0xcbf29ce484222325;
    for (int i = 0; i < argc; i++) {
        bool apart = false;
        if (is_option(argv[i], "set", 's', &apart) || is_option(argv[i], "out", 'o', &apart)) {
            i += apart;
            continue;
        }
        for (const char *c = argv[i]; c == argv[i] || c[-1] != '\0'; c++) { /* FNV-1a */
            hash = (hash ^ (unsigned char)*c) * 0x100000001b3;
        }
    }
    return gyre_comm_same(comm, hash, "arguments",
                          "start all ranks with one command (--set and --out may differ)");
}

int cli_on_ranks(int argc, char **argv, gyre_status (*work)(int argc, char **argv, gyre_comm *comm),
                 bool mute) {
    gyre_comm *comm = NULL;
    gyre_stop_ignore_pipe();
    gyre_status status = gyre_comm_open(&argc, &argv, &comm);
    if (status != GYRE_OK) return cli_fail(status);
    if (mute && gyre_comm_rank(comm) != 0) gyre_log_mute(true);
    gyre_watchdog_phase(gyre_comm_watchdog(comm), "reading the arguments and their files", -1);
    status = gyre_comm_check_launch(comm);
    if (status == GYRE_OK) status = check_alike(argc, argv, comm);
    if (status == GYRE_OK) status = work(argc, argv, comm);
    gyre_watchdog_phase(gyre_comm_watchdog(comm), "the end", -1);
    if (gyre_comm_rank(comm) == 0) cli_fail(status);
    gyre_comm_close(comm);
    return (int)status;
}
