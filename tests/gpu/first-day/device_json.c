/* Prints cuDNN's own description of the GPU as JSON: what tests/gpu keeps such texts of, to make
 * plans for a GPU that is not there. For tests/gpu/first-day.sh. */
#include <cudnn_graph.h>

#include <stdio.h>
#include <stdlib.h>

static int fail(cudnnStatus_t status, const char *what) {
    char more[1024] = "";
    cudnnGetLastErrorString(more, sizeof more);
    fprintf(stderr, "%s: %s %s\n", what, cudnnGetErrorString(status), more);
    return 4;
}

#define TRY(call)                                                                                  \
    do {                                                                                           \
        cudnnStatus_t status_ = (call);                                                            \
        if (status_ != CUDNN_STATUS_SUCCESS) return fail(status_, #call);                          \
    } while (0)

int main(int argc, char **argv) {
    int32_t device = argc > 1 ? atoi(argv[1]) : 0;
    int64_t length = 0, got = 0;
    cudnnBackendDescriptor_t d;
    TRY(cudnnBackendCreateDescriptor(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, &d));
    TRY(cudnnBackendSetAttribute(d, CUDNN_ATTR_DEVICEPROP_DEVICE_ID, CUDNN_TYPE_INT32, 1, &device));
    TRY(cudnnBackendFinalize(d));
    TRY(cudnnBackendGetAttribute(d, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, 0,
                                 &length, NULL));
    char *text = calloc((size_t)length + 1, 1);
    if (text == NULL) return 4;
    TRY(cudnnBackendGetAttribute(d, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
                                 length, &got, text));
    puts(text);
    free(text);
    return 0;
}
