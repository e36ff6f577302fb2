/* Narrowing of sizes from outside, with a message; see size.h. */
#include "gyre/size.h"

gyre_status gyre_size_narrow(gyre_status code, const char *what, uint64_t value, int most,
                             int *out) {
    if (value > (uint64_t)(most < 0 ? 0 : most)) {
        return gyre_fail(code, "%s is %llu, at most %d was expected", what,
                         (unsigned long long)value, most);
    }
    *out = (int)value;
    return GYRE_OK;
}
