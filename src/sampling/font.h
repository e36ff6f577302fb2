/* Letters as points. Internal to src/sampling. */
#ifndef GYRE_SAMPLING_FONT_H
#define GYRE_SAMPLING_FONT_H

#include <stdbool.h>

enum { FONT_WIDTH = 5, FONT_HEIGHT = 9 };

/* Is the point of row y, column x of the letter black? What is no ASCII is a question mark. */
bool font_point(char letter, int y, int x);

#endif
