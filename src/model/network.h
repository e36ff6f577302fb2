/* Networks as JSON: docs/networks.md. Internal to src/model. */
#ifndef GYRE_MODEL_NETWORK_H
#define GYRE_MODEL_NETWORK_H

#include "builder.h"
#include "gyre/json.h"
#include "start.h"

/* How the nodes begin that say nothing of their own. */
typedef struct {
    start weight, bias;
    const gyre_json_value *lr_mult, *decay_mult; /* a number, or one for each name; NULL: 1 */
} network_style;

/* network_read.c: appends the nodes of `layers`, a list or an object with one. */
gyre_status network_read(builder *b, const char *layers);

/* network_style.c: what stands beside "nodes". `list` is kept in `out`. */
gyre_status network_style_read(const gyre_json_value *list, network_style *out);
/* What the node says of its own parameters, those from `first` on. */
gyre_status network_style_node(const network_style *s, gyre_model *m, const gyre_node *n, int first,
                               const gyre_json_value *v);
/* Multipliers beside "nodes" for a name that no parameter has. */
gyre_status network_style_check(const network_style *s, const gyre_model *m);
/* Keys that stand in an object must be names of the node's own parameters. */
gyre_status network_check_names(const gyre_model *m, const gyre_node *n, int first, const char *key,
                                const gyre_json_value *map);
/* The same of a list of names, which ends with NULL. */
gyre_status network_check_keys(const gyre_node *n, const char *const *names, const char *key,
                               const gyre_json_value *map);
/* network_torch.c: "names" and "shapes" of what the last node has of its own in PyTorch's network.
 */
gyre_status network_torch_node(gyre_model *m, const gyre_node *n, const gyre_json_value *v);
void network_torch_print(gyre_json *j, const gyre_model *m, const gyre_node *n);
/* "weight" of "conv1.weight", a parameter of the node. */
const char *network_short_name(const gyre_node *n, const gyre_param *p);
static inline bool network_is_weight(const gyre_param *p) {
    return p->fan_out > 0;
}
static inline bool network_is_bias(const gyre_param *p) {
    return p->fan_in > 0 && !(p->fan_out > 0);
}

/* network_print.c: the double with the fewest digits that is the same float. */
double network_short_number(float x);

/* A value for a message, cut where it is long. */
enum { NETWORK_TEXT = 80 };
const char *network_text(const gyre_json_value *v, char out[NETWORK_TEXT]);
/* "; did you mean \"X\"?", or nothing; `names` ends with NULL. */
const char *network_advice(const char *wrong, const char *const *names, char out[NETWORK_TEXT]);

#endif
