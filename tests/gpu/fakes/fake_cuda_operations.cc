/* The kernels' objects hold the operations that launch them too, which are not called here: the
 * program has its own. So what they ask of the backend is never asked for. */
#include "operation.h"

extern "C" [[noreturn]] void fake_unknown(const char *function); /* fake_cuda_control.cc */

cudaStream_t gpu_stream(const gyre_queue *) {
    fake_unknown("gpu_stream");
}
gyre_status gpu_work(gyre_queue *, size_t, void **) {
    fake_unknown("gpu_work");
}
gyre_status gpu_copy(gyre_queue *, void *, const void *, size_t) {
    fake_unknown("gpu_copy");
}
gyre_status gpu_result(const gyre_queue *, cudaError_t, const char *) {
    fake_unknown("gpu_result");
}
