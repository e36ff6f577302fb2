/* What the commands that many ranks carry out together have in common. */
#include "cli.h"

#include "gyre/log.h"
#include "gyre/run.h"

int gyre_cli_on_ranks(int argc, char **argv,
                      gyre_status (*work)(int argc, char **argv, gyre_comm *comm), bool mute) {
    gyre_comm *comm = NULL;
    gyre_stop_ignore_pipe();
    gyre_status status = gyre_comm_open(&argc, &argv, &comm);
    if (status != GYRE_OK) return gyre_cli_fail(status);
    if (mute && gyre_comm_rank(comm) != 0) gyre_log_mute(true);
    gyre_watchdog_phase(gyre_comm_watchdog(comm), "reading the arguments and their files", -1);
    status = gyre_comm_check_launch(comm);
    if (status == GYRE_OK) status = work(argc, argv, comm);
    gyre_watchdog_phase(gyre_comm_watchdog(comm), "the end", -1);
    if (gyre_comm_rank(comm) == 0) gyre_cli_fail(status);
    gyre_comm_close(comm);
    return (int)status;
}
