/* How a parameter begins, as a list of nodes says it: "he", {"normal": 0.01}. Internal to
 * src/model. */
#ifndef GYRE_MODEL_START_H
#define GYRE_MODEL_START_H

#include "gyre/json.h"
#include "gyre/model.h"

typedef enum {
    START_HE,     /* N(0, 2 / fan out) */
    START_XAVIER, /* uniform with the variance 1 / fan in, as Caffe has it */
    START_TORCH,  /* uniform with the half width 1 / sqrt(fan in): PyTorch's default */
    START_ZEROS,
    START_ONES,
    START_WHITEN,  /* whitening filters, made from training images */
    START_DIRAC,   /* filter i passes channel i on; filters without a channel as TORCH */
    START_NORMAL,  /* N(0, spread^2) */
    START_UNIFORM, /* of half width spread */
    START_CONSTANT /* spread everywhere */
} start_form;

typedef struct {
    start_form form;
    double spread; /* of NORMAL and on */
} start;

/* False: the value is none, an object of other keys for instance. */
bool start_read(const gyre_json_value *v, start *out);
/* An object that can be none but {"normal": ...} and its like. */
bool start_is_spread(const gyre_json_value *v);
void start_write(gyre_json *j, const char *key, start s);
/* What start_read takes, in words. */
extern const char start_expected[];

/* False: the parameter sums over no inputs, which this start depends on. */
bool start_set(start s, gyre_param *p);
/* How a parameter begins; start_set with it changes nothing. */
start start_of(const gyre_param *p);
bool start_same(start a, start b);
/* How biases begin beside weights that begin so. */
start start_of_bias(start weight);

#endif
