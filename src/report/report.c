/* Writes a report: the results are gathered and every file's place checked; then come the tables,
 * which need nothing from elsewhere, and at last the page, which needs gnuplot for its figures. */
#include "gyre/report.h"

#include "captions.h"
#include "csv.h"
#include "gyre/file.h"
#include "gyre/overwrite.h"
#include "gyre/results.h"
#include "html.h"
#include "page.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char page_name[] = "index.html";

/* `mark` is how the file begins; NULL: it is signed. */
static gyre_status check_place(const char *folder, const char *name, const char *mark) {
    char *path = gyre_path_join(folder, name);
    if (path == NULL) return gyre_no_memory("a report");
    gyre_status status =
        mark == NULL ? gyre_overwrite_check_signed(path) : gyre_overwrite_check(path, mark);
    free(path);
    return status;
}

static int table_count(const gyre_results *e) {
    return e->single ? REPORT_CSV_RUN_TABLES : REPORT_CSV_TABLES;
}

static bool is_there(const report_csv *table, const gyre_results *e) {
    return table->exists == NULL || table->exists(e);
}

static gyre_status check_places(const char *folder, const gyre_results *e) {
    GYRE_TRY(check_place(folder, page_name, NULL));
    for (int i = 0; i < table_count(e); i++) {
        if (!is_there(&report_csv_tables[i], e)) continue;
        GYRE_TRY(check_place(folder, report_csv_tables[i].name, report_csv_tables[i].mark));
    }
    return GYRE_OK;
}

/* Ends the stream and writes what went into it. */
static gyre_status put(const char *folder, const char *name, FILE *f, char **text, size_t *size) {
    char *path = gyre_path_join(folder, name);
    int failed = ferror(f) | fclose(f);
    gyre_status status = failed || path == NULL ? gyre_no_memory("a report") : GYRE_OK;
    if (status == GYRE_OK && strcmp(name, page_name) == 0) {
        status = gyre_overwrite_sign(text, size, "<!-- ", " -->\n");
    }
    if (status == GYRE_OK) status = gyre_file_write_atomic(path, *text, *size);
    free(*text);
    free(path);
    *text = NULL;
    return status;
}

static gyre_status write_page(const char *folder, const char *figures, const gyre_results *e) {
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    if (f == NULL) return gyre_no_memory("a report");
    gyre_status status = report_page_write(f, e, figures);
    if (status == GYRE_OK) return put(folder, page_name, f, &text, &size);
    fclose(f);
    free(text);
    return status;
}

static gyre_status write_table(const char *folder, const report_csv *table, const gyre_results *e) {
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    if (f == NULL) return gyre_no_memory("a report");
    table->print(f, e);
    return put(folder, table->name, f, &text, &size);
}

/* A run's one arm is described by its schedule. */
static gyre_status describe_run(gyre_results *e) {
    const gyre_results_arm *a = &e->arms[0];
    char text[512];
    if (!e->single) return GYRE_OK;
    report_caption_describe(e->study->name, a->settings, a->schedule, text, sizeof text);
    char *sentence = strdup(text);
    if (sentence == NULL) return gyre_no_memory("a report");
    free(e->study->arms[0].sentence);
    e->study->arms[0].sentence = sentence;
    return GYRE_OK;
}

/* Why there is no page, and that there is something all the same. */
static gyre_status tables_alone(const char *place, gyre_status status) {
    char why[GYRE_ERROR_MAX];
    snprintf(why, sizeof why, "%s", gyre_error_text());
    return gyre_fail(status, "%s (the CSV files are written to '%s', the page is not)", why, place);
}

gyre_status gyre_report_write(const char *folder, const char *out, double target) {
    gyre_status status = GYRE_OK;
    gyre_results e = {0};
    char *own = gyre_path_join(folder, "report"), *figures = NULL;
    const char *place = out == NULL ? own : out;
    if (place != NULL) figures = gyre_path_join(place, "figures");
    if (own == NULL || figures == NULL) {
        status = gyre_no_memory("a report");
        goto out;
    }
    GYRE_GOTO(gyre_results_open(folder, target, &e));
    GYRE_GOTO(describe_run(&e));
    GYRE_GOTO(check_places(place, &e));
    GYRE_GOTO(gyre_dir_make(figures));
    for (int i = 0; i < table_count(&e); i++) {
        if (!is_there(&report_csv_tables[i], &e)) continue;
        GYRE_GOTO(write_table(place, &report_csv_tables[i], &e));
    }
    status = write_page(place, figures, &e);
    if (status != GYRE_OK) status = tables_alone(place, status);
out:
    gyre_results_close(&e);
    free(own);
    free(figures);
    return status;
}
