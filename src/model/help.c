/* The node types for people, from the tables that read them: `gyre help nodes`, docs/nodes.md. */
#include "node.h"

#include "gyre/text.h"
#include <limits.h>
#include <string.h>

enum { WIDTH = 80 };

static void number_text(const node_option *o, char *out, size_t size) {
    const char *what = o->kind == OPTION_REAL ? "number" : "whole number";
    if (isinf(o->lowest))
        snprintf(out, size, "%s", what);
    else if (isinf(o->highest) || o->highest >= INT_MAX)
        snprintf(out, size, "%s %g or more", what, o->lowest);
    else
        snprintf(out, size, "%s %g..%g", what, o->lowest, o->highest);
}

static void value_text(const node_option *o, char *out, size_t size) {
    out[0] = '\0';
    switch (o->kind) {
    case OPTION_BOOL: snprintf(out, size, "true or false"); return;
    case OPTION_CHOICE:
        for (int i = 0; o->choices[i] != NULL; i++) {
            gyre_text_add(out, size, "%s\"%s\"", i == 0 ? "" : ", ", o->choices[i]);
        }
        return;
    case OPTION_REAL: number_text(o, out, size); return;
    default: break;
    }
    number_text(o, out, size);
    if (o->kind == OPTION_INT) gyre_text_add(out, size, ", or \"classes\"");
    if (o->kind == OPTION_PAIR) gyre_text_add(out, size, ", or [height, width]");
    if (o->kind == OPTION_SIDES) {
        gyre_text_add(out, size, ", or [vertical, horizontal], or [top, left, bottom, right]");
    }
}

static void fallback_text(const node_option *o, char *out, size_t size) {
    if (o->absent != NULL)
        snprintf(out, size, "%s", o->absent);
    else if (isnan(o->fallback))
        snprintf(out, size, "required");
    else if (o->kind == OPTION_BOOL)
        snprintf(out, size, "%s", o->fallback != 0 ? "true" : "false");
    else if (o->kind == OPTION_CHOICE)
        snprintf(out, size, "\"%s\"", o->choices[(int)o->fallback]);
    else if (o->fallback == NODE_CLASSES)
        snprintf(out, size, "\"classes\"");
    else
        snprintf(out, size, "%g", o->fallback);
}

static void inputs_text(const gyre_node_type *t, char *out, size_t size) {
    if (t->inputs_min == t->inputs_max)
        snprintf(out, size, "%d input%s", t->inputs_min, t->inputs_min == 1 ? "" : "s");
    else
        snprintf(out, size, "%d to %d inputs", t->inputs_min, t->inputs_max);
}

/* ---- on a terminal */

static void print_type(FILE *out, const gyre_node_type *t) {
    char text[512], value[300], fallback[64], inputs[48];
    inputs_text(t, inputs, sizeof inputs);
    fprintf(out, "\n%s: %s\n    ", t->name, inputs);
    gyre_text_wrap(out, t->summary, 4, 4, WIDTH);
    for (const node_option *o = t->options; o != NULL && o->name != NULL; o++) {
        value_text(o, value, sizeof value);
        fallback_text(o, fallback, sizeof fallback);
        snprintf(text, sizeof text, "%s; %s%s", value,
                 strncmp(fallback, "required", 8) == 0 ? "" : "default ", fallback);
        int used = fprintf(out, "    \"%s\": ", o->name);
        gyre_text_wrap(out, text, used, 8, WIDTH);
    }
}

void gyre_node_types_help(FILE *out) {
    gyre_text_wrap(
        out,
        "The nodes that a network of your own is made of, with their options. Every node with "
        "parameters may have \"names\" and \"shapes\": what these are in PyTorch's state_dict. "
        "docs/networks.md explains the list; `gyre model NAME --json` prints one to "
        "start from.",
        0, 0, WIDTH);
    for (int i = 0; node_type_at(i) != NULL; i++) {
        if (!node_type_at(i)->is_loss) print_type(out, node_type_at(i));
    }
}

/* ---- as a page */

static void print_section(FILE *out, const gyre_node_type *t) {
    char value[300], fallback[64], inputs[48];
    inputs_text(t, inputs, sizeof inputs);
    fprintf(out, "\n## %s\n\n%s Reads %s.\n", t->name, t->summary, inputs);
    if (t->options == NULL) return;
    fprintf(out, "\n| option | value | default |\n|---|---|---|\n");
    for (const node_option *o = t->options; o->name != NULL; o++) {
        value_text(o, value, sizeof value);
        fallback_text(o, fallback, sizeof fallback);
        fprintf(out, "| `%s` | %s | %s |\n", o->name, value, fallback);
    }
}

void gyre_node_types_help_markdown(FILE *out) {
    fprintf(out, "# Node types\n\n"
                 "Made by `make docs` from the tables of src/model/nodes; do not edit. "
                 "[networks.md](networks.md) says how a\nnetwork is made of them. Every node with "
                 "parameters may have `\"names\"` and `\"shapes\"`: what these are in\nPyTorch's "
                 "state_dict.\n");
    for (int i = 0; node_type_at(i) != NULL; i++) {
        if (!node_type_at(i)->is_loss) print_section(out, node_type_at(i));
    }
}
