/* Numbers have 17 digits, so that they come back as the same doubles; NaN and Inf are written as R
 * and pandas read them. Seconds stand last in cells.csv and nowhere else: nothing else in a report
 * depends on the machine. */
#include "csv.h"

#include "averages.h"
#include "differing.h"
#include "labels.h"
#include "samples.h"
#include "sentences.h"
#include "times.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

static void number(FILE *f, double value) {
    if (isnan(value)) {
        fputs(",NaN", f);
    } else if (isinf(value)) {
        fprintf(f, ",%sInf", value < 0 ? "-" : "");
    } else {
        fprintf(f, ",%.17g", value);
    }
}

static void numbers(FILE *f, const double *values, size_t count) {
    for (size_t i = 0; i < count; i++) number(f, values[i]);
}

/* In quotes (RFC 4180), on one line. What a spreadsheet would take for a formula, quotes or not,
 * gets an apostrophe. */
static void text(FILE *f, const char *value) {
    fputc('"', f);
    if (*value != '\0' && strchr("=+-@\t\r", *value) != NULL) fputc('\'', f);
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '"') fputc('"', f);
        fputc((unsigned char)*c < ' ' ? ' ' : *c, f);
    }
    fputc('"', f);
}

static void arm_of(FILE *f, const gyre_results *e, int arm) {
    const char *group = e->study->groups[e->study->arms[arm].group];
    text(f, *group == '\0' ? "all" : group);
    fputc(',', f);
    text(f, e->study->arms[arm].name);
}

#define CELLS "group,arm,seed,"
static void print_cells(FILE *f, const gyre_results *e) {
    const gyre_metric *m = e->metric;
    const bool people = *m->column_unit != '\0'; /* who read it in another unit */
    fprintf(f, CELLS "state,steps,loss,%s,best_%s,test_loss,test_%s,steps_to_target,hash,message",
            m->name, m->name, m->name);
    if (people) {
        fprintf(f, ",%s_%s,best_%s_%s,test_%s_%s", m->name, m->column_unit, m->name, m->column_unit,
                m->name, m->column_unit);
    }
    fputs(",seconds\n", f);
    for (int arm = 0; arm < e->study->arm_count; arm++) {
        for (int seed = 0; seed < e->study->seed_count; seed++) {
            const gyre_results_cell *c = gyre_results_at(e, arm, seed);
            const gyre_cell_result *r = &c->result;
            arm_of(f, e, arm);
            fprintf(f, ",%" PRIu64 ",%s,%" PRId64, e->study->seeds[seed],
                    report_state_key(r->state), r->steps);
            numbers(f,
                    (double[]){r->loss, r->metric, r->best_metric, r->test_loss, r->test_metric,
                               c->to_target},
                    6);
            fprintf(f, ",%016" PRIx64 ",", r->hash);
            text(f, r->message);
            if (people) {
                numbers(f,
                        (double[]){gyre_metric_shown(m, r->metric),
                                   gyre_metric_shown(m, r->best_metric),
                                   gyre_metric_shown(m, r->test_metric)},
                        3);
            }
            number(f, r->state == GYRE_CELL_MISSING ? (double)NAN : r->seconds);
            fputc('\n', f);
        }
    }
}

static void summary(FILE *f, const gyre_summary *s) {
    fprintf(f, ",%d", s->count);
    numbers(f, (double[]){s->mean, s->sd, s->interval.low, s->interval.high}, 4);
}

#define ARMS "group,arm,control,"
static void print_arms(FILE *f, const gyre_results *e) {
    fputs(ARMS "difference_from_base", f);
    static const char *const metrics[] = {"final", "best", "test"};
    for (int i = 0; i < 3; i++) {
        fprintf(f, ",%s_seeds,%s_mean,%s_sd,%s_low,%s_high", metrics[i], metrics[i], metrics[i],
                metrics[i], metrics[i]);
    }
    fputs(",target,tried,reached,steps_to_target,diverged,without_result,ranked\n", f);
    for (int i = 0; i < e->study->arm_count; i++) {
        const gyre_results_arm *a = &e->arms[i];
        arm_of(f, e, i);
        fprintf(f, ",%d,", e->study->arms[i].control);
        text(f, e->study->arms[i].sentence);
        summary(f, &a->final);
        summary(f, &a->best);
        summary(f, &a->test);
        number(f, e->target[e->study->arms[i].group]);
        fprintf(f, ",%d,%d", a->tried, a->reached);
        number(f, a->to_target);
        fprintf(f, ",%d,%d,%d\n", a->diverged, a->open, a->ranked);
    }
}

#define COMPARISONS "group,arm,against,"
static void print_comparisons(FILE *f, const gyre_results *e) {
    fputs(COMPARISONS "planned,seeds,difference,sd,low,high,bootstrap_low,bootstrap_high,p,"
                      "corrected_p,least_p,least_corrected_p,best_seeds,best_difference,best_sd,"
                      "best_low,best_high,finding,sentence,differs_in\n",
          f);
    for (int i = 0; i < e->comparison_count; i++) {
        const gyre_comparison *c = &e->comparisons[i];
        char sentence[REPORT_SENTENCE_MAX];
        arm_of(f, e, c->arm);
        fputc(',', f);
        text(f, e->study->arms[c->control].name);
        fprintf(f, ",%d", c->planned);
        summary(f, &c->final);
        numbers(f,
                (double[]){c->bootstrap.low, c->bootstrap.high, c->p, c->corrected, c->least,
                           c->corrected_least},
                6);
        summary(f, &c->best);
        fprintf(f, ",%s,", report_finding(c->finding));
        report_comparison(e, c, sentence);
        text(f, sentence);
        fputc(',', f);
        if (report_differing(e, c->arm, c->control, sentence) != GYRE_OK) *sentence = '\0';
        text(f, *sentence == '\0' ? "the schedule" : sentence);
        fputc('\n', f);
    }
}

