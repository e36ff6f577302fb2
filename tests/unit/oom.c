/* The requests for memory of a program, counted and failed; see oom.h. */
#include "oom.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* The linker's names: __real_f is what f was, __wrap_f what it becomes. */
#define WRAPPED(type, name, parameters)                                                            \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters

enum { FRAMES = 14, ROOM = 1 << 15 };

typedef struct {
    void *block; /* NULL: the place is free */
    long request;
} entry;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards all that follows */
static entry live[ROOM];                                 /* by address, with linear probing */
static void *(*frames_of)[FRAMES];                       /* of each; NULL: OOM_FRAMES is not set */
static size_t live_count;
static long requests, begun, fail_at; /* 0: none fails */
static bool fail_on;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void __real_free(void *block);
FILE *__real_fopen(const char *path, const char *mode);

/* ---- the log */

static void put_log(const char *word, void *const *frames);

static void put_line(FILE *f, const char *word, void *const *frames) {
    Dl_info program, at;
    fprintf(f, "%s", word);
    for (int i = 0; i < FRAMES && dladdr(&requests, &program) != 0; i++) {
        if (frames[i] == NULL || dladdr(frames[i], &at) == 0) continue;
        if (at.dli_fbase != program.dli_fbase) continue;
        fprintf(f, " 0x%zx", (size_t)((char *)frames[i] - (char *)at.dli_fbase) - 1);
    }
    fprintf(f, "\n");
}

static void find_frames(void **frames) {
    memset(frames, 0, FRAMES * sizeof *frames);
    backtrace(frames, FRAMES);
}

/* ---- blocks */

static size_t place_of(const void *block) {
    size_t at = (size_t)(((uintptr_t)block >> 4) * 0x9e3779b97f4a7c15u >> 48) % ROOM;
    while (live[at].block != NULL && live[at].block != block) at = (at + 1) % ROOM;
    return at;
}

static void *born(void *block) {
    if (block == NULL) return NULL;
    pthread_mutex_lock(&lock);
    if (++live_count > ROOM / 2) abort();
    entry *e = &live[place_of(block)];
    e->block = block;
    e->request = requests;
    if (frames_of != NULL) find_frames(frames_of[e - live]);
    pthread_mutex_unlock(&lock);
    return block;
}

/* Blocks that a library made and gyre frees are not known, and pass. */
static void dead(const void *block) {
    if (block == NULL) return;
    pthread_mutex_lock(&lock);
    size_t at = place_of(block);
    if (live[at].block != NULL) live_count--;
    live[at].block = NULL;
    for (size_t i = (at + 1) % ROOM; live[i].block != NULL; i = (i + 1) % ROOM) { /* no gaps */
        entry moved = live[i];
        live[i].block = NULL;
        size_t to = place_of(moved.block);
        live[to] = moved;
        if (frames_of != NULL && to != i) memcpy(frames_of[to], frames_of[i], sizeof *frames_of);
    }
    pthread_mutex_unlock(&lock);
}

/* ---- requests */

/* Counts a request; true when it is to fail. */
static bool fails(void) {
    void *frames[FRAMES];
    pthread_mutex_lock(&lock);
    requests++;
    bool yes = fail_at > 0 && (requests == fail_at || (fail_on && requests > fail_at));
    bool first = requests == fail_at;
    pthread_mutex_unlock(&lock);
    if (first) {
        find_frames(frames);
        put_log("failed", frames);
    }
    if (yes) errno = ENOMEM;
    return yes;
}

WRAPPED(void *, malloc, (size_t size)) {
    return fails() ? NULL : born(__real_malloc(size));
}

WRAPPED(void *, calloc, (size_t count, size_t size)) {
    return fails() ? NULL : born(__real_calloc(count, size));
}

WRAPPED(void *, aligned_alloc, (size_t alignment, size_t size)) {
    return fails() ? NULL : born(__real_aligned_alloc(alignment, size));
}

