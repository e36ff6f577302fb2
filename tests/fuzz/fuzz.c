/* Damaged files of every kind that gyre reads: fuzz KIND|all SEEDS COUNT [FIRST]
 *
 * SEEDS is a folder of whole files (seeds.sh). Case k of a kind damages one of them, by a key that
 * is k alone, and hands it to what reads it, many cases in one process. A process that is killed,
 * or that a sanitizer ends, and a case of more than a minute are findings: the damaged file and
 * what was said stay in SEEDS/findings. What is refused with a code and a message is right, and so
 * is what is taken: other bytes are other data. Build with `make fuzz`, which has the sanitizers.
 */
#include "damage.h"
#include "kinds.h"

#include "gyre/seal.h"
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIMIT = 60 /* seconds a case */ };

/* The seeds of a kind. */
typedef struct {
    char *bytes[FILES_MAX];
    size_t sizes[FILES_MAX];
    int count;
} wholes;

/* Shared with the process that works. */
typedef struct {
    uint64_t at; /* the case under way */
    uint64_t taken, refused, in_child;
} progress;

static void put_file(const char *path, const void *bytes, size_t size) {
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(bytes, 1, size, f) != size || fclose(f) != 0) abort();
}

static void restore(const kind *k, const wholes *w) {
    for (int i = 0; i < w->count; i++) put_file(k->files[i], w->bytes[i], w->sizes[i]);
}

/* Writes the file of a case; its path. */
static const char *make_case(const kind *k, const wholes *w, uint64_t number, bool damaged) {
    static char path[256];
    if (w->count == 0) abort();
    gyre_random r = gyre_random_open(number, GYRE_RANDOM_TEST, (uint64_t)(k - kinds), 0);
    int file = (int)(number % (uint64_t)w->count), rounds = 1 + (int)below(&r, 3);
    size_t size = w->sizes[file];
    uint8_t *bytes = malloc(size + GROWTH);
    if (bytes == NULL) abort();
    memcpy(bytes, w->bytes[file], size);
    bool sealed = k->seal != NULL && memcmp(bytes, "gyre seal", 9) == 0;
    for (int i = 0; i < rounds && size > 0 && damaged; i++) {
        size = k->form == TEXT ? damage_text(&r, bytes, size)
                               : damage_bytes(&r, bytes, size, sealed ? GYRE_SEAL_SIZE : 0);
    }
    if (sealed && size > GYRE_SEAL_SIZE) gyre_seal_stamp(bytes, size, k->seal);
    const char *end = strrchr(k->files[file], '.');
    snprintf(path, sizeof path, "%s", k->files[file]);
    if (k->in_place) restore(k, w);
    if (!k->in_place) snprintf(path, sizeof path, "case-%s%s", k->name, end == NULL ? "" : end);
    put_file(path, bytes, size);
    free(bytes);
    return path;
}

/* The process that runs HDF5 ended on this file, but no other. */
static bool ended_child(void) {
    const char *said = gyre_error_text();
    return strstr(said, "HDF5 crashed") != NULL || strstr(said, "HDF5 computed") != NULL ||
           strstr(said, "HDF5 did not") != NULL;
}

static void check_wholes(const kind *k, const wholes *w) {
    for (int i = 0; i < w->count; i++) {
        if (k->read(make_case(k, w, (uint64_t)i, false)) == GYRE_OK) continue;
        printf("%s: %s, which is whole, is refused: %s\n", k->name, k->files[i], gyre_error_text());
        fflush(stdout);
        _exit(1);
    }
}

static void work(const kind *k, const wholes *w, uint64_t end, progress *p) {
    int one = 1;
    char name[] = "fuzz", *list[] = {name, NULL}, **arguments = list;
    if (k->ranks && gyre_comm_open(&one, &arguments, &comm) != GYRE_OK) _exit(1);
    gyre_log_mute(true);
    if (p->taken + p->refused == 0) check_wholes(k, w);
    for (; p->at < end; p->at++) {
        const char *path = make_case(k, w, p->at, true);
        alarm(LIMIT);
        bool taken = k->read(path) == GYRE_OK;
        alarm(0);
        p->taken += taken;
        p->refused += !taken;
        p->in_child += !taken && ended_child();
    }
    _exit(0);
}

static void keep(const kind *k, const wholes *w, uint64_t at, int how) {
    char command[800], *path = strdup(make_case(k, w, at, true));
    printf("%s case %" PRIu64 ": %s %d\n", k->name, at, WIFSIGNALED(how) ? "signal" : "exit",
           WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how));
    snprintf(command, sizeof command,
             "mkdir -p findings; cp '%s' findings/%s-%" PRIu64 "; cp said findings/%s-%" PRIu64
             ".txt; tail -n 1 said",
             path, k->name, at, k->name, at);
    fflush(stdout);
    if (system(command) != 0) perror("findings");
    free(path);
}

/* Processes that may die, one after the other, go through the cases; how many of these did. */
static int run_cases(const kind *k, const wholes *w, uint64_t end, progress *p, int *hangs) {
    int crashes = 0;
    while (p->at < end) {
        int how = 0;
        fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            int said = open("said", O_WRONLY | O_CREAT | O_TRUNC, 0666);
            dup2(said, 1);
            dup2(said, 2);
            work(k, w, end, p);
        }
        waitpid(child, &how, 0);
        if (WIFEXITED(how) && WEXITSTATUS(how) == 0) break;
        bool hang = WIFSIGNALED(how) && WTERMSIG(how) == SIGALRM;
        *hangs += hang;
        crashes += !hang;
        keep(k, w, p->at++, how);
    }
    return crashes;
}

static int run_kind(const kind *k, uint64_t count, uint64_t first) {
    wholes w = {0};
    int hangs = 0;
    for (int i = 0; i < FILES_MAX && k->files[i] != NULL; i++, w.count++) {
        if (gyre_file_read(k->files[i], 1 << 28, &w.bytes[i], &w.sizes[i]) != GYRE_OK) {
            fprintf(stderr, "%s\n", gyre_error_text());
            return 1;
        }
    }
    progress *p = mmap(NULL, sizeof *p, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) abort();
    p->at = first;
    int crashes = run_cases(k, &w, first + count, p, &hangs);
    restore(k, &w);
    for (int i = 0; i < w.count; i++) free(w.bytes[i]);
    printf("%-18s %6" PRIu64 " cases: %" PRIu64 " taken, %" PRIu64 " refused, of them %" PRIu64
           " where HDF5 crashed or hung in its child; %d crashes, %d hangs\n",
           k->name, count, p->taken, p->refused, p->in_child, crashes, hangs);
    munmap(p, sizeof *p);
    return crashes + hangs;
}

int main(int argc, char **argv) {
    int findings = 0, ran = 0;
    if (argc < 4 || chdir(argv[2]) != 0) {
        fprintf(stderr, "usage: fuzz KIND|all SEEDS COUNT [FIRST]\n");
        return 2;
    }
    uint64_t count = strtoull(argv[3], NULL, 10),
             first = argc > 4 ? strtoull(argv[4], NULL, 10) : 0;
    for (int i = 0; i < KINDS; i++) {
        if (strcmp(argv[1], "all") != 0 && strcmp(argv[1], kinds[i].name) != 0) continue;
        findings += run_kind(&kinds[i], count, first);
        ran++;
    }
    return ran == 0 ? 2 : findings > 0;
}