#define CURVES "group,arm,curve,"
static void print_band(FILE *f, const gyre_results *e, int arm, const char *name, const char *where,
                       const char *unit, const gyre_band *band) {
    for (size_t i = 0; i < band->count; i++) {
        const gyre_band_point *p = &band->points[i];
        arm_of(f, e, arm);
        fprintf(f, ",%s%s,%.0f,%d", name, where, p->step, p->seeds);
        numbers(f, (double[]){p->mean, p->least, p->greatest}, 3);
        fprintf(f, ",%s\n", unit);
    }
}

static void print_curves(FILE *f, const gyre_results *e) {
    const gyre_metric *m = e->metric;
    fputs(CURVES "step,seeds,mean,least,greatest,unit\n", f);
    for (int i = 0; i < e->study->arm_count; i++) {
        const gyre_results_arm *a = &e->arms[i];
        const char *loss_unit = a->settings == NULL ? "" : gyre_loss_unit(a->settings->model.loss);
        print_band(f, e, i, m->name, "", m->column_unit, &a->metric);
        print_band(f, e, i, "loss", "", loss_unit, &a->loss);
        print_band(f, e, i, "training_loss", "", loss_unit, &a->train);
        print_band(f, e, i, m->name, "_at_minima", m->column_unit, &a->minima_metric);
        print_band(f, e, i, "loss", "_at_minima", loss_unit, &a->minima_loss);
    }
}

/* ---- the metric in the bands of a loss that has them */

static bool has_bands(const gyre_results *e) {
    for (int g = 0; g < e->study->group_count; g++) {
        if (report_times_exist(e, g)) return true;
    }
    return false;
}

#define BANDS "group,arm,seed,step,band_0,"
static void print_bands(FILE *f, const gyre_results *e) {
    fputs(BANDS "band_1,band_2,band_3,band_4,band_5,band_6,band_7,band_8,band_9\n", f);
    for (int arm = 0; arm < e->study->arm_count; arm++) {
        for (int seed = 0; seed < e->study->seed_count; seed++) {
            const gyre_tables *t = &gyre_results_at(e, arm, seed)->tables;
            for (size_t i = 0; i < t->bands_count; i++) {
                arm_of(f, e, arm);
                fprintf(f, ",%" PRIu64 ",%" PRId64, e->study->seeds[seed], t->bands[i].step);
                numbers(f, t->bands[i].bands, GYRE_LOSS_BANDS_MAX);
                fputc('\n', f);
            }
        }
    }
}

/* ---- averages of the weights */

static bool has_averages(const gyre_results *e) {
    for (int g = 0; g < e->study->group_count; g++) {
        if (report_averages_exist(e, g, GYRE_AVERAGE_NONE)) return true;
    }
    return false;
}

#define AVERAGES "group,arm,seed,step,weights,"
static void print_averages(FILE *f, const gyre_results *e) {
    fprintf(f, AVERAGES "loss,%s\n", e->metric->name);
    for (int arm = 0; arm < e->study->arm_count; arm++) {
        for (int seed = 0; seed < e->study->seed_count; seed++) {
            const gyre_tables *t = &gyre_results_at(e, arm, seed)->tables;
            for (size_t i = 0; i < GYRE_AVERAGE_COUNT * t->averages_count; i++) {
                const gyre_averages_row *row = &t->averages[i / GYRE_AVERAGE_COUNT];
                const size_t kind = i % GYRE_AVERAGE_COUNT;
                if (isnan(row->loss[kind]) && isnan(row->metric[kind])) continue;
                arm_of(f, e, arm);
                fprintf(f, ",%" PRIu64 ",%" PRId64 ",%s", e->study->seeds[seed], row->step,
                        gyre_average_or_last((gyre_average_kind)kind));
                numbers(f, (double[]){row->loss[kind], row->metric[kind]}, 2);
                fputc('\n', f);
            }
        }
    }
}

/* ---- what cells made at their end */

static bool has_samples(const gyre_results *e) {
    for (int g = 0; g < e->study->group_count; g++) {
        if (report_samples_exist(e, g)) return true;
    }
    return false;
}

#define SAMPLES "group,arm,seed,samples,"
static void print_samples(FILE *f, const gyre_results *e) {
    fputs(SAMPLES "copying,copying_p,kernel_distance,kernel_error,features\n", f);
    for (int arm = 0; arm < e->study->arm_count; arm++) {
        for (int seed = 0; seed < e->study->seed_count; seed++) {
            const gyre_cell_result *r = &gyre_results_at(e, arm, seed)->result;
            if (r->samples == 0) continue;
            arm_of(f, e, arm);
            fprintf(f, ",%" PRIu64 ",%d", e->study->seeds[seed], r->samples);
            numbers(f, (double[]){r->copying, r->copying_p, r->kernel_distance, r->kernel_error},
                    4);
            fputc(',', f);
            text(f, r->features);
            fputc('\n', f);
        }
    }
}

const report_csv report_csv_tables[] = {
    {"cells.csv", CELLS, print_cells, NULL},
    {"curves.csv", CURVES, print_curves, NULL},
    {"bands.csv", BANDS, print_bands, has_bands},
    {"averages.csv", AVERAGES, print_averages, has_averages},
    {"arms.csv", ARMS, print_arms, NULL},
    {"comparisons.csv", COMPARISONS, print_comparisons, NULL},
    {"samples.csv", SAMPLES, print_samples, has_samples},
};
_Static_assert(sizeof report_csv_tables / sizeof *report_csv_tables == REPORT_CSV_TABLES, "all");