WRAPPED(void *, realloc, (void *block, size_t size)) {
    if (fails()) return NULL;
    dead(block);
    return born(__real_realloc(block, size));
}

WRAPPED(char *, strdup, (const char *text)) {
    return fails() ? NULL : born(__real_strdup(text));
}

WRAPPED(char *, strndup, (const char *text, size_t size)) {
    return fails() ? NULL : born(__real_strndup(text, size));
}

WRAPPED(char *, realpath, (const char *path, char *out)) {
    return fails() ? NULL : born(__real_realpath(path, out));
}

WRAPPED(int, asprintf, (char **out, const char *format, ...)) {
    va_list args;
    if (fails()) return -1;
    va_start(args, format);
    int n = vasprintf(out, format, args);
    va_end(args);
    if (n >= 0) born(*out);
    return n;
}

WRAPPED(void, free, (void *block)) {
    dead(block);
    __real_free(block);
}

WRAPPED(FILE *, fopen, (const char *path, const char *mode)) {
    return fails() ? NULL : __real_fopen(path, mode);
}

WRAPPED(FILE *, open_memstream, (char **text, size_t *size)) {
    return fails() ? NULL : __real_open_memstream(text, size);
}

WRAPPED(DIR *, opendir, (const char *path)) {
    return fails() ? NULL : __real_opendir(path);
}

WRAPPED(XXH3_state_t *, XXH3_createState, (void)) {
    return fails() ? NULL : __real_XXH3_createState();
}

WRAPPED(int, pthread_create,
        (pthread_t * thread, const pthread_attr_t *attributes, void *(*start)(void *), void *arg)) {
    return fails() ? EAGAIN : __real_pthread_create(thread, attributes, start, arg);
}

/* ---- what tests say and ask */

void oom_begin(long at, bool on) {
    pthread_mutex_lock(&lock);
    begun = requests;
    fail_at = at > 0 ? requests + at : 0;
    fail_on = on;
    pthread_mutex_unlock(&lock);
}

oom_result oom_end(void) {
    pthread_mutex_lock(&lock);
    oom_result r = {.requests = requests - begun, .failed = fail_at > 0 && requests >= fail_at};
    fail_at = 0;
    for (size_t i = 0; i < ROOM; i++) {
        if (live[i].block == NULL || live[i].request <= begun) continue;
        r.leaks++;
        if (frames_of != NULL) put_line(stderr, "leak", frames_of[i]);
    }
    pthread_mutex_unlock(&lock);
    return r;
}

/* ---- a program that is told by its environment */

static void put_log(const char *word, void *const *frames) {
    const char *path = getenv("OOM_LOG");
    FILE *f = path == NULL ? NULL : __real_fopen(path, "a");
    if (f == NULL) return;
    put_line(f, word, frames);
    fclose(f);
}

__attribute__((constructor)) static void start(void) {
    const char *at = getenv("OOM_AT"), *only = getenv("OOM_RANK");
    const char *rank = getenv("OMPI_COMM_WORLD_RANK");
    void *frames[FRAMES];
    cJSON_Hooks hooks = {.malloc_fn = __wrap_malloc, .free_fn = __wrap_free};
    cJSON_InitHooks(&hooks);
    find_frames(frames); /* the first call loads a library */
    if (getenv("OOM_FRAMES") != NULL) frames_of = __real_calloc(ROOM, sizeof *frames_of);
    if (at == NULL || (only != NULL && strcmp(only, rank == NULL ? "0" : rank) != 0)) return;
    oom_begin(atol(at), getenv("OOM_ON") != NULL);
}

__attribute__((destructor)) static void finish(void) {
    static void *const none[FRAMES];
    char text[40];
    snprintf(text, sizeof text, "count %ld", requests);
    put_log(text, none);
    for (int i = 0; i < ROOM; i++) {
        if (live[i].block != NULL) put_log("leak", frames_of == NULL ? none : frames_of[i]);
    }
}
