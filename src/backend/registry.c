/* The one place that knows which backends this program was built with. */
#include "gyre/backend.h"

extern const gyre_backend_ops gyre_cpu_ops;

gyre_status gyre_backend_open(gyre_backend_choice choice, const gyre_backend_options *options,
                              struct gyre_comm *comm, gyre_backend **out) {
    if (choice == GYRE_BACKEND_CUDA) {
        return gyre_fail(GYRE_EDEVICE, "backend: this program was built without CUDA; use \"cpu\" "
                                       "or \"auto\"");
    }
    return gyre_cpu_ops.open(options, comm, out);
}
