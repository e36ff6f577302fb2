/* Linked into programs built with `make check SAN=1`: the sanitizers' options, and what is not
 * gyre's fault. A suppressed name matches any module or function of the stack that asked for the
 * memory; gyre calls these libraries, and no gyre code is called by them. */

const char *__asan_default_options(void);
const char *__lsan_default_options(void);
const char *__lsan_default_suppressions(void);
const char *__tsan_default_options(void);
const char *__ubsan_default_options(void);
int dlclose(void *library);

const char *__asan_default_options(void) {
    return "detect_stack_use_after_return=1:check_initialization_order=1";
}

/* scripts count the lines that a program says */
const char *__lsan_default_options(void) {
    return "print_suppressions=0";
}

const char *__lsan_default_suppressions(void) {
    return
        /* Open MPI keeps what it read at start: parameters, topology, its launcher's data */
        "leak:libmpi.so\nleak:libopen-rte.so\nleak:libopen-pal.so\nleak:/openmpi/lib/\n"
        "leak:libpmix.so\nleak:/pmix\nleak:libhwloc.so\nleak:libevent\n"
        /* and prints with asprintf, whose frame has no caller; gyre's own are test_memory's */
        "leak:__vasprintf_internal\n";
}

/* libgomp and oneDNN are not compiled for it: their locks are unknown, and what they do with memory
 * that is handed over correctly looks like a race. gyre's own locks are seen. */
const char *__tsan_default_options(void) {
    return "ignore_noninstrumented_modules=1:halt_on_error=1";
}

const char *__ubsan_default_options(void) {
    return "print_stacktrace=1";
}

/* Open MPI unloads its components before leaks are looked for, so their names would be unknown. */
int dlclose(void *library) {
    (void)library;
    return 0;
}
