/* gyre schedule: a config's learning rate before anything is trained. */
#include "cli.h"

#include "epochs.h"
#include "gyre/config.h"
#include "gyre/log.h"
#include "gyre/plot.h"
#include "gyre/schedule.h"
#include "holds.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *config, *plot;
    cli_sets sets;
    bool csv;
} arguments;

/* Steps between two points of the validation curve; 0 when that is in epochs of unknown length. */
static int64_t evaluation_interval(const gyre_settings *s, int64_t per_epoch) {
    gyre_length every = s->evaluate.every;
    if (every.unit == GYRE_UNIT_STEPS) return (int64_t)every.value;
    if (per_epoch == 0) return 0;
    return every.unit == GYRE_UNIT_EPOCHS ? gyre_steps_of_epochs(every.value, per_epoch)
                                          : per_epoch;
}

/* ---- summary */

static int digits(int64_t number) {
    return snprintf(NULL, 0, "%" PRId64, number);
}

static int wider(int a, int b) {
    return a > b ? a : b;
}

/* One line a cycle, columns as narrow as the numbers allow. Counted from 1, as in figures. */
static void print_cycles(const gyre_schedule *s) {
    size_t count = gyre_schedule_cycle_count(s);
    int number = wider(5, digits((int64_t)count)), step = wider(6, digits(gyre_schedule_steps(s)));
    if (count == 0) return;
    printf("\n%*s  %*s  %*s  %*s  %10s  %10s\n", number, "cycle", step, "first", step, "peak", step,
           "last", "lowest lr", "highest lr");
    for (size_t i = 0; i < count; i++) {
        gyre_cycle c = gyre_schedule_cycle(s, i);
        printf("%*zu  %*" PRId64, number, i + 1, step, c.first);
        if (c.peak < 0)
            printf("  %*s", step, "-");
        else
            printf("  %*" PRId64, step, c.peak);
        printf("  %*" PRId64 "  %10.5g  %10.5g%s\n", step, c.last, c.low, c.high,
               c.complete ? "" : "  unfinished");
    }
}

static void print_summary(const gyre_schedule *s, int64_t per_epoch) {
    int64_t steps = gyre_schedule_steps(s);
    gyre_rate first = gyre_schedule_at(s, 0), last = gyre_schedule_at(s, steps - 1);
    size_t cycles = gyre_schedule_cycle_count(s);
    printf("%" PRId64 " step%s", steps, steps == 1 ? "" : "s");
    if (per_epoch > 0) {
        printf(" (%.4g epochs of %" PRId64 ")", (double)steps / (double)per_epoch, per_epoch);
    }
    if (cycles > 0) {
        printf(", %zu cycle%s%s", cycles, cycles == 1 ? "" : "s",
               gyre_schedule_cycle(s, cycles - 1).complete ? "" : ", the last unfinished");
    }
    printf("\nstep 0: lr %.6g, momentum %.6g\nstep %" PRId64 ": lr %.6g, momentum %.6g\n", first.lr,
           first.momentum, steps - 1, last.lr, last.momentum);
    print_cycles(s);
}

/* ---- for programs: 17 digits bring the same double back */

static void print_csv(const gyre_schedule *s) {
    puts("step,lr,momentum,cycle");
    for (int64_t t = 0; t < gyre_schedule_steps(s) && !ferror(stdout); t++) {
        gyre_rate rate = gyre_schedule_at(s, t);
        printf("%" PRId64 ",%.17g,%.17g,%" PRId64 "\n", t, rate.lr, rate.momentum, rate.cycle);
    }
}

static void warn(void *context, const char *text) {
    (void)context;
    gyre_warn("%s", text);
}

static gyre_status draw(const gyre_schedule *s, const arguments *o) {
    const char *slash = strrchr(o->config, '/');
    char *title = strdup(slash == NULL ? o->config : slash + 1);
    if (title == NULL) return gyre_no_memory("a figure");
    char *dot = strrchr(title, '.');
    if (dot != NULL && dot != title) *dot = '\0';
    gyre_status status = gyre_plot_schedule(s, title, o->plot);
    free(title);
    return status;
}

static gyre_status show(const arguments *o, const gyre_settings *set) {
    gyre_status status = GYRE_OK;
    gyre_schedule *s = NULL;
    int64_t per_epoch = 0;
    if (gyre_schedule_needs_epochs(&set->schedule, &set->length)) {
        GYRE_TRY(cli_steps_per_epoch(set, &per_epoch));
    }
    GYRE_TRY(gyre_schedule_open(&set->schedule, &set->length, gyre_config_momentum(&set->optimizer),
                                per_epoch, &s));
    if (o->plot != NULL) GYRE_GOTO(draw(s, o)); /* first: a failure leaves stdout empty */
    if (o->csv) {
        print_csv(s);
    } else {
        print_summary(s, per_epoch);
        if (o->plot != NULL) printf("\n");
        if (o->plot != NULL) cli_print_path(o->plot);
    }
    GYRE_GOTO(cli_flush());
    /* Last, so that a long list does not carry them out of sight. */
    gyre_schedule_warnings(s, evaluation_interval(set, per_epoch), warn, NULL);
out:
    gyre_schedule_close(s);
    return status;
}

static gyre_status read_options(int argc, char **argv, arguments *o) {
    GYRE_TRY(cli_options_read(argc, argv, &cli_command_schedule, o, NULL));
    return cli_one_operand(argc, argv, &cli_command_schedule, "config", &o->config);
}

static int run(int argc, char **argv) {
    gyre_status status = GYRE_OK;
    gyre_settings *settings = NULL;
    arguments o = {0};
    GYRE_GOTO(read_options(argc, argv, &o));
    status = gyre_config_open(o.config, o.sets.items, o.sets.count, &settings);
    GYRE_GOTO(cli_other_kind(status, o.config, CLI_HOLDS_CONFIG));
    status = show(&o, settings);
    if (status == GYRE_EUSAGE) status = gyre_fail_in(o.config, status);
out:
    if (settings != NULL) gyre_config_close(settings);
    free(o.sets.items);
    return cli_fail(status);
}

static const cli_form forms[] = {{"CONFIG", NULL}, {0}};

static const cli_option options[] = {
    {.name = "CONFIG", .help = "a config; its dataset is read only where lengths are in epochs"},
    {.id = 's',
     .name = "set",
     .kind = CLI_SETS,
     .at = offsetof(arguments, sets),
     .value = "KEY=VALUE",
     .repeats = true,
     .help = "overrides a key of the config"},
    {.id = 'c',
     .name = "csv",
     .at = offsetof(arguments, csv),
     .help = "prints step, lr, momentum and cycle of every step as CSV"},
    {.id = 'p',
     .name = "plot",
     .kind = CLI_TEXT,
     .at = offsetof(arguments, plot),
     .value = "FILE",
     .help = "draws it into FILE.svg or FILE.png (needs gnuplot)"},
    {0}};

const cli_command cli_command_schedule = {
    .name = "schedule",
    .summary = "the learning rate of every step, before it is run",
    .forms = forms,
    .options = options,
    .exits = cli_exits_reading,
    .run = run,
};
