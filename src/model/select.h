/* Parameters that settings choose by their names. Internal to src/model. */
#ifndef GYRE_MODEL_SELECT_H
#define GYRE_MODEL_SELECT_H

#include "gyre/model.h"

/* model.freeze: names, or their beginnings up to a dot. Leaves one to train. */
gyre_status select_frozen(gyre_model *m, const gyre_model_settings *settings);
/* optimizer.groups: multiplies the rates and decays of the parameters whose names match. */
gyre_status select_groups(gyre_model *m, const gyre_model_settings *settings);

#endif
