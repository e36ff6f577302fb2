/* What the commands that many ranks carry out together have in common. */
#include "cli.h"

#include "gyre/log.h"
#include "gyre/run.h"
#include <string.h>

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

int gyre_cli_on_ranks(int argc, char **argv,
                      gyre_status (*work)(int argc, char **argv, gyre_comm *comm), bool mute) {
    gyre_comm *comm = NULL;
    gyre_stop_ignore_pipe();
    gyre_status status = gyre_comm_open(&argc, &argv, &comm);
    if (status != GYRE_OK) return gyre_cli_fail(status);
    if (mute && gyre_comm_rank(comm) != 0) gyre_log_mute(true);
    gyre_watchdog_phase(gyre_comm_watchdog(comm), "reading the arguments and their files", -1);
    status = gyre_comm_check_launch(comm);
    if (status == GYRE_OK) status = check_alike(argc, argv, comm);
    if (status == GYRE_OK) status = work(argc, argv, comm);
    gyre_watchdog_phase(gyre_comm_watchdog(comm), "the end", -1);
    if (gyre_comm_rank(comm) == 0) gyre_cli_fail(status);
    gyre_comm_close(comm);
    return (int)status;
}
