/* Local response normalisation as exporters write it, x / (k + alpha mean(x^2))^beta, where the
 * mean is over a window of pixels (gyre's lrn) or of neighbouring channels (channel_lrn). */
#include "pattern.h"

#include <math.h>
#include <string.h>

static bool is_numbered(const onnx_layer *l, const char *op) {
    return onnx_is_step(l, op) && !isnan(l->number) && !l->number_first;
}

/* (k + alpha mean)^beta; parts that change nothing are not in the graph. */
typedef struct {
    double alpha, beta, k;
    int mean; /* layer */
} denominator;

static denominator read_denominator(const onnx_import *m, int place) {
    denominator d = {.alpha = 1, .beta = 1};
    const onnx_layer *l = onnx_layer_at(m, place);
    if (is_numbered(l, "Pow")) {
        d.beta = l->number;
        place = l->inputs[0];
        l = onnx_layer_at(m, place);
    }
    if (is_numbered(l, "Add")) {
        d.k = l->number;
        place = l->inputs[0];
        l = onnx_layer_at(m, place);
    }
    while (is_numbered(l, "Mul") || is_numbered(l, "Div")) {
        d.alpha = onnx_is_step(l, "Mul") ? d.alpha * l->number : d.alpha / l->number;
        place = l->inputs[0];
        l = onnx_layer_at(m, place);
    }
    d.mean = place;
    return d;
}

bool onnx_pattern_is_square(const onnx_import *m, int place, int of) {
    const onnx_layer *l = onnx_layer_at(m, place);
    if (onnx_is_step(l, "Pow")) return l->number == 2 && !l->number_first && l->inputs[0] == of;
    return onnx_layer_is(l, "mul") && l->inputs[0] == of && l->inputs[1] == of;
}

/* ---- the windows: their size, or 0 */

static double number_of(const onnx_layer *l, const char *key) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(l->options, key);
    return cJSON_IsNumber(item) ? item->valuedouble : cJSON_IsTrue(item);
}

/* An odd square around each pixel, whose pixels outside the picture count as zeros. */
static double square_of_pixels(const onnx_import *m, int place, int x) {
    const onnx_layer *l = onnx_layer_at(m, place);
    if (!onnx_layer_is(l, "average_pool") || !onnx_pattern_is_square(m, l->inputs[0], x)) return 0;
    const double size = number_of(l, "size");
    bool fits = number_of(l, "stride") == 1 && number_of(l, "count_pad") == 1 &&
                fmod(size, 2) == 1 && number_of(l, "pad") == (size - 1) / 2 &&
                number_of(l, "ceil") == 0;
    return fits ? size : 0;
}

/* Neighbouring channels, of which an even number has one more in front, as PyTorch has it. */
static double run_of_channels(const onnx_import *m, int place, int x) {
    const onnx_layer *l = onnx_layer_at(m, place);
    if (onnx_pattern_is_square(m, place, x)) return 1;
    if (!onnx_is_step(l, "AveragePool") || !l->volume) return 0;
    const onnx_layer *pad = onnx_layer_at(m, l->inputs[0]);
    const double size = l->number;
    double before = (double)l->pads[0], after = (double)l->pads[1];
    int square = l->inputs[0];
    if (onnx_is_step(pad, "Pad") && pad->volume) {
        before += (double)pad->pads[0];
        after += (double)pad->pads[1];
        square = pad->inputs[0];
    }
    bool fits = before == floor(size / 2) && after == floor((size - 1) / 2) && size <= 1024;
    return fits && onnx_pattern_is_square(m, square, x) ? size : 0;
}

/* ---- the whole */

static bool same_view(const onnx_view *a, const onnx_view *b) {
    bool same = a->rank == b->rank;
    for (int i = 0; same && i < a->rank; i++) same = onnx_view_same_dimension(a, b, i);
    return same;
}

bool onnx_pattern_lrn(onnx_import *m, onnx_call *c) {
    const onnx_layer *quotient = onnx_layer_of(m, c->out[0]);
    const int x = quotient->inputs[0];
    const denominator d = read_denominator(m, quotient->inputs[1]);
    const double pixels = d.k == 1 ? square_of_pixels(m, d.mean, x) : 0;
    const double size = pixels > 0 ? pixels : run_of_channels(m, d.mean, x);
    bool fits = size >= 1 && d.alpha >= 0 && d.beta >= 0 && d.k >= 0;
    if (!fits || !same_view(&c->in[0]->view, &c->in[1]->view)) return false;
    onnx_value in = onnx_value_at(m, x, c->in[0]), *only = &in;
    onnx_layer *l = onnx_give(m, c, pixels > 0 ? "lrn" : "channel_lrn", &only, 1);
    if (l == NULL) return true;
    onnx_option(&m->work, l, "size", size);
    onnx_option(&m->work, l, "alpha", onnx_short(d.alpha));
    onnx_option(&m->work, l, "beta", onnx_short(d.beta));
    if (pixels == 0) onnx_option(&m->work, l, "k", onnx_short(d.k));
    return true;
}
