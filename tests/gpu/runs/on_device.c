/* The tests of the CPU backend on the CUDA backend: programs linked with this and
 * -Wl,--wrap=gyre_backend_open get it wherever they ask for one; on the fakes, or on a GPU. */
#include "gyre/backend.h"

gyre_status __real_gyre_backend_open(gyre_backend_choice choice,
                                     const gyre_backend_options *options, struct gyre_comm *comm,
                                     gyre_backend **out);
gyre_status __wrap_gyre_backend_open(gyre_backend_choice choice,
                                     const gyre_backend_options *options, struct gyre_comm *comm,
                                     gyre_backend **out);

gyre_status __wrap_gyre_backend_open(gyre_backend_choice choice,
                                     const gyre_backend_options *options, struct gyre_comm *comm,
                                     gyre_backend **out) {
    (void)choice;
    return __real_gyre_backend_open(GYRE_BACKEND_CUDA, options, comm, out);
}
