/* Headers of safetensors files, changed where the coverage of their reader grows (clang's
 * libFuzzer): `make fuzz-guided READER=safetensors`. The first byte says how many bytes of tensors
 * follow the header; what is taken lies within them, and without a gap. */
#include "../../src/runfile/safetensors_header.h"

#include "gyre/status.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As the header's own checks have it, in another way: every byte belongs to one tensor. */
static void check_taken(const safetensors_header *h, uint64_t bytes) {
    unsigned char owners[256] = {0};
    for (size_t i = 0; i < h->count; i++) {
        const safetensors_tensor *t = &h->tensors[i];
        if (t->begin > t->end || t->end > bytes || t->name == NULL || t->ndim < 0) abort();
        for (uint64_t at = t->begin; at < t->end; at++) owners[at]++;
        for (size_t k = 0; k < i; k++) {
            if (strcmp(t->name, h->tensors[k].name) == 0) abort();
        }
    }
    for (uint64_t at = 0; at < bytes; at++) {
        if (owners[at] != 1) abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    safetensors_header h;
    if (size == 0) return 0;
    const uint64_t bytes = data[0];
    char *text = malloc(size); /* exactly as long, so that a step behind it is seen */
    if (text == NULL) return 0;
    memcpy(text, data + 1, size - 1);
    if (safetensors_header_parse("fuzz", text, size - 1, bytes, &h) == GYRE_OK) {
        check_taken(&h, bytes);
        safetensors_header_free(&h);
    } else if (gyre_error_text()[0] == '\0') {
        abort();
    }
    free(text);
    return 0;
}
