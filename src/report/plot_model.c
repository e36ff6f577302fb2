/* A network as a graph: a box for each node, an arrow from what it reads, drawn by graphviz. */
#include "gyre/file.h"
#include "gyre/overwrite.h"
#include "gyre/plot.h"
#include "gyre/text.h"
#include "program.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const report_program dot = {"dot", "drawings of networks need it: apt-get install graphviz"};

/* Inside of double quotes; a backslash would begin one of dot's own escapes. */
static void print_quoted(FILE *f, const char *text) {
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') fputc('\\', f);
        fputc(*text, f);
    }
}

static void print_node(FILE *f, const gyre_model *m, int index) {
    const gyre_node_summary s = gyre_model_node(m, index);
    fprintf(f, "  n%d [label=\"", index);
    print_quoted(f, s.name);
    fprintf(f, "\\n%s", s.type);
    if (s.h > 0) fprintf(f, "\\n%d x %d x %d", s.h, s.w, s.c);
    fprintf(f, "\"%s];\n", s.parameters > 0 ? ", style=filled, fillcolor=\"#dce9f5\"" : "");
    for (int i = 0; i < m->nodes[index].input_count; i++) {
        int from = m->nodes[index].inputs[i];
        if (from < 0)
            fprintf(f, "  images -> n%d;\n", index);
        else
            fprintf(f, "  n%d -> n%d;\n", from, index);
    }
}

static gyre_status write_graph(const gyre_model *m, const char *path) {
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    if (f == NULL) return gyre_no_memory("drawing a network");
    fprintf(f,
            "digraph network {\n  node [shape=box, fontname=\"sans-serif\", fontsize=10];\n"
            "  images [label=\"images\\n%d x %d x %d\", shape=ellipse];\n",
            m->h, m->w, m->c);
    for (int i = 0; i < m->node_count; i++) print_node(f, m, i);
    fprintf(f, "}\n");
    gyre_status status = fclose(f) == 0 ? gyre_file_write_atomic(path, text, size)
                                        : gyre_no_memory("drawing a network");
    free(text);
    return status;
}

static gyre_status sign(const char *drawn, const char *output) {
    enum { LARGEST = 1 << 28 };
    char *image = NULL;
    size_t size = 0;
    GYRE_TRY(gyre_file_read(drawn, LARGEST, &image, &size));
    gyre_status status = gyre_overwrite_sign(&image, &size, "<!-- ", " -->\n");
    if (status == GYRE_OK) status = gyre_file_write_atomic(output, image, size);
    free(image);
    return status;
}

gyre_status gyre_plot_model(const gyre_model *m, const char *output) {
    gyre_status status = GYRE_OK;
    size_t length = strlen(output);
    char *graph = NULL, *drawn = NULL, *dir = gyre_path_dir(output);
    if (length < 5 || strcmp(output + length - 4, ".svg") != 0) {
        status = gyre_fail(GYRE_EUSAGE, "'%s': a name that ends in .svg was expected", output);
        goto out;
    }
    GYRE_GOTO(gyre_overwrite_check_signed(output));
    if (dir == NULL || asprintf(&graph, "%s/.network.%ld.dot", dir, (long)getpid()) < 0 ||
        asprintf(&drawn, "%s/.network.%ld.svg", dir, (long)getpid()) < 0) {
        status = gyre_no_memory("drawing a network");
        goto out;
    }
    GYRE_GOTO(write_graph(m, graph));
    char name[] = "dot", form[] = "-Tsvg", to[] = "-o";
    char *const arguments[] = {name, form, to, drawn + strlen(dir) + 1, graph + strlen(dir) + 1,
                               NULL};
    status = report_program_run(&dot, dir, arguments, graph + strlen(dir) + 1);
    if (status == GYRE_OK) status = sign(drawn, output);
    unlink(graph);
    unlink(drawn);
out:
    free(graph);
    free(drawn);
    free(dir);
    return status;
}
