/* What the cells of a generative study made at their end: a grid of pictures, and how near it comes
 * to pictures that no network saw. */
#include "gyre/file.h"
#include "gyre/overwrite.h"
#include "html.h"
#include "labels.h"
#include "page_parts.h"
#include "samples.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static gyre_status picture_path(const report_page *p, int group, char **out) {
    char *svg = NULL;
    GYRE_TRY(report_page_path(p, "samples", group, &svg));
    *out = svg;
    memcpy(strrchr(svg, '.'), ".png", sizeof ".png");
    return gyre_overwrite_check_signed(*out);
}

static gyre_status grid(report_page *p, int group) {
    char *png = NULL, *path = NULL, caption[REPORT_SENTENCE_MAX];
    const char *label = report_page_group(p->e, group);
    size_t size = 0;
    uint64_t seed = 0;
    gyre_status status = report_samples_grid(p->e, group, &png, &size, &seed);
    if (status == GYRE_OK && png == NULL) return GYRE_OK;
    GYRE_GOTO(status);
    GYRE_GOTO(picture_path(p, group, &path));
    GYRE_GOTO(gyre_file_write_atomic(path, png, size));
    snprintf(caption, sizeof caption,
             "%.200s%sSamples after the last step, of the cells with seed %" PRIu64
             ". Each column began as the same noise, so what differs in it is the arm",
             label, *label == '\0' ? "" : ": ", seed);
    report_html_picture(p->f, png, size, caption);
out:
    free(png);
    free(path);
    return status;
}

static void measure_cells(report_page *p, int arm, int measure, const char *format,
                          double *values) {
    const gyre_results *e = p->e;
    const bool itself = arm == e->main_control[e->study->arms[arm].group];
    gyre_summary s = gyre_summary_of(values, report_samples_values(e, arm, measure, values));
    report_html_cell_number(p->f, format, s.mean);
    report_html_cell_interval(p->f, format, s.interval);
    s = gyre_summary_of(values, report_samples_differences(e, arm, measure, values));
    report_html_cell_number(p->f, format, itself ? (double)NAN : s.mean);
    report_html_cell_interval(p->f, format, s.interval);
}

static gyre_status table(report_page *p, int group) {
    const gyre_results *e = p->e;
    const bool kernel = report_samples_features(e, group) != NULL;
    double *values = calloc((size_t)e->study->seed_count + 1, sizeof *values);
    if (values == NULL) return gyre_no_memory("a table");
    report_html_table_begin(
        p->f, kernel ? "arm|kernel distance|95 % interval|against control|95 % interval|copying, "
                       "%|95 % interval|against control|95 % interval"
                     : "arm|copying, %|95 % interval|against control|95 % interval");
    for (int i = 0; i < e->study->arm_count; i++) {
        char name[REPORT_NAME_MAX];
        if (e->study->arms[i].group != group) continue;
        report_arm(e, i, name);
        report_html_row_begin(p->f, e->study->arms[i].control ? "control" : "");
        report_html_cell_text(p->f, name);
        if (kernel) measure_cells(p, i, REPORT_KERNEL, "%.4g", values);
        measure_cells(p, i, REPORT_COPYING, "%.1f", values);
        report_html_row_end(p->f);
    }
    report_html_table_end(p->f);
    free(values);
    return GYRE_OK;
}

static void explain(report_page *p, int group) {
    const char *features = report_samples_features(p->e, group);
    char text[REPORT_SENTENCE_MAX] = "";
    if (features != NULL && *features != '\0') {
        report_add(text,
                   "Kernel distance: between a cell's samples and pictures of the part test, by "
                   "the features of the classifier %s (its network, and the hash of its weights); "
                   "0 where both look alike to it. It is no FID, and says nothing beside other "
                   "features. ",
                   features);
    } else {
        report_add(text, "The cells have no features in common, so there is no kernel distance. ");
    }
    report_add(text, "Copying: in so many of all pairs of a sample and a picture of the part test "
                     "the sample is nearer to its nearest training picture; 50 %% where nothing is "
                     "copied, 100 %% where everything is. Differences are paired by seed.");
    report_html_element(p->f, "p class=\"note\"", text);
}

gyre_status report_page_samples(report_page *p) {
    bool begun = false;
    for (int g = 0; g < p->e->study->group_count; g++) {
        if (!report_samples_exist(p->e, g)) continue;
        if (!begun) report_html_element(p->f, "h2", "Samples");
        begun = true;
        GYRE_TRY(grid(p, g));
        GYRE_TRY(table(p, g));
        explain(p, g);
    }
    return GYRE_OK;
}
