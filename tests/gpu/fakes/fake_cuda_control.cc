/* Settings, failures on demand, and the list of calls.
 *
 *   FAKE_FAIL=function:k[:code],...   the k-th call (from 1) of the function fails
 *   FAKE_RANK=r                       only rank r fails or drops something
 *   FAKE_LOG=file                     every call, in order, as a line "function k; callers"; with
 *                                     several ranks file.<rank> */
#include "fake.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <execinfo.h>
#include <map>
#include <mutex>
#include <sys/auxv.h>
#include <unistd.h>

namespace fake {

static std::mutex &guard() {
    static auto *m = new std::mutex;
    return *m;
}

static void say(const char *format, va_list list) {
    char text[1024];
    int n = snprintf(text, sizeof text, "fake: rank %d: ", rank());
    vsnprintf(text + n, sizeof text - (size_t)n - 1, format, list);
    strcat(text, "\n");
    if (write(2, text, strlen(text)) < 0) _exit(EXIT_STOPPED);
}

void note(const char *format, ...) {
    va_list list;
    va_start(list, format);
    say(format, list);
    va_end(list);
}

void stop(const char *format, ...) {
    va_list list;
    va_start(list, format);
    say(format, list);
    va_end(list);
    _exit(EXIT_STOPPED);
}

long setting(const char *name, long otherwise) {
    const char *text = getenv(name);
    return text != nullptr && *text != '\0' ? strtol(text, nullptr, 0) : otherwise;
}

int rank() {
    static int r = (int)setting("OMPI_COMM_WORLD_RANK", setting("PMIX_RANK", 0)); /* mpirun, srun */
    return r;
}

static FILE *log_file() {
    static FILE *file = [] {
        const char *path = getenv("FAKE_LOG");
        if (path == nullptr) return (FILE *)nullptr;
        std::string name = path;
        if (setting("OMPI_COMM_WORLD_SIZE", 1) > 1) name += "." + std::to_string(rank());
        FILE *f = fopen(name.c_str(), "w");
        if (f == nullptr) stop("cannot write FAKE_LOG=%s", name.c_str());
        return f;
    }();
    return file;
}

/* The failure that FAKE_FAIL orders for this call: 0 none. */
static int ordered(const char *function, long k, int natural) {
    static const char *orders = getenv("FAKE_FAIL");
    static const bool mine = setting("FAKE_RANK", rank()) == rank();
    if (orders == nullptr || !mine) return 0;
    size_t length = strlen(function);
    for (const char *at = orders; at != nullptr; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, function, length) != 0 || at[length] != ':') continue;
        char *end = nullptr;
        if (strtol(at + length + 1, &end, 10) != k) continue;
        int code = *end == ':' ? atoi(end + 1) : natural;
        note("%s fails at call %ld, as ordered, with %d", function, k, code);
        return code;
    }
    return 0;
}

/* Where in the program a call comes from, as " at at ...": the addresses in the program of its
 * callers, innermost first. Equal from run to run. */
static std::string place() {
    static const void *const program = [] {
        Dl_info of_main = {};
        return dladdr((void *)getauxval(AT_ENTRY), &of_main) != 0 ? of_main.dli_fbase : nullptr;
    }();
    enum { DEPTH = 64 };
    void *frames[DEPTH];
    std::string text;
    int depth = backtrace(frames, DEPTH);
    for (int i = 0; i < depth; i++) {
        Dl_info at = {};
        char address[32];
        if (dladdr(frames[i], &at) == 0 || at.dli_fbase != program) continue;
        snprintf(address, sizeof address, " %zx", (size_t)((char *)frames[i] - (char *)program));
        text += address;
    }
    return text;
}

int call(const char *function, int natural) {
    static auto *counts = new std::map<std::string, long>;
    std::lock_guard<std::mutex> lock(guard());
    long k = ++(*counts)[function];
    if (FILE *f = log_file()) {
        fprintf(f, "%s %ld;%s\n", function, k, place().c_str());
        fflush(f); /* a failing program may leave by _exit */
    }
    return ordered(function, k, natural);
}

Task plain(std::string what, std::function<void()> run) {
    return {std::move(what), [run]() -> Step {
                return [run] {
                    run();
                    return true;
                };
            }};
}

/* A library function that the fakes do not know (stubs.sh makes a stub for each). */
extern "C" void fake_unknown(const char *function) {
    stop("%s was called: the fakes do not know this function; add it to tests/gpu/fakes", function);
}

__attribute__((destructor)) static void at_exit() {
    report_memory();
    report_streams();
    report_graphs();
}

} // namespace fake
