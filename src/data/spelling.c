/* Folds names to what they look like; see spelling.h. */
#include "spelling.h"

#include "spelling_table.h"
#include <locale.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

/* The character at `s`, and how many bytes it has; a byte that begins none stands for itself. */
static uint32_t read_character(const unsigned char *s, size_t *length) {
    *length = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 1;
    uint32_t code = *length == 1 ? s[0] : s[0] & (0x7fu >> *length);
    for (size_t i = 1; i < *length; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            *length = 1;
            return s[0];
        }
        code = code << 6 | (s[i] & 0x3fu);
    }
    return code;
}

typedef struct {
    uint32_t *codes;
    size_t count;
    locale_t locale;
} folded;

/* Spaces, and characters that show nothing: of width zero, of direction, of a letter's variant. */
static bool is_blank(uint32_t code) {
    static const uint32_t ranges[][2] = {
        {'\t', '\t'},     {' ', ' '},       {0xa0, 0xa0},     {0xad, 0xad},     {0x34f, 0x34f},
        {0x61c, 0x61c},   {0x1680, 0x1680}, {0x180b, 0x180e}, {0x2000, 0x200f}, {0x2028, 0x202f},
        {0x205f, 0x206f}, {0x3000, 0x3000}, {0x3164, 0x3164}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}};
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        if (code >= ranges[i][0] && code <= ranges[i][1]) return true;
    }
    return false;
}

static void put(folded *f, uint32_t code) {
    if (is_blank(code)) return;
    f->codes[f->count++] =
        f->locale != (locale_t)0 ? (uint32_t)towlower_l((wint_t)code, f->locale) : code;
}

static int by_letter(const void *code, const void *entry) {
    uint32_t a = *(const uint32_t *)code, b = ((const data_composed *)entry)->letter;
    return a < b ? -1 : a > b;
}

/* A syllable of Hangul is composed by rule (The Unicode Standard, 3.12). */
static void put_hangul(folded *f, uint32_t index) {
    enum { VOWELS = 21, TAILS = 28 };
    put(f, 0x1100 + index / (VOWELS * TAILS));
    put(f, 0x1161 + index % (VOWELS * TAILS) / TAILS);
    if (index % TAILS > 0) put(f, 0x11a7 + index % TAILS);
}

/* At most four characters for each. */
static void put_apart(folded *f, uint32_t code) {
    enum { FIRST = 0xac00, SYLLABLES = 11172 };
    if (code >= FIRST && code < FIRST + SYLLABLES) {
        put_hangul(f, code - FIRST);
        return;
    }
    const data_composed *c = bsearch(&code, data_composed_letters,
                                     sizeof data_composed_letters / sizeof *data_composed_letters,
                                     sizeof *data_composed_letters, by_letter);
    if (c == NULL) {
        put(f, code);
        return;
    }
    put_apart(f, c->base); /* which may be composed itself */
    put(f, c->mark);
}

char *data_spelling_fold(const char *name) {
    enum { BYTES = 4 }; /* of a code: 21 bits in sevens, and an end */
    size_t length = strlen(name), taken, most = 4 * length + 1;
    folded f = {.codes = calloc(most, sizeof *f.codes),
                .locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0)};
    char *out = calloc(most, BYTES), *to = out;
    for (const unsigned char *s = (const unsigned char *)name;
         f.codes != NULL && out != NULL && *s != '\0'; s += taken) {
        put_apart(&f, read_character(s, &taken));
    }
    /* Only compared: any bytes will do, equal for equal codes and never 0. */
    for (size_t i = 0; out != NULL && i < f.count; i++) {
        for (uint32_t code = f.codes[i]; code != 0; code >>= 7) *to++ = (char)(code | 0x80);
        *to++ = 1;
    }
    if (f.locale != (locale_t)0) freelocale(f.locale);
    if (f.codes == NULL) {
        free(out);
        out = NULL;
    }
    free(f.codes);
    return out;
}
