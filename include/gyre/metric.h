/* Metrics: what a network is judged by besides its loss, as data. A loss names its metrics; the
 * code that writes, compares, plots or prints one knows only what stands here. */
#ifndef GYRE_METRIC_H
#define GYRE_METRIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a loss adds up over samples: the losses, and one sum of its own. */
enum { GYRE_LOSS_SUMS = 2, GYRE_LOSS_BANDS_MAX = 10 /* in which evaluation may add up losses */ };

typedef enum {
    GYRE_METRIC_MEAN,     /* sum / samples */
    GYRE_METRIC_EXP_MEAN, /* e^(sum / samples): perplexity */
    GYRE_METRIC_ROOT_MEAN /* its square root: of squares */
} gyre_metric_form;

/* Files hold a metric's value; people read `factor` times it, in `unit`. No text is NULL: "" is
 * none. */
typedef struct {
    /* "mean_absolute_error": its column and its key in JSON; sentences have gyre_metric_prose().
     * Of lower-case letters, digits and underscores, no name of another column (loss, error,
     * seconds, step, lr), and for ever: files of old runs are known by it. */
    const char *name;
    const char *plural;          /* in sentences: "accuracies", "mean absolute errors" */
    const char *unit;            /* "%"; "": none */
    const char *column_unit;     /* the unit in the name of a column, "percent"; "": none */
    const char *difference_unit; /* of a difference of two: "points" */
    double factor;
    int decimals; /* for people */
    bool greater_is_better;
    bool is_share; /* a mean over samples of what lies between 0 and 1: right or wrong, or where
                      targets are a class for each pixel the share of the right ones */
    gyre_metric_form form;
    int sum; /* which of the loss's sums it follows from; 0: the loss itself */
    /* All evaluations of a sample draw the same, and what a training batch draws decides most of
     * its loss, so that evaluations alone tell how a network learns. */
    bool is_paired;
} gyre_metric;

/* Each metric of a loss once; NULL past the end. */
const gyre_metric *gyre_metric_at(int index);
/* The metric of a loss, by the loss's name; NULL: of the default loss. A name that no loss
 * has gives NULL. */
const gyre_metric *gyre_metric_of_loss(const char *loss);
/* The unit of a loss itself, likewise: "nats"; "": none. */
const char *gyre_loss_unit(const char *loss);

/* Does the loss take targets of 0 (no) to 1 (yes) alone? */
bool gyre_loss_yes_or_no(const char *loss);

/* Can values of the two be compared? */
bool gyre_metric_same(const gyre_metric *a, const gyre_metric *b);

double gyre_metric_value(const gyre_metric *m, double sum, int64_t samples);
/* Is `value` better than `other`? A value that is no number is better than none. */
bool gyre_metric_better(const gyre_metric *m, double value, double other);
/* The better of two values: a number where one of them is none. */
double gyre_metric_best(const gyre_metric *m, double a, double b);
/* Worse than every value. */
double gyre_metric_worst(const gyre_metric *m);
/* The name in sentences and titles: "mean absolute error". */
typedef struct {
    char text[64];
} gyre_metric_prose_name;
gyre_metric_prose_name gyre_metric_prose(const gyre_metric *m);
/* In the unit of people. */
double gyre_metric_shown(const gyre_metric *m, double value);
/* "81.25 %", or "0.0312" where there is no unit. Returns `out`. */
const char *gyre_metric_text(const gyre_metric *m, double value, char *out, size_t size);

#endif
